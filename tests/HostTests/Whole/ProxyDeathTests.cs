using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

[Collection(WholeCollection.Name)]
public sealed class ProxyDeathTests(WholeLab lab, ITestOutputHelper output)
{
    [Fact]
    public async Task A_killed_Proxy_leaves_machines_and_rules_and_its_successor_finds_them_right()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        var processes = lab.Processes();
        string rules = await host.Rules();
        string[] live = await host.LivePorts();
        long mark = await host.Mark();
        Assert.NotEmpty(live);

        await lab.Kill("host-1", "Proxy");
        Assert.Equal(rules, await host.Rules());
        Assert.True(await lab.Flows());
        Assert.False(await lab.Flows(SmallPolicies.FlowPort + 1));
        await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
        await lab.Settled();

        Assert.Equal(processes, lab.Processes());
        // The successor believes no peer before that has proven itself again: its doors open one after the other.
        await WholeLab.Until(async () => await host.Rules() == rules ? null : await host.Rules(), "the same rules");
        Assert.Equal(live, await host.LivePorts());
        Assert.Empty(await host.Log(mark, IntegrityKind.Drift, IntegrityKind.MachineStarted,
            IntegrityKind.MachineStopped, IntegrityKind.Refusal));
        Assert.True(await lab.Flows());
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_Proxy_killed_at_any_moment_of_a_policy_change_ends_at_the_plan()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-2");
        string rules = await host.Rules();
        var processes = lab.Processes();
        long mark = await host.Mark();
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int round = 0; round < 4; round++)
        {
            bool open = round % 2 == 1;
            await lab.SetFlow(open);
            int delay = random.Next(0, 900);
            await Task.Delay(delay, TestContext.Current.CancellationToken);
            await lab.Kill("host-2", "Proxy");
            output.WriteLine($"round {round}: killed after {delay} ms");
            Assert.Empty(await host.LiveWithoutRules());
            await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
            Assert.Empty(await host.LiveWithoutRules());
            await WholeLab.Until(
                async () => await lab.Flows() == open ? null : "not as signed", $"the flow is open: {open}");
            await lab.Settled();
        }

        Assert.Equal(rules, await host.Rules());
        Assert.Equal(processes, lab.Processes());
        Assert.Empty(await host.Log(mark, IntegrityKind.Drift, IntegrityKind.MachineStarted));
    }

    [Fact]
    public async Task A_machine_whose_process_is_killed_is_started_once_more_and_finds_its_volume()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        int boot;
        await using (ProbeChannel before = await lab.Meet(SmallPolicies.Web))
        {
            boot = before.Hello.Boot;
        }

        long mark = await host.Mark();
        string name = lab.MachineName(SmallPolicies.Web);
        int pid = lab.Processes()[name];
        ProcessMark machine = ProcessMark.Read(pid) ?? throw new InvalidOperationException("it has ended by itself");
        await machine.End(TimeSpan.Zero);
        await WholeLab.Until(
            () => Task.FromResult(lab.Processes().ContainsKey(name) ? null : "not yet"), "it has a process again");
        await using (ProbeChannel after = await lab.Meet(SmallPolicies.Web))
        {
            Assert.Equal((SmallPolicies.Web, boot + 1), (after.Hello.Found, after.Hello.Boot));
        }

        await lab.Settled();
        Assert.NotEqual(pid, lab.Processes()[name]);
        IReadOnlyList<Happening> since = await host.Log(mark);
        Assert.Single(since, h => h.Kind == IntegrityKind.MachineStarted);
        Assert.Single(since, h => h.Kind == IntegrityKind.VolumeOpened);
        // The old port went with its process: nobody had to close it.
        Assert.Single(since, h => h.Kind is IntegrityKind.PortClosed or IntegrityKind.PortOpened);
    }
}
