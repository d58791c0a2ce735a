using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Traffic;

/// <summary>
/// Keeps what passes machines' ports within their limits: a token bucket (tc-tbf(8)) where frames leave towards the
/// machine, and one behind a redirection (an IFB device) for what comes from it, because frames that come in have no
/// queue of their own. Both delay and, when their queue is full, drop.
/// </summary>
public sealed class PortLimits(NetworkTools tools, IntegrityManager integrity, PlannedNames planned)
{
    private const int BytesPerMbit = 125_000;
    /// <summary>The bucket holds what passes in a hundredth of a second, and at least one frame of 64 KiB.</summary>
    private const int BucketsPerSecond = 100;
    private const int LeastBucket = 64 * 1024;
    private const int TapPrefix = 3;

    private readonly ConcurrentDictionary<string, Held> _held = new(StringComparer.Ordinal);

    /// <summary>The device to which frames from a machine are redirected: <c>bwi</c> and the port's digits.</summary>
    public static string Redirector(string port)
    {
        ArgumentNullException.ThrowIfNull(port);
        return "bwi" + port[TapPrefix..];
    }

    /// <summary>Brings the limits of those ports that are there to the plan.</summary>
    /// <returns>The ports whose limit could not be brought, and why: they must not be live.</returns>
    public ImmutableDictionary<string, WorldException> Bring(ImmutableArray<LocalPort> ports)
    {
        var links = tools.Links();
        var failed = ImmutableDictionary.CreateBuilder<string, WorldException>();
        foreach (LocalPort port in ports)
        {
            if (!links.TryGetValue(port.Device, out ObservedLink? link))
            {
                _held.TryRemove(port.Device, out _);
                continue;
            }

            try
            {
                if (port.Limit is { } limit)
                {
                    Limit(port.Device, link.Index, limit);
                }
                else
                {
                    Free(link, links.ContainsKey(Redirector(port.Device)));
                }
            }
            catch (WorldException error)
            {
                _held.TryRemove(port.Device, out _);
                failed[port.Device] = error;
            }
        }

        return failed.ToImmutable();
    }

    private void Limit(string port, int index, PortLimit limit)
    {
        if (_held.TryGetValue(port, out Held? held) && held.Index == index && held.Limit == limit)
        {
            if (held.State == State(port, limit))
            {
                return;
            }

            integrity.RecordOrOwe(
                IntegrityKind.Drift, planned.ReadersOf(port), port, "The port's limits are not as they were set.");
        }

        _held.TryRemove(port, out _);
        if (limit.InMbit is { } inwards)
        {
            tools.Run(Bucket(port, inwards));
        }
        else
        {
            tools.RunIgnoringAbsence(["tc", "qdisc", "del", "dev", port, "root"]);
        }

        Unredirect(port);
        if (limit.OutMbit is { } outwards)
        {
            string redirector = Redirector(port);
            tools.Run(["ip", "link", "add", redirector, "type", "ifb"]);
            tools.Run(["ip", "link", "set", redirector, "addrgenmode", "none", "up"]);
            tools.Run(Bucket(redirector, outwards));
            tools.Run(["tc", "qdisc", "add", "dev", port, "handle", "ffff:", "ingress"]);
            tools.Run(
            [
                "tc", "filter", "add", "dev", port, "parent", "ffff:", "protocol", "all", "prio", "1", "u32", "match",
                "u32", "0", "0", "action", "mirred", "egress", "redirect", "dev", redirector,
            ]);
        }

        _held[port] = new Held(index, limit, State(port, limit));
    }

    private void Free(ObservedLink port, bool isRedirected)
    {
        _held.TryRemove(port.Name, out _);
        if (port.Queue == "tbf")
        {
            tools.RunIgnoringAbsence(["tc", "qdisc", "del", "dev", port.Name, "root"]);
        }

        if (isRedirected)
        {
            Unredirect(port.Name);
        }
    }

    /// <summary>The redirection goes before its device: into a device that is gone everything is dropped.</summary>
    private void Unredirect(string port)
    {
        tools.RunIgnoringAbsence(["tc", "qdisc", "del", "dev", port, "ingress"]);
        tools.RunIgnoringAbsence(SegmentCommands.Remove(Redirector(port)));
    }

    private string State(string port, PortLimit limit) =>
        tools.Queues([port, Redirector(port)], limit.OutMbit is null ? [] : [port]);

    private static string[] Bucket(string device, int mbit) =>
    [
        "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", Text(mbit) + "mbit", "burst",
        Text(Math.Max(LeastBucket, (long)mbit * BytesPerMbit / BucketsPerSecond)), "latency", "50ms",
    ];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record Held(int Index, PortLimit Limit, string State);
}
