using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Proxy.Traffic;

/// <summary>
/// Shares out what this host sends to others (tc-htb(8)): each domain gets what is reserved for it however much others
/// want, what nobody uses goes to whoever wants it, and nobody gets more than its limit. One table says whose a packet
/// is. While nothing is to be shared out the uplink is as its operator left it.
/// </summary>
public sealed class UplinkShares(
    NetworkTools tools, TableKeeper tables, TunnelKeeper tunnels, IntegrityManager integrity)
{
    /// <summary>The handle of the queues, by which ours are known.</summary>
    public const string Handle = "b1";
    private const string Table = "bw_uplink";
    private const string Others = "ffff";
    private const string TableDiffers = "The table of the uplink is not as it was loaded.";
    private const int LeastMbit = 1;
    /// <summary>A queue holds what passes in a twentieth of a second, and at least four frames of 64 KiB.</summary>
    private const int QueuesPerSecond = 20;
    private const int LeastQueue = 256 * 1024;
    private const int BytesPerMbit = 125_000;

    private Held? _held;
    private bool _looked;

    /// <summary>Brings the uplink to its plan.</summary>
    /// <param name="plan">The host's plan.</param>
    /// <exception cref="WorldException">The world refused.</exception>
    public void Bring(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Uplink is not { } uplink)
        {
            Free(plan.Underlay.LocalIpv4);
            return;
        }

        WantedRules rules = new(null, NftTables.ForUplink(uplink, Handle, Ports(uplink)));
        RulesState state = tables.State(rules);
        if (state != RulesState.Held)
        {
            if (state == RulesState.Drifted)
            {
                Drifted(TableDiffers);
            }

            tables.Load(rules);
        }

        string device = tools.DeviceOf(uplink.LocalIpv4) ?? throw new WorldException(
            ["find", "uplink"], -1, $"not one device has the address {uplink.LocalIpv4}");
        string[][] commands = [.. Commands(uplink, device)];
        string text = string.Join('\n', commands.Select(command => string.Join(' ', command)));
        if (_held is { } held && held.Commands == text)
        {
            if (held.State == tools.Classes(device))
            {
                return;
            }

            Drifted("The queues of the uplink are not as they were set.");
        }

        _held = null;
        tools.RunIgnoringAbsence(["tc", "qdisc", "del", "dev", device, "root"]);
        foreach (string[] command in commands)
        {
            tools.Run(command);
        }

        _held = new Held(device, text, tools.Classes(device));
        _looked = true;
    }

    /// <summary>Each way in which the uplink is not shared out as planned, read from the kernel.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Uplink is not { } uplink)
        {
            return [];
        }

        if (_held is not { } held)
        {
            return ["The uplink is not shared out."];
        }

        WantedRules rules = new(null, NftTables.ForUplink(uplink, Handle, Ports(uplink)));
        return
        [
            .. tables.State(rules) == RulesState.Held
                ? Array.Empty<string>() : [TableDiffers],
            .. NetworkTools.Differences(held.Device, held.State, tools.Classes(held.Device)),
        ];
    }

    private void Free(string localIpv4)
    {
        // What a predecessor shared out is known by its handle; once is enough.
        if (_held is null && (_looked || localIpv4.Length == 0))
        {
            return;
        }

        string? device = _held?.Device ?? tools.DeviceOf(localIpv4);
        if (device is not null && (_held is not null || tools.HasQueues(device, Handle)))
        {
            tools.RunIgnoringAbsence(["tc", "qdisc", "del", "dev", device, "root"]);
            tables.Remove(Table, "inet");
        }

        _held = null;
        _looked = true;
    }

    private ImmutableArray<(int Port, string Segment)> Ports(UplinkPlan uplink) =>
    [
        .. tunnels.Named(uplink.Parts.SelectMany(part => part.Segments)).Select(key => (key.Port, key.Segment)),
    ];

    private static IEnumerable<string[]> Commands(UplinkPlan uplink, string device)
    {
        yield return ["tc", "qdisc", "add", "dev", device, "root", "handle", Handle + ":", "htb", "default", Others];
        yield return Class(device, Handle + ":", "1", uplink.Mbit, uplink.Mbit);
        int left = uplink.Mbit - uplink.Parts.Sum(part => Math.Max(LeastMbit, part.ReserveMbit));
        IEnumerable<(string Number, int Rate, int Ceiling)> classes = uplink.Parts
            .Select(part => (
                part.Number.ToString("x", CultureInfo.InvariantCulture), Math.Max(LeastMbit, part.ReserveMbit),
                Math.Max(LeastMbit, part.LimitMbit)))
            .Append((Others, Math.Max(LeastMbit, left), uplink.Mbit));
        foreach ((string number, int rate, int ceiling) in classes)
        {
            yield return Class(device, Handle + ":1", number, rate, ceiling);
            yield return
            [
                "tc", "qdisc", "add", "dev", device, "parent", $"{Handle}:{number}", "bfifo", "limit",
                Text(Math.Max(LeastQueue, (long)ceiling * BytesPerMbit / QueuesPerSecond)),
            ];
        }
    }

    private static string[] Class(string device, string parent, string number, int rate, int ceiling) =>
    [
        "tc", "class", "add", "dev", device, "parent", parent, "classid", $"{Handle}:{number}", "htb", "rate",
        Text(rate) + "mbit", "ceil", Text(ceiling) + "mbit", "quantum", "60000",
    ];

    private void Drifted(string sentence) =>
        integrity.RecordOrOwe(IntegrityKind.Drift, IntegrityReaders.Everyone, Table, sentence);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record Held(string Device, string Commands, string State);
}
