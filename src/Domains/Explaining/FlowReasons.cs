using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;

namespace Bailiwick.Domains.Explaining;

/// <summary>Why a client in one machine may reach a server in another, by the statements alone.</summary>
internal sealed class FlowReasons(
    CheckedDatacentre datacentre, FlowMatrix matrix, TraceQuestion question, DateTimeOffset now)
{
    private readonly NamedMembers _members = new(DomainMembers.Of(datacentre));

    /// <summary>
    /// The chain of the first pair of the machines' domains that is open; where none is, the chains of all, which then
    /// say all that is missing.
    /// </summary>
    public ImmutableArray<WhyLink> Links()
    {
        var machines = datacentre.Machinery.Compartments;
        if (!machines.TryGetValue(question.From.ToString(), out var client)
            || !machines.TryGetValue(question.To.ToString(), out var server))
        {
            return
            [
                .. new[] { question.From, question.To }.Where(one => !machines.ContainsKey(one.ToString()))
                    .Select(one => new WhyLink(false, $"No accepted statement describes the machine {one}.", null)),
            ];
        }

        if (FlowMatrix.Domains(client).Intersect(FlowMatrix.Domains(server)).FirstOrDefault() is { } shared)
        {
            return [.. Within(client, server, datacentre.Domains[shared.ToString()])];
        }

        var chains = (from one in FlowMatrix.Domains(client).Distinct()
                      from other in FlowMatrix.Domains(server).Distinct()
                      select Between(
                          client, server, datacentre.Domains[one.ToString()], datacentre.Domains[other.ToString()]))
            .ToArray();
        return chains.FirstOrDefault(chain => chain.All(link => link.Holds)) is { IsDefault: false } open
            ? open : [.. chains.SelectMany(chain => chain).Distinct()];
    }

    private IEnumerable<WhyLink> Within(CompartmentModel client, CompartmentModel server, DomainModel domain) =>
    [
        Member(client, domain), Member(server, domain),
        new WhyLink(
            true, $"Both are members of {Display.Of(domain)}, and inside a domain every member reaches every other.",
            domain.Origin) { Domain = domain.Ref },
        .. Expired(domain),
    ];

    private ImmutableArray<WhyLink> Between(
        CompartmentModel client, CompartmentModel server, DomainModel from, DomainModel to)
    {
        var grant = MissingTerms.Covering(_members, from, from.Grants, to.Ref, question.From, question);
        var accept = MissingTerms.Covering(_members, to, to.Accepts, from.Ref, question.To, question);
        var service = MissingTerms.Service(question);
        return
        [
            Member(client, from), Member(server, to),
            grant is null
                ? Silent(MissingTerms.Missing(from, "grants", "to", to, question.From, service), from)
                : Said(from, "grants", "to", to, grant),
            accept is null
                ? Silent(MissingTerms.Missing(to, "accepts", "from", from, question.To, service), to)
                : Said(to, "accepts", "from", from, accept),
            .. grant is null || accept is null ? [] : Closed(from, to), .. Expired(from), .. Expired(to),
        ];
    }

    /// <summary>What closes a pair of domains although both sides want it open.</summary>
    private IEnumerable<WhyLink> Closed(DomainModel from, DomainModel to) => matrix.Conflicts
        .Where(conflict =>
            FlowMatrix.Pair(conflict.Judge.Domain.Ref, conflict.Peer.Ref) == FlowMatrix.Pair(from.Ref, to.Ref))
        .Select(conflict => new WhyLink(false, conflict.Sentence, conflict.Judge.Domain.Origin)
        {
            Domain = conflict.Judge.Domain.Ref,
        });

    private IEnumerable<WhyLink> Expired(DomainModel domain) => now < domain.Expires ? [] :
    [
        new WhyLink(false, $"{domain.Origin} has expired; a newer revision must be signed.", domain.Origin)
        {
            Domain = domain.Ref,
        },
    ];

    internal static WhyLink Member(CompartmentModel machine, DomainModel domain) => new(
        true, $"{Display.Of(machine)} is a member of {Display.Of(domain)}.", machine.Origin) { Domain = domain.Ref };

    internal static WhyLink Silent(MissingStatement missing, DomainModel domain) =>
        new(false, missing.Sentence, domain.Origin) { Domain = domain.Ref };

    /// <summary>What a term says, in the words of the document.</summary>
    internal static WhyLink Said(DomainModel domain, string list, string word, DomainModel peer, FlowTerm term)
    {
        var machines = term.Machines is { } named ? $", machines: [{string.Join(", ", named)}]" : "";
        return new WhyLink(
            true,
            $"{Display.Of(domain)} {list} ({term.Pointer}): {{{word}: {Display.Of(peer)}{machines}, "
            + $"{Words(term.Resource)}}}.",
            domain.Origin) { Domain = domain.Ref };
    }

    private static string Words(FlowResource resource) => resource switch
    {
        FlowResource.Network { Protocol: FlowProtocol.Icmp } => "network: {protocol: icmp}",
        FlowResource.Network network =>
            $"network: {{protocol: {WireText.Of(network.Protocol)}, ports: [{PortSets.Text(network.Ports)}]}}",
        FlowResource.Volume volume => $"volume: {{name: {volume.Name}, access: {WireText.Of(volume.Access)}}}",
        FlowResource.Device device => $"device: {{kind: {WireText.Of(device.Kind)}}}",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
