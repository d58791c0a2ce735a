using System.Diagnostics;
using System.Globalization;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Domains.Verification;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// What runs at the end is what the policies say at the end: read back from every host, and proven for every packet.
/// Then root slips a rule into a gateway, and is found out with what the rule opens.
/// </summary>
internal sealed class VerifyAct(DemoStage stage)
{
    private const double Limit = 30;
    private const string Opens = "It opens tcp/22 ";
    private const string Ending = ", for example.";

    internal async Task<IReadOnlyList<DemoCheck>> Play(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        IReadOnlyList<HostVerification> all = await Proven(clock, cancellation).ConfigureAwait(false);
        int differ = all.Sum(host => host.Things.Count(thing => !thing.IsProven));
        var equal = new DemoCheck(
            "what runs on every host is what the policies say, for every packet", differ == 0 && all.Count > 0,
            differ == 0
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{all.Count} hosts, {all.Sum(host => host.Things.Length)} things read back and as planned, in "
                    + $"{string.Join(", ", all.Select(host => host.Milliseconds))} ms")
                : string.Join(" ", all.SelectMany(host => host.Things).SelectMany(thing => thing.Differences).Take(3)));
        return [equal, await Slipped(cancellation).ConfigureAwait(false)];
    }

    private async Task<DemoCheck> Slipped(CancellationToken cancellation)
    {
        // Its domain has a flow with the regulator's, and so a gateway.
        LabHost host = stage.Deployment.Datacentre.Host(stage.Machine("bank/ledger-1").Host);
        string space = (await host.Must("ip", "netns", "list").ConfigureAwait(false)).Split('\n')
            .Select(line => line.Split(' ')[0])
            .FirstOrDefault(name => name.StartsWith("bwg", StringComparison.Ordinal))
            ?? throw new LabException($"{host.Name} has no gateway", "bank/ledger-1", "bailiwick status");
        await host.Must(
            "ip", "netns", "exec", space, "nft", "insert", "rule", "inet", "bw_gateway", "forward",
            "tcp", "dport", "22", "accept").ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        string told = "";
        while (told.Length == 0 && clock.Elapsed.TotalSeconds < Limit)
        {
            told = (await Ask(host, cancellation).ConfigureAwait(false)).Drifts
                .Select(drift => drift.Sentence)
                .FirstOrDefault(said => said.Contains(Opens, StringComparison.Ordinal)) ?? "";
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellation).ConfigureAwait(false);
        }

        double seconds = clock.Elapsed.TotalSeconds;
        IReadOnlyList<HostVerification> after = await Proven(clock, cancellation).ConfigureAwait(false);
        bool isRepaired = after.All(one => one.IsProven);
        int from = told.IndexOf(Opens, StringComparison.Ordinal);
        string effect = from < 0
            ? "" : told[from..(told.IndexOf(Ending, from, StringComparison.Ordinal) + Ending.Length)];
        return new DemoCheck(
            "a rule slipped in with nft is found, its effect named, and repaired", from >= 0 && isRepaired,
            from < 0 ? "no drift names what it opens" : string.Create(
                CultureInfo.InvariantCulture,
                $"told after {seconds:F1} s: {effect} "
                + $"{(isRepaired ? "It is gone." : "It is still there.")}"));
    }

    /// <summary>Hosts that were just changed are given their time to follow.</summary>
    private async Task<IReadOnlyList<HostVerification>> Proven(Stopwatch clock, CancellationToken cancellation)
    {
        double end = clock.Elapsed.TotalSeconds + Limit;
        while (true)
        {
            List<HostVerification> all = [];
            foreach (LabHost host in stage.Deployment.Datacentre.Hosts)
            {
                all.Add(await Ask(host, cancellation).ConfigureAwait(false));
            }

            if (all.All(host => host.IsProven) || clock.Elapsed.TotalSeconds > end)
            {
                return all;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
        }
    }

    private async Task<HostVerification> Ask(LabHost host, CancellationToken cancellation)
    {
        using BoardDesk desk = stage.Deployment.Board(stage.Deployment.Desks.Operator.Facts.Name.Text);
        using HttpClient client = desk.Host(
            desk.Context.Hosts.Keys.Single(name => name.EndsWith($"/{host.Name}", StringComparison.Ordinal)));
        return await new PeerClient(client).Read<HostVerification>("/v1/verification", cancellation)
            .ConfigureAwait(false);
    }
}
