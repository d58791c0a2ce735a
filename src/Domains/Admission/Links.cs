using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>Whether a domain's frames may pass between two hosts in clear.</summary>
internal static class Links
{
    /// <summary>Null if they may, otherwise why not and by whose word.</summary>
    /// <remarks>
    /// Between two hosts a segment is trusted only if at least one link of the datacentre's operator joins them and
    /// every link that joins them is a trusted segment: nobody knows over which of several a packet goes.
    /// </remarks>
    public static (string Sentence, StatementOrigin Because)? Objection(
        CheckedDatacentre datacentre, DomainModel domain, HostModel left, HostModel right)
    {
        if (left.Ref == right.Ref)
        {
            return null;
        }

        var between = $"between {Display.Of(left)} and {Display.Of(right)}";
        switch (domain.Network.Confidentiality)
        {
            case NetworkConfidentiality.None:
                return null;
            case NetworkConfidentiality.Always:
                return ($"{domain.Origin} demands that traffic between hosts is always ciphertext, and links {between} "
                    + "are not encrypted yet: keep its machines on one host.", domain.Origin);
            case NetworkConfidentiality.UntrustedLinks:
                break;
            default:
                throw new UnreachableException();
        }

        var links = Joining(datacentre, left, right);
        if (links.IsEmpty)
        {
            return ($"{domain.Origin} demands ciphertext on links that are not trusted segments, and no link "
                + $"{between} is "
                + "stated; links are not encrypted yet: keep its machines on one host.", domain.Origin);
        }

        var untrusted = links.FirstOrDefault(link => link.Medium != LinkMedium.TrustedSegment);
        return untrusted is null
            ? null
            : ($"{domain.Origin} demands ciphertext on links that are not trusted segments, {untrusted.Origin} "
                + $"{between} "
                + "is untrusted, and links are not encrypted yet: keep its machines on one host.", domain.Origin);
    }

    /// <summary>The links of the datacentre's operator that join two hosts, by name.</summary>
    public static ImmutableArray<LinkModel> Joining(CheckedDatacentre datacentre, HostModel left, HostModel right) =>
    [
        .. datacentre.Inventory.Links
            .Where(link => link.Operator == datacentre.Datacentre?.Id
                && link.Hosts.Contains(left.Ref) && link.Hosts.Contains(right.Ref))
            .OrderBy(link => link.Name),
    ];
}
