using Bailiwick.HostTests.Lab;

namespace Bailiwick.HostTests.Proxy;

[Collection(LabCollection.Name)]
public sealed class ProxyTests(ITestOutputHelper output)
{
    [Fact]
    public async Task An_admitted_machine_runs_and_survives_a_killed_Proxy_and_no_other_machine_starts()
    {
        await using ProxyHost host = await ProxyHost.Up();
        host.Datacentre.With(host.Datacentre.Acme, "web", "10.20.1.0/24", 2);
        await host.ServeBoard();
        host.Log.Place(host.Placed(host.Datacentre.Acme, "web-1"));
        await host.StartProxy();
        string machine = ProxyHost.NameOf(host.Datacentre.Acme, "web-1");

        await host.Until(() => host.Runs(machine), "web-1 runs");
        output.WriteLine("web-1 runs");
        await host.Until(async () => (await host.Live()).Contains("bwt"), "its port is live");
        await using (await host.Probe(host.Datacentre.Acme, "acme", "web-1"))
        {
            output.WriteLine("its probe answers");
        }

        await StrangerIsRefused(host);
        await KilledProxyComesBack(host, machine);
    }

    private static async Task StrangerIsRefused(ProxyHost host)
    {
        string xml = (await host.Host.Virsh(
            "dumpxml", ProxyHost.NameOf(host.Datacentre.Acme, "web-1"))).Output;
        string file = Path.Combine(host.Host.Directory, "stranger.xml");
        string[] lines = [.. xml.Split('\n').Where(l => !l.Contains("<uuid>", StringComparison.Ordinal))];
        await File.WriteAllTextAsync(file, string.Join('\n', lines)
            .Replace(ProxyHost.NameOf(host.Datacentre.Acme, "web-1"), "bw-0123456789abcdef", StringComparison.Ordinal));
        await host.Host.Virsh("define", file);
        var started = await host.Host.Virsh("start", "bw-0123456789abcdef");
        Assert.NotEqual(0, started.ExitCode);
        Assert.True(
            started.Error.Contains("not a machine of this host's plan", StringComparison.Ordinal), started.Error);
    }

    /// <summary>The Master is away too: what is enforced is the last good plan.</summary>
    private static async Task KilledProxyComesBack(ProxyHost host, string machine)
    {
        await host.KillProxy();
        Assert.True(await host.Runs(machine));
        var started = await host.Host.Virsh("start", "bw-0123456789abcdef");
        Assert.Contains("cannot be asked", started.Error, StringComparison.Ordinal);
        string live = await host.Live();
        await host.StopBoard();
        foreach (string port in live.Split('\n'))
        {
            await host.Host.Must("ip", "link", "set", "dev", port, "group", "default");
        }

        Assert.Empty(await host.Live());
        await host.StartProxy();
        await host.Until(async () => await host.Live() == live, "the port is live again");
        Assert.True(await host.Runs(machine));
    }
}
