using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Tracing;

/// <summary>
/// Explains where a packet goes, or dies, from the plans of the hosts: the same plans that are rendered to tables. It
/// asks neither the policies nor the flows that were computed from them, so that what it finds can contradict them.
/// </summary>
public static class Tracer
{
    /// <summary>Follows a connection's first packet, and its answer if that one arrives.</summary>
    /// <param name="plans">The plans of all hosts that have a part in it; more do no harm.</param>
    /// <param name="question">The connection.</param>
    /// <returns>
    /// Of a machine with several ports, the way that is open, or else the first, within one domain before across.
    /// </returns>
    public static PacketTrace Run(IEnumerable<HostPlan> plans, TraceQuestion question)
    {
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentNullException.ThrowIfNull(question);
        var scene = new TraceScene(plans);
        var (clients, servers) = (scene.Ports(question.From), scene.Ports(question.To));
        var ways = Ways(scene, question, clients, servers, isIpv6: question.Ipv6);
        if (ways.Count == 0 && !question.Ipv6)
        {
            ways = Ways(scene, question, clients, servers, isIpv6: true);
        }

        return ways.FirstOrDefault(way => way.IsOpen) ?? ways.FirstOrDefault()
            ?? new PacketTrace(question, "", "", [], Absent(scene, question, clients, servers));
    }

    /// <summary>
    /// The way of a packet to a machine with which the sender's domains have no open flow, without a look at that
    /// machine: it ends at the sender's own switch, whether the machine is anywhere or not.
    /// </summary>
    internal static ImmutableArray<TraceStep> ToStranger(IEnumerable<HostPlan> plans, TraceQuestion question)
    {
        var scene = new TraceScene(plans);
        if (scene.Ports(question.From) is not [var end, ..])
        {
            return [];
        }

        var address = end.Address(question.Ipv6) ?? end.Address(!question.Ipv6) ?? "";
        var family = address.Contains(':', StringComparison.Ordinal) ? "6" : "4";
        var (plan, domain, port) = end;
        return
        [
            new TraceStep(
                TraceWay.Request, TracePlace.Port, plan.Host, [domain.Domain],
                $"bridge {domain.Network.Table}, set sources{family}: {port.Device} . {port.Member.Mac} . {address}",
                Passes: true, $"{scene.NameOf(port.Member.Ref)} sends as itself.")
            {
                Because = TraceScene.ReasonOf(end).Because,
            },
            new TraceStep(
                TraceWay.Request, TracePlace.Switch, plan.Host, [domain.Domain], $"bridge {domain.Network.Table}",
                Passes: false, $"No flow of {domain.DisplayName} with a domain of the other machine is open.")
            {
                Because = domain.Network.Reason.Because,
            },
        ];
    }

    private static List<PacketTrace> Ways(
        TraceScene scene, TraceQuestion question, ImmutableArray<TraceEnd> clients, ImmutableArray<TraceEnd> servers,
        bool isIpv6) =>
    [
        .. clients.SelectMany(_ => servers, (client, server) => (client, server))
            .Where(way => way.client.Address(isIpv6) is not null && way.server.Address(isIpv6) is not null)
            .OrderBy(way => way.client.Domain.Domain == way.server.Domain.Domain ? 0 : 1)
            .Select(way => Follow(scene, question, way.client, way.server, isIpv6)),
    ];

    private static PacketTrace Follow(
        TraceScene scene, TraceQuestion question, TraceEnd client, TraceEnd server, bool isIpv6)
    {
        var request = new Walk(scene, new TracedPacket(question, TraceWay.Request, client, server, isIpv6));
        var answer = new Walk(scene, new TracedPacket(question, TraceWay.Answer, server, client, isIpv6));
        var error = new Walk(scene, new TracedPacket(question, TraceWay.Error, server, client, isIpv6));
        if (request.Run() && answer.Run())
        {
            error.Run();
        }

        // An error goes where the answer goes; what is asked of it besides, gateways ask.
        return new PacketTrace(
            question, client.Address(isIpv6) ?? "", server.Address(isIpv6) ?? "",
            [
                .. request.Steps, .. answer.Steps,
                .. error.Steps.Where(step => step.Place == TracePlace.Gateway || !step.Passes),
            ],
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
