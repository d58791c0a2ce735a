using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Board;
using Bailiwick.Lab.Probes;
using Bailiwick.Proxy.Api;

namespace Bailiwick.HostTests.Whole;

[Collection(WholeCollection.Name)]
public sealed class BoardDeathTests(WholeLab lab)
{
    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_killed_Master_stops_nothing_and_comes_back_with_all_it_acknowledged()
    {
        await lab.Ready();
        var processes = lab.Processes();
        for (int round = 0; round < 2; round++)
        {
            bool open = round == 1;

            // Acknowledged, and the next moment the board is gone.
            await lab.SetFlow(open);
            await lab.Kill("master", "Master");
            await Assert.ThrowsAsync<BoardException>(() => lab.Status());
            foreach (WholeHost host in lab.Hosts)
            {
                Assert.NotEmpty(await host.LivePorts());
                Assert.Empty(await host.LiveWithoutRules());
            }

            await lab.StartMaster();
            await WholeLab.Until(
                async () => await lab.Flows() == open ? null : "the flow is not as signed", $"open: {open}");
            await lab.Settled();
        }

        Assert.False(await lab.Flows(SmallPolicies.FlowPort + 1));
        await lab.Kill("master", "Master");
        Assert.True(await Asks(SmallPolicies.FlowPort));
        Assert.False(await Asks(SmallPolicies.FlowPort + 1));
        await lab.StartMaster();
        await lab.Settled();
        Assert.Equal(processes, lab.Processes());
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_killed_key_service_releases_the_same_key_again()
    {
        await lab.Ready();
        int boot;
        await using (ProbeChannel before = await lab.Meet(SmallPolicies.Records))
        {
            boot = before.Hello.Boot;
        }

        WholeHost host = await lab.Where(SmallPolicies.Records);
        long mark = await host.Mark();
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
        await WholeLab.Until(async () => (await host.Log(mark)).Any(h => h.Kind == IntegrityKind.VolumeReturned)
            ? null : "not returned", "the volume is given back");
        await lab.Kill("keys-hospital", "KeyService");

        // The control: without its key service the machine does not start, whoever orders it.
        await lab.SetPower(SmallPolicies.Records, true);
        await WholeLab.Until(async () => (await host.Log(mark)).Any(h => h.Kind == IntegrityKind.Refusal)
            || (await lab.Status()).Compartments.Any(c => c.Refusals.Length > 0) ? null : "nobody refuses",
            "the start is refused");
        Assert.DoesNotContain(lab.MachineName(SmallPolicies.Records), lab.Processes().Keys);
        await lab.StartKeyService("hospital");
        await using (ProbeChannel after = await lab.Meet(SmallPolicies.Records))
        {
            Assert.Equal((SmallPolicies.Records, boot + 1), (after.Hello.Found, after.Hello.Boot));
        }

        await lab.Settled();
        Assert.Single(await host.Log(mark), h => h.Kind == IntegrityKind.VolumeOpened);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_Master_set_back_to_an_older_copy_is_refused_and_the_last_good_plan_stays()
    {
        await lab.Ready();
        string store = Path.Combine(lab.Paths.Master, "store"), older = store + ".older", newer = store + ".newer";
        await lab.Kill("master", "Master");
        Copy(store, older);
        await lab.StartMaster();
        await lab.SetFlow(open: false);
        await WholeLab.Until(async () => await lab.Flows() ? "open" : null, "the flow closes");
        await lab.Settled();
        WholeHost host = lab.Host("host-2");
        ProxyStatus good = await host.Status();
        long mark = await host.Mark();

        await lab.Kill("master", "Master");
        Directory.Move(store, newer);
        Directory.Move(older, store);
        try
        {
            await lab.StartMaster();
            await RefusesAndReports(host, good, mark);
            await lab.Kill("host-2", "Proxy");
            await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
            await RefusesAndReports(host, good, mark);
            Assert.False(await Asks(SmallPolicies.FlowPort));
        }
        finally
        {
            await lab.EndMaster();
            Directory.Delete(store, recursive: true);
            Directory.Move(newer, store);
            await lab.StartMaster();
        }

        // The control: the history that goes on is followed again.
        await lab.SetFlow(open: true);
        await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow opens");
        await lab.Settled();
    }

    private static async Task RefusesAndReports(WholeHost host, ProxyStatus good, long mark)
    {
        await WholeLab.Until(
            async () => (await host.Status()).RefusedStatements.Any(r => r.Code == "Rollback")
                ? null : string.Join("; ", (await host.Status()).RefusedStatements), $"{host.Name} refuses the board");
        Assert.Equal(good.PlanDigest, (await host.Status()).PlanDigest);
        Assert.Contains(await host.Log(mark), h => h.Kind == IntegrityKind.StatementRefused);
    }

    /// <summary>As <see cref="WholeLab.Flows"/>, but without asking the board where the machines are.</summary>
    private async Task<bool> Asks(int port)
    {
        await using ProbeChannel web = await lab.Meet(SmallPolicies.Web, lab.Host("host-1"));
        ProbeAnswer answer = await web.Ask(
            new ProbeQuestion(ProbeKind.Tcp, System.Net.IPAddress.Parse("10.20.2.11"), port, "w"),
            TimeSpan.FromMilliseconds(700));
        return answer.Identity == SmallPolicies.Ledger;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
