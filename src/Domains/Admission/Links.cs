using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>How frames pass between two hosts. A closed set.</summary>
public enum LinkProtection
{
    /// <summary>As they are: the wire is trusted, or nobody demands more.</summary>
    Clear = 1,

    /// <summary>As ciphertext under keys that the two hosts made.</summary>
    Encrypted,

    /// <summary>As they are, in a VLAN of a trusted segment that is the domain's alone.</summary>
    Vlan,
}

/// <summary>How a domain's frames pass between two hosts, and by whose word.</summary>
/// <param name="Protection">How.</param>
/// <param name="Sentence">Why, as a whole sentence.</param>
/// <param name="Because">The statements that make it so.</param>
internal sealed record LinkWay(
    LinkProtection Protection, string Sentence, ImmutableArray<StatementOrigin> Because);

/// <summary>What the links between two hosts mean to a domain.</summary>
internal static class Links
{
    /// <summary>How a domain's frames pass between two hosts that these links join.</summary>
    /// <remarks>
    /// Between two hosts a segment is trusted only if at least one link of the datacentre's operator joins them and
    /// every link that joins them is a trusted segment: nobody knows over which of several a packet goes. The
    /// operator's word counts only for a domain that takes it. The sentence names no host, so that it is the same for
    /// all that the same links join.
    /// </remarks>
    public static LinkWay Of(DomainModel domain, ImmutableArray<LinkModel> links)
    {
        var name = Display.Of(domain);
        switch (domain.Network.Confidentiality)
        {
            case NetworkConfidentiality.None:
                return new LinkWay(
                    LinkProtection.Clear, $"{name} demands no ciphertext between hosts.", [domain.Origin]);
            case NetworkConfidentiality.Always:
                return new LinkWay(
                    LinkProtection.Encrypted, $"{name} demands ciphertext on every link.", [domain.Origin]);
            case NetworkConfidentiality.UntrustedLinks:
                break;
            default:
                throw new UnreachableException();
        }

        if (links.IsEmpty)
        {
            return new LinkWay(
                LinkProtection.Encrypted,
                $"No link between the two hosts is stated, so {name} takes none for a trusted segment.",
                [domain.Origin]);
        }

        return links.FirstOrDefault(link => link.Medium != LinkMedium.TrustedSegment) is { } untrusted
            ? new LinkWay(
                LinkProtection.Encrypted,
                $"{untrusted.Origin} joins the two hosts and is untrusted, and {name} demands ciphertext there.",
                [domain.Origin, untrusted.Origin])
            : new LinkWay(
                LinkProtection.Clear,
                $"What joins the two hosts, {Display.List(links.Select(link => link.Origin))}, is a trusted segment, "
                + $"as {name} demands.",
                [domain.Origin, .. links.Select(link => link.Origin)]);
    }

    /// <summary>How frames of several domains pass: encrypted as soon as one of them demands it.</summary>
    public static LinkWay Of(IEnumerable<DomainModel> domains, ImmutableArray<LinkModel> links)
    {
        LinkWay[] ways = [.. domains.Select(domain => Of(domain, links))];
        LinkWay[] demanding = [.. ways.Where(way => way.Protection == LinkProtection.Encrypted)];
        LinkWay[] deciding = demanding.Length > 0 ? demanding : ways;
        return new LinkWay(
            deciding[0].Protection, string.Join(" ", deciding.Select(way => way.Sentence).Distinct()),
            [.. deciding.SelectMany(way => way.Because).Distinct()]);
    }

    /// <summary>A stated link that is untrusted and joins two or more of these hosts; null for none.</summary>
    public static LinkModel? Untrusted(CheckedDatacentre datacentre, IReadOnlyCollection<HostModel> hosts)
    {
        var all = hosts.Select(host => host.Ref).ToHashSet();
        return datacentre.Inventory.Links
            .Where(link => link.Operator == datacentre.Datacentre?.Id && link.Medium != LinkMedium.TrustedSegment
                && link.Hosts.Count(all.Contains) > 1)
            .OrderBy(link => link.Name).FirstOrDefault();
    }
}
