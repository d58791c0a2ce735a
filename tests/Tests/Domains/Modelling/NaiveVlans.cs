using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// Which domain has a VLAN of its own on which segment: by statements alone, for all of the segment's hosts or none.
/// </summary>
internal sealed class NaiveVlans(Sketch said)
{
    /// <summary>The segment whose VLANs both hosts carry; null for none.</summary>
    public SketchedLink? Segment(string one, string other) => said.Links.SingleOrDefault(link =>
        link is { Numbers: not null, IsTrusted: true }
        && Carrying(link).Contains(one) && Carrying(link).Contains(other));

    /// <summary>Whether a domain has one: where the numbers do not suffice, those that come last have none.</summary>
    public bool Has(string domain, SketchedLink segment) => said.Domains.Keys.Where(one => MayHave(one, segment))
        .OrderBy(one => said.Left.Contains(Sketch.TenantOf(one)) ? "~" : Sketch.TenantOf(one), StringComparer.Ordinal)
        .ThenBy(Reference, StringComparer.Ordinal).Take(segment.Numbers?.Length ?? 0).Contains(domain);

    /// <summary>By its reference: the tenant's id, then the name.</summary>
    public static string Reference(string name) =>
        $"{PartyId.Unsigned(Sketch.TenantOf(name))}/{Sketch.LocalOf(name)}";

    private bool MayHave(string domain, SketchedLink segment) => said.Domains[domain] is var statement
        && Carrying(segment).All(host => statement.Countries.Contains(said.Hosts[host].Country))
        && statement.Bandwidth is null
        && statement.Confidentiality switch
        {
            "none" => true,
            "untrusted-links" => !said.Links.Any(link => !link.IsTrusted
                && link.Hosts.Count(host => Carrying(segment).Contains(host)) > 1),
            _ => false,
        };

    private string[] Carrying(SketchedLink link) =>
        [.. link.Hosts.Where(host => said.Hosts.TryGetValue(host, out var one) && one.Vlans == link.Name)];
}
