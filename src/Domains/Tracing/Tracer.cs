using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Tracing;

/// <summary>
/// Explains where a packet goes, or dies, from the plans of the hosts: the same plans that are rendered to tables. It
/// asks neither the policies nor the flows that were computed from them, so that what it finds can contradict them.
/// </summary>
public static class Tracer
{
    private static readonly bool[] Families = [false, true];

    /// <summary>Follows a connection's first packet, and its answer if that one arrives.</summary>
    /// <param name="plans">The plans of all hosts that have a part in it; more do no harm.</param>
    /// <param name="question">The connection.</param>
    /// <returns>
    /// Of a machine with several ports, the way that is open, or else the first; IPv4 before IPv6.
    /// </returns>
    public static PacketTrace Run(IEnumerable<HostPlan> plans, TraceQuestion question)
    {
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentNullException.ThrowIfNull(question);
        var scene = new TraceScene(plans);
        var (clients, servers) = (scene.Ports(question.From), scene.Ports(question.To));
        var ways = clients.SelectMany(_ => servers, (client, server) => (client, server))
            .OrderBy(way => way.client.Domain.Domain == way.server.Domain.Domain ? 0 : 1)
            .SelectMany(way => Families.Select(isIpv6 => (way.client, way.server, isIpv6)))
            .Where(way => way.client.Address(way.isIpv6) is not null && way.server.Address(way.isIpv6) is not null)
            .Select(way => Follow(scene, question, way.client, way.server, way.isIpv6)).ToList();
        return ways.FirstOrDefault(way => way.IsOpen) ?? ways.FirstOrDefault()
            ?? new PacketTrace(question, "", "", [], Absent(scene, question, clients, servers));
    }

    private static PacketTrace Follow(
        TraceScene scene, TraceQuestion question, TraceEnd client, TraceEnd server, bool isIpv6)
    {
        var request = new Walk(scene, new TracedPacket(question, TraceWay.Request, client, server, isIpv6));
        var answer = new Walk(scene, new TracedPacket(question, TraceWay.Answer, server, client, isIpv6));
        if (request.Run())
        {
            answer.Run();
        }

        return new PacketTrace(
            question, client.Address(isIpv6) ?? "", server.Address(isIpv6) ?? "", [.. request.Steps, .. answer.Steps],
            []);
    }

    private static ImmutableArray<string> Absent(
        TraceScene scene, TraceQuestion question, ImmutableArray<TraceEnd> clients, ImmutableArray<TraceEnd> servers)
    {
        var missing = new[] { (question.From, clients), (question.To, servers) }
            .Where(end => end.Item2.IsEmpty)
            .Select(end => string.Join(" ", scene.WhyAbsent(end.Item1)
                .Prepend($"{scene.NameOf(end.Item1)} has no port on any of the hosts.")))
            .ToImmutableArray();
        return missing.IsEmpty ? ["The two machines have no address of one family."] : missing;
    }
}
