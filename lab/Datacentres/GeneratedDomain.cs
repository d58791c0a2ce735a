using System.Globalization;
using System.Text;

namespace Bailiwick.Lab.Datacentres;

/// <summary>One domain of a <see cref="GeneratedDatacentre"/>, and its statement.</summary>
internal sealed class GeneratedDomain(int number, int tenant, int size, uint firstAddress, int prefixLength)
{
    /// <summary>Terms of one side that a statement may have, less some room for those that a change adds.</summary>
    private const int MostTerms = 240;

    public int Number => number;

    public int Tenant => tenant;

    /// <summary>How many machines have their first port in it.</summary>
    public int Size => size;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"d{number:00000}");

    public string Reference => $"{GeneratedDatacentre.TenantName(tenant)}/{Name}";

    /// <summary>Members, by their first port or another.</summary>
    public List<int> Machines { get; } = [];

    /// <summary>Some of its machines, by which flow terms name them.</summary>
    public List<int> Group { get; } = [];

    public string Confidentiality { get; init; } = "none";

    /// <summary>Whether hosts in both countries are accepted, or those of the first alone.</summary>
    public bool IsAnywhere { get; init; } = true;

    public bool HasIpv6 { get; init; }

    public int ReservedCpus { get; init; }

    public List<string> Grants { get; } = [];

    public List<string> Accepts { get; } = [];

    /// <summary>Domains with which every machine of both has a flow: one may have a port in each.</summary>
    public List<GeneratedDomain> Open { get; } = [];

    public bool CanAccept => Accepts.Count < MostTerms;

    public bool CanGrant => Grants.Count < MostTerms;

    /// <summary>The address of a port, by its place among the domain's ports.</summary>
    public string Nic(int place)
    {
        var address = firstAddress + 10 + (uint)place;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{{domain: {Name}, ipv4: {Ipv4(address)}");
        return text + (HasIpv6
            ? string.Create(CultureInfo.InvariantCulture, $", ipv6: \"fd20:{number + 1:x}::{place + 16:x}\"}}") : "}");
    }

    /// <summary>Its statement, with these terms beside its own.</summary>
    public void Write(StringBuilder text, IEnumerable<string> furtherGrants, IEnumerable<string> furtherAccepts)
    {
        var six = HasIpv6 ? string.Create(CultureInfo.InvariantCulture, $", \"fd20:{number + 1:x}::/64\"") : "";
        var network = string.Create(
            CultureInfo.InvariantCulture, $"confidentiality: {Confidentiality}, number: {number + 1}");
        text.Append(CultureInfo.InvariantCulture, $$"""
            kind: Domain
            name: {{Name}}
            legalOwner: {name: "Generated {{tenant}}", jurisdiction: CH}
            expires: 2036-01-01T00:00:00Z
            hosts:
              operators: [{{GeneratedDatacentre.Operator}}]
              assurance: [tpm]
              jurisdictions: [{{(IsAnywhere ? "CH, DE" : "CH")}}]
              vendors: {file: vendors.pem}
            machines: {images: [guest]}
            network: {subnets: [{{Ipv4(firstAddress)}}/{{prefixLength}}{{six}}], {{network}}}
            storage: {confidentiality: required}
            quota: {machines: 10000, cpus: 40000, memoryMiB: 67108864, storageMiB: 16777216}
            reservation: {cpus: {{ReservedCpus}}, memoryMiB: 0}
            approvals: {takeover: 1}
            groups: {front: [{{string.Join(", ", Group.Select(GeneratedDatacentre.MachineName))}}]}
            flows:

            """);
        List(text, "grants", [.. Grants, .. furtherGrants]);
        List(text, "accepts", [.. Accepts, .. furtherAccepts]);
    }

    private static void List(StringBuilder text, string name, IReadOnlyList<string> terms)
    {
        text.Append("  ").Append(name).Append(terms.Count == 0 ? ": []\n" : ":\n");
        foreach (var term in terms)
        {
            text.Append("    - ").Append(term).Append('\n');
        }
    }

    private static string Ipv4(uint address) => string.Create(
        CultureInfo.InvariantCulture,
        $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}");
}
