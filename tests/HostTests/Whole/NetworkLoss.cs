using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.HostTests.Whole;

/// <summary>A part of a host's network that root takes away, and how what it served shows that it is back.</summary>
/// <param name="What">Which.</param>
/// <param name="Host">Where.</param>
/// <param name="Take">Takes it.</param>
/// <param name="Missing">What is missing still; null when nothing is.</param>
internal sealed record NetworkLoss(string What, WholeHost Host, Func<Task> Take, Func<Task<string?>> Missing)
{
    /// <summary>One kind: makes a loss of it, at a place that is drawn.</summary>
    internal delegate Task<NetworkLoss> Kind(Random random);
}

/// <summary>The kinds of loss, in a lab under <see cref="MovingPolicies"/>.</summary>
internal sealed class NetworkLosses(WholeLab lab, OpenProbes probes)
{
    private const string Web1 = "10.20.1.11", Web2 = "10.20.1.12", Ledger = "10.20.2.11";

    internal NetworkLoss.Kind[] Kinds =>
        [Server, Limit, Shares, Table, .. HasCipherers ? new NetworkLoss.Kind[] { Cipherer } : []];

    /// <summary>What is missing for all to be reached that are to be.</summary>
    internal async Task<string?> Unreached() =>
        await UnreachedInside() ?? await UnreachedAcross()
        ?? await probes.Reaches(MovingPolicies.Other, SmallPolicies.Web, Web1);

    /// <summary>What is missing for the web's machines on two hosts to reach each other.</summary>
    internal Task<string?> UnreachedInside() => probes.Reaches(SmallPolicies.Web, MovingPolicies.Other, Web2);

    /// <summary>What is missing for the one flow, by its passage.</summary>
    internal Task<string?> UnreachedAcross() => probes.Reaches(SmallPolicies.Web, SmallPolicies.Ledger, Ledger);

    /// <summary>What is missing for the first web machine to be told a name by its own host.</summary>
    internal Task<string?> Untold() => probes.Knows(SmallPolicies.Web, "web-2", Web2);

    /// <summary>The server of a service point is killed; the measure is an answer to a machine's question.</summary>
    private async Task<NetworkLoss> Server(Random random)
    {
        (string machine, string name, string address) = random.GetItems(
        [
            (SmallPolicies.Web, "web-2", Web2), (MovingPolicies.Other, "web-1", Web1),
            (SmallPolicies.Ledger, "ledger-1", Ledger),
        ], 1)[0];
        WholeHost host = await lab.Where(machine);
        string space = "bwn" + (await host.BridgeOf(await host.TapOf(machine)))[3..];
        string old = Assert.Single(await Programs());
        return new NetworkLoss($"the server in {space} of {host.Name}", host, () => Kill(host, old), async () =>
            (await Programs()) is [var now] && now != old
                ? await probes.Knows(machine, name, address) : "no new server");

        async Task<string[]> Programs() => (await host.Space.Must("ip", "netns", "pids", space))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A program that ciphers is killed; the measure are connections over each tunnel.</summary>
    private Task<NetworkLoss> Cipherer(Random random)
    {
        WholeHost host = random.GetItems([.. lab.Hosts], 1)[0];
        return Task.FromResult(Cipherer(host, random.GetItems([.. Cipherers(host)], 1)[0]));
    }

    /// <summary>The program that ciphers for a machine's own domain.</summary>
    internal async Task<NetworkLoss> CiphererOf(string machine)
    {
        WholeHost host = await lab.Where(machine);
        string devices = "bww" + (await host.BridgeOf(await host.TapOf(machine)))[3..];
        return Cipherer(host, Cipherers(host).Single(one =>
            one.Device.StartsWith(devices, StringComparison.Ordinal)));
    }

    private NetworkLoss Cipherer(WholeHost host, (string Id, string Device) one) => new(
        $"the wireguard-go of {one.Device} of {host.Name}", host, () => Kill(host, one.Id),
        async () => Cipherers(host).Any(now => now.Device == one.Device && now.Id != one.Id)
            ? await Unreached() : "no new program");

    /// <summary>A part of a port's limit is deleted.</summary>
    private async Task<NetworkLoss> Limit(Random random)
    {
        WholeHost host = await lab.Where(SmallPolicies.Web);
        string tap = await host.TapOf(SmallPolicies.Web);
        string[] what = random.GetItems(
            (string[][])[[tap, "root"], [tap, "ingress"], [PortLimits.Redirector(tap), "root"]], 1)[0];
        return new NetworkLoss(
            $"the {what[1]} queue of {what[0]}", host,
            () => host.Space.Must(["tc", "qdisc", "del", "dev", .. what]),
            async () => await host.PortRates(tap) is (40, 20) ? null : $"{await host.PortRates(tap)}");
    }

    /// <summary>The queues of an uplink are deleted.</summary>
    private Task<NetworkLoss> Shares(Random random)
    {
        WholeHost host = random.GetItems([.. lab.Hosts], 1)[0];
        return Task.FromResult(new NetworkLoss(
            $"the queues of the uplink of {host.Name}", host,
            () => host.Space.Must("tc", "qdisc", "del", "dev", LabHost.UnderlayInterface, "root"),
            async () => await host.UplinkPart() is (100, 1000) ? null : $"{await host.UplinkPart()}"));
    }

    /// <summary>The table of a domain is deleted.</summary>
    private async Task<NetworkLoss> Table(Random random)
    {
        string machine = random.GetItems(lab.Machines, 1)[0];
        WholeHost host = await lab.Where(machine);
        string tap = await host.TapOf(machine);
        string table = WholeHost.TableOf(await host.BridgeOf(tap));
        return new NetworkLoss(
            $"the table {table} of {host.Name}", host,
            () => host.Space.Must("nft", "delete", "table", "bridge", table),
            async () => !(await host.Tables()).Contains(table) ? "no table"
                : !(await host.LivePorts()).Contains(tap) ? $"{tap} is dead" : await Unreached());
    }

    private static Task<string> Kill(WholeHost host, string process) => host.Space.Must("kill", "-KILL", process);

    /// <summary>The programs that cipher, by the ids that the host knows them by.</summary>
    private static IEnumerable<(string Id, string Device)> Cipherers(WholeHost host) =>
        ProcessFiles.All("cmdline", host.Space.PathInside("/proc"))
            .Select(one => (one.Pid, Words: one.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .Where(one => one.Words is [var program, ['b', 'w', 'w', ..]]
                && program.EndsWith("wireguard-go", StringComparison.Ordinal))
            .Select(one => ($"{one.Pid}", one.Words[1]));

    /// <summary>Whether programs cipher on these hosts, which root can kill; a kernel that does it cannot be.</summary>
    internal bool HasCipherers => lab.Hosts.All(host => Cipherers(host).Any());
}
