using System.Globalization;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Tracing;

/// <summary>
/// The example's domains with flows, machines in them, links, demands and places drawn by a seed. Two of the domains
/// have the same addresses, so some flows that both sides want stay closed.
/// </summary>
internal sealed partial class RandomDatacentre
{
    private static readonly string[] Ports = ["80", "443", "5432", "\"8000-8010\"", "\"79-81\"", "\"1-65535\""];

    private static readonly (string File, string Domain, string[] Machines)[] Sides =
    [
        ("hospital/records.yaml", "hospital/records", ["records-1", "records-2"]),
        ("bank/web.yaml", "bank/web", ["web-1", "web-2"]),
        ("bank/ledger.yaml", "bank/ledger", ["ledger-1", "ledger-2"]),
        ("regulator/inspection.yaml", "regulator/inspection", ["inspector-1"]),
    ];

    public RandomDatacentre(int seed)
    {
        var random = new Random(seed);
        Example example = Example.ThreeTenants;
        foreach (var (file, domain, machines) in Sides)
        {
            string text = Flows().Replace(
                example.Files[file], $"flows:\n  grants:\n{Terms(random, domain, machines, "to")}  accepts:\n"
                + $"{Terms(random, domain, machines, "from")}---", 1);
            text = Placement().Replace(text, "placement: {}")
                .Replace("jurisdictions: [CH]", "jurisdictions: [CH, DE]", StringComparison.Ordinal)
                .Replace("confidentiality: untrusted-links", $"confidentiality: {Pick(random, Confidentialities)}",
                    StringComparison.Ordinal);
            example = example.WithFile(file, text);
        }

        if (random.Next(2) == 0)
        {
            example = example.With("alpine/hosts.yaml", "medium: trusted-segment", "medium: untrusted");
        }

        Datacentre = Datacentre(example);
        Proposals =
        [
            .. All.Where(_ => random.Next(20) > 0).Select(one => new PlacementProposal(
                one.Compartment, Host($"host-{random.Next(3) + 1}"), Running: true)),
        ];
        Plans = [.. Enumerable.Range(1, 3).Select(number =>
            Refine.ForHost(Datacentre, Proposals, Host($"host-{number}"), Now))];
    }

    public CheckedDatacentre Datacentre { get; }

    public PlacementProposal[] Proposals { get; }

    public HostPlan[] Plans { get; }

    private static string[] Confidentialities { get; } = ["none", "untrusted-links", "always"];

    /// <summary>The volume that is lent stays lent, so that the machine it belongs to is admitted.</summary>
    private static string Terms(Random random, string domain, string[] machines, string word)
    {
        var lines = new List<string>();
        if ((domain, word) is ("bank/ledger", "to"))
        {
            lines.Add("{to: regulator/inspection, volume: {name: ledger-archive, access: read}}");
        }

        if ((domain, word) is ("regulator/inspection", "from"))
        {
            lines.Add("{from: bank/ledger, volume: {name: ledger-archive, access: read}}");
        }

        foreach (var peer in Sides.Select(side => side.Domain).Where(peer => peer != domain))
        {
            for (int count = random.Next(3); count > 0; count--)
            {
                var named = random.Next(3) == 0 ? $"machines: [{Pick(random, machines)}], " : "";
                var network = random.Next(5) == 0 ? "{protocol: icmp}" : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{{protocol: {(random.Next(4) == 0 ? "udp" : "tcp")}, ports: [{Pick(random, Ports)}]}}");
                lines.Add($"{{{word}: {peer}, {named}network: {network}}}");
            }
        }

        return lines.Count == 0 ? "    []\n" : string.Concat(lines.Distinct().Select(line => $"    - {line}\n"));
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];

    [GeneratedRegex("flows:\n(.*\n)*?---")]
    private static partial Regex Flows();

    [GeneratedRegex("placement: \\{[^\n]*\\}")]
    private static partial Regex Placement();
}
