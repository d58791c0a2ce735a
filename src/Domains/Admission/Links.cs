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
    /// <summary>How a domain's frames pass between two hosts.</summary>
    /// <remarks>
    /// Between two hosts a segment is trusted only if at least one link of the datacentre's operator joins them and
    /// every link that joins them is a trusted segment: nobody knows over which of several a packet goes. The
    /// operator's word counts only for a domain that takes it.
    /// </remarks>
    public static LinkWay Of(CheckedDatacentre datacentre, DomainModel domain, HostModel left, HostModel right)
    {
        if (domain.Network.Confidentiality == NetworkConfidentiality.None)
        {
            return new LinkWay(
                LinkProtection.Clear, $"{Display.Of(domain)} demands no ciphertext between hosts.", [domain.Origin]);
        }

        var between = $"between {Display.Of(left)} and {Display.Of(right)}";
        switch (domain.Network.Confidentiality)
        {
            case NetworkConfidentiality.Always:
                return new LinkWay(
                    LinkProtection.Encrypted,
                    $"{Display.Of(domain)} demands ciphertext on every link, that {between} too.", [domain.Origin]);
            case NetworkConfidentiality.UntrustedLinks:
                break;
            default:
                throw new UnreachableException();
        }

        var links = Joining(datacentre, left, right);
        if (links.IsEmpty)
        {
            return new LinkWay(
                LinkProtection.Encrypted,
                $"No link {between} is stated, so {Display.Of(domain)} takes none for a trusted segment.",
                [domain.Origin]);
        }

        return links.FirstOrDefault(link => link.Medium != LinkMedium.TrustedSegment) is { } untrusted
            ? new LinkWay(
                LinkProtection.Encrypted,
                $"{untrusted.Origin} {between} is untrusted, and {Display.Of(domain)} demands ciphertext there.",
                [domain.Origin, untrusted.Origin])
            : new LinkWay(
                LinkProtection.Clear,
                $"{Display.List(links.Select(link => link.Origin))} {between} is a trusted segment, as "
                + $"{Display.Of(domain)} demands.",
                [domain.Origin, .. links.Select(link => link.Origin)]);
    }

    /// <summary>How frames of several domains pass: encrypted as soon as one of them demands it.</summary>
    public static LinkWay Of(
        CheckedDatacentre datacentre, IEnumerable<DomainModel> domains, HostModel left, HostModel right)
    {
        LinkWay[] ways = [.. domains.Select(domain => Of(datacentre, domain, left, right))];
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

    private static ImmutableArray<LinkModel> Joining(
        CheckedDatacentre datacentre, HostModel left, HostModel right) =>
    [
        .. datacentre.Index.Links(left.Ref).Where(link =>
            datacentre.Index.Links(right.Ref).Any(other => ReferenceEquals(other, link))),
    ];
}
