using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Tracing;

/// <summary>What somebody would have to state before a packet passes.</summary>
/// <param name="Domain">The domain whose statement it belongs into; null where no statement is missing.</param>
/// <param name="Sentence">What.</param>
public sealed record MissingStatement(DomainRef? Domain, string Sentence);

/// <summary>Finds what the policies do not say of a connection that is dropped.</summary>
public static class MissingTerms
{
    /// <summary>The missing sides of the flow, for each pair of the machines' domains; both may be silent.</summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="question">The connection.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static ImmutableArray<MissingStatement> Of(
        CheckedDatacentre datacentre, TraceQuestion question, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(question);
        var members = new NamedMembers(DomainMembers.Of(datacentre));
        var (from, to) = (Domains(datacentre, question.From), Domains(datacentre, question.To));
        return
        [
            .. from.SelectMany(_ => to, (client, server) => (client, server))
                .Where(pair => pair.client.Ref != pair.server.Ref)
                .SelectMany(pair => Between(datacentre, members, question, pair.client, pair.server, now)),
        ];
    }

    private static IEnumerable<MissingStatement> Between(
        CheckedDatacentre datacentre, NamedMembers members, TraceQuestion question, DomainModel client,
        DomainModel server, DateTimeOffset now)
    {
        var grants = Covering(members, client, client.Grants, server.Ref, question.From, question) is not null;
        var accepts = Covering(members, server, server.Accepts, client.Ref, question.To, question) is not null;
        if (!grants)
        {
            yield return Missing(client, "grants", "to", server, question.From, question);
        }

        if (!accepts)
        {
            yield return Missing(server, "accepts", "from", client, question.To, question);
        }

        foreach (var domain in new[] { client, server }.Where(domain => now >= domain.Expires))
        {
            yield return new MissingStatement(
                domain.Ref, $"{domain.Origin} has expired; a newer revision must be signed.");
        }

        foreach (var conflict in grants && accepts ? FlowMatrix.Of(datacentre).Conflicts : [])
        {
            if (FlowMatrix.Pair(conflict.Judge.Domain.Ref, conflict.Peer.Ref)
                == FlowMatrix.Pair(client.Ref, server.Ref))
            {
                yield return new MissingStatement(conflict.Judge.Domain.Ref, conflict.Sentence);
            }
        }
    }

    /// <summary>The first term that says a domain's side of a connection; null when it is silent.</summary>
    internal static FlowTerm? Covering(
        NamedMembers members, DomainModel domain, ImmutableArray<FlowTerm> terms, DomainRef peer,
        CompartmentRef machine, TraceQuestion question) => terms.FirstOrDefault(term =>
            term.Peer == peer && term.Resource is FlowResource.Network network && network.Protocol == question.Protocol
            && (question.Protocol == FlowProtocol.Icmp
                || network.Ports.Any(range => range.First <= question.Port && question.Port <= range.Last))
            && members.Named(domain, term).Contains(machine));

    /// <summary>The connection as a flow's term writes it: <c>network: {protocol: tcp, ports: [443]}</c>.</summary>
    internal static string Service(TraceQuestion question)
    {
        var ports = question.Protocol == FlowProtocol.Icmp ? "" : string.Create(
            CultureInfo.InvariantCulture, $", ports: [{question.Port}]");
        return $"network: {{protocol: {WireText.Of(question.Protocol)}{ports}}}";
    }

    private static MissingStatement Missing(
        DomainModel domain, string list, string word, DomainModel peer, CompartmentRef machine,
        TraceQuestion question) => Missing(domain, list, word, peer, machine, Service(question));

    /// <summary>What a domain would have to say of its machine and whoever is at the other end.</summary>
    internal static string OfStranger(DomainModel domain, bool isGrant, CompartmentRef machine, string resource)
    {
        var (list, word) = isGrant ? ("grants", "to") : ("accepts", "from");
        return $"{domain.Origin} would need this among its {list}, if it is not there: - {{{word}: TENANT/DOMAIN, "
            + $"machines: [{machine.Name}], {resource}}}";
    }

    /// <summary>What a domain would have to say of its machine and a peer.</summary>
    internal static MissingStatement Missing(
        DomainModel domain, string list, string word, DomainModel peer, CompartmentRef machine, string resource) => new(
            domain.Ref,
            $"{domain.Origin} would need this among its {list}: - {{{word}: {Display.Of(peer)}, "
            + $"machines: [{machine.Name}], {resource}}}");

    private static IEnumerable<DomainModel> Domains(CheckedDatacentre datacentre, CompartmentRef machine) =>
        datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? FlowMatrix.Domains(model).Distinct()
                .Select(domain => datacentre.Domains.GetValueOrDefault(domain.ToString())).OfType<DomainModel>()
            : [];
}
