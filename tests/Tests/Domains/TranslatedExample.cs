using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains;

/// <summary>
/// The example with flows between the bank's web and the hospital's records, which have the same subnets and agree by
/// what each knows the other's machines.
/// </summary>
internal static class TranslatedExample
{
    public const string Web = "bank/web.yaml";
    public const string Records = "hospital/records.yaml";
    public const string WebClause =
        "    - {with: hospital/records, own: [100.64.8.0/24, \"fd64:8::/64\"], "
        + "peer: [100.64.9.0/24, \"fd64:9::/64\"]}\n";
    public const string RecordsClause =
        "    - {with: bank/web, own: [100.64.9.0/24, \"fd64:9::/64\"], peer: [100.64.8.0/24, \"fd64:8::/64\"]}\n";

    /// <summary>With the flows and both clauses.</summary>
    public static Example Of(Example example) => With(example, WebClause, RecordsClause);

    /// <summary>With the flows, and these clauses; empty for none.</summary>
    public static Example With(Example example, string web, string records) => example
        .With(Web, "  accepts: []\n", "    - {to: hospital/records, network: {protocol: tcp, ports: [5432]}}\n"
            + "    - {to: hospital/records, network: {protocol: udp, ports: [5353]}}\n"
            + "    - {to: hospital/records, network: {protocol: icmp}}\n"
            + "  accepts:\n    - {from: hospital/records, network: {protocol: tcp, ports: [8080]}}\n" + Nat(web))
        .With(Records, "  grants: []\n  accepts: []\n",
            "  grants:\n    - {to: bank/web, network: {protocol: tcp, ports: [8080]}}\n"
            + "  accepts:\n    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n"
            + "    - {from: bank/web, network: {protocol: udp, ports: [5353]}}\n"
            + "    - {from: bank/web, network: {protocol: icmp}}\n" + Nat(records));

    private static string Nat(string clause) => clause.Length == 0 ? "" : "  nat:\n" + clause;
}
