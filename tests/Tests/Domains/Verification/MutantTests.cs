using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>
/// Rendered tables that are broken on purpose, one thing each: the proof finds every one, and the packet that it shows
/// does in a replay what it says.
/// </summary>
public sealed class MutantTests
{
    private const PacketHook Pre = PacketHook.Prerouting, Forward = PacketHook.Forward, Post = PacketHook.Postrouting;

    /// <summary>What is broken, where, and what stands there instead; the first that is found.</summary>
    private static readonly (string What, string In, string Was, string Becomes)[] Mutants =
    [
        ("no rule for ports of strangers", "domain", "\t\toifgroup & .* counter name strange_port drop\n", ""),
        ("a forged IPv4 source is accepted", "domain",
            "(chain member4 {[\\s\\S]*?)counter name spoofed drop", "$1accept"),
        ("a forged IPv6 source is accepted", "domain",
            "(@sources6 accept\n)\t\tcounter name spoofed drop", "$1\t\taccept"),
        ("everything from members is accepted", "domain", "chain member {\n", "chain member {\n\t\taccept\n"),
        ("everything is accepted first", "domain", "(hook forward priority -200; policy accept;\n)", "$1\t\taccept\n"),
        ("a place is missing", "domain", "(set places {[^{]*{\n)[^\n]*\n", "$1"),
        ("a source is missing", "domain", "(set sources4 {[^{]*{\n)[^\n]*\n", "$1"),
        ("an IPv6 source is missing", "domain", "(set sources6 {[^{]*{\n)[^\n]*\n", "$1"),
        ("a source is another machine's", "domain", "(set sources4 {[^{]*{\n.*)\\.11,", "$1.99,"),
        ("the gateway's MAC is wrong", "domain", "ether saddr 02:..:", "ether saddr 02:ff:"),
        ("source and destination are exchanged", "domain",
            "ip saddr \\. ip daddr @outward4", "ip daddr . ip saddr @outward4"),
        ("the chain of senders stands at another hook", "domain",
            "hook prerouting priority -300", "hook input priority -300"),
        ("the set of sources is not asked", "domain",
            "(chain member4 {[\\s\\S]*?)iifname . ether saddr . ip saddr @sources4 accept",
            "$1ip saddr != 0.0.0.0 accept"),
        ("a DHCP server's answers pass", "domain", "\t\tudp sport 67 counter name rogue drop\n", ""),
        ("what is for DHCPv6 clients passes", "domain", "\t\tudp dport 546 counter name rogue drop\n", ""),
        ("router advertisements of ICMP pass", "domain", "{ redirect, router-advertisement }", "redirect"),
        ("fragments may hide a header", "domain", "43, 44, 51", "43, 51"),
        ("solicitations come from afar", "domain", "(chain solicit {\n.*\n.*)hoplimit 255", "$1hoplimit 254"),
        ("router advertisements pass", "domain", ", nd-router-advert : goto rogue_drop", ""),
        ("ARP's answers are dropped", "domain", "operation { request, reply }", "operation request"),
        ("ARP says another MAC", "domain", "iifname . arp saddr ether . arp saddr ip @sources4 accept", "accept"),
        ("frames go astray", "domain", "\t\tether daddr & 01.* counter name astray drop\n", ""),
        ("the set of places is asked the other way", "domain", "ether daddr != @places", "ether daddr @places"),
        ("tunnels pass frames to tunnels", "domain", "(chain from_tunnel {[^}]*)counter name closed drop", "$1accept"),
        ("questions for the gateway enter the tunnel", "domain",
            "\t\tarp daddr ip @gateway4 counter name closed drop\n", ""),
        ("everything reaches the gateway", "domain", "goto to_gateway", "accept"),
        ("the gateway reaches a machine of no flow", "domain", "ip saddr . ip daddr @inward4 accept", "accept"),
        ("frames reach the host's own stack past the guard and the table", "domain",
            "\t\tiifgroup & .* counter name host drop\n", "|guard|\t\tiifname \"bw\\*\" counter name host drop\n|"),
        ("a dead port speaks", "guard", "\t\tiifgroup 0 .*\n", ""),
        ("a dead port hears", "guard", "\t\toifgroup 0 .*\n", ""),
        ("the host's own stack speaks past the guard and the table", "domain",
            "\t\toifgroup & .* counter name host drop\n", "|guard|\t\toifname \"bw\\*\" counter name host drop\n|"),
        ("a leg is closed", "passage", ": accept,", ": drop,"),
        ("a leg has another's MAC", "passage", "(elements = {\n\t+\"\\w+\" \\. 02:)..", "$1fe"),
        ("ARP passes between gateways", "passage", "ip6 : goto ways }", "ip6 : goto ways, arp : goto ways }"),
        ("legs reach whatever there is", "passage", "\t\tiifgroup \\d+ counter name strange_port drop\n", ""),
        ("a tunnel has another's number", "underlay", "(elements = {\n.* \\. )\\d+,", "${1}7,"),
        ("strange tunnels are heard", "underlay", "\t\tudp dport 4789 counter name strange_tunnel drop\n", ""),
        ("a machine's port speaks as a tunnel", "underlay", "\t\tiifname \"bw\\*\" counter name machine drop\n", ""),
        ("what has no path passes", "gateway", "policy drop;([\\s\\S]*?)counter name strange_path drop",
            "policy accept;$1"),
        ("a port too many", "gateway", "(set tcp4 {[^{]*{\n.*5432),", "$1-5433,"),
        ("a flow is missing", "gateway", "(set tcp4 {[^{]*{\n)[^\n]*\n", "$1"),
        ("a way is missing", "gateway", "(set paths4 {[^{]*{\n)[^\n]*\n", "$1"),
        ("pings are taken for answers", "gateway",
            "echo-request ct direction original", "echo-request ct direction reply"),
        ("anybody tells of faults", "gateway", "\t\tip saddr . ip daddr .* != @ends4 counter name closed drop\n", ""),
        ("faults of new connections only", "gateway", "ct state related goto errors4", "ct state new goto errors4"),
        ("TCP is asked of the flows of UDP", "gateway", "proto-dst @tcp4 accept", "proto-dst @udp4 accept"),
        ("who opened a connection is exchanged with to whom", "gateway",
            "tcp ct original ip saddr . ct original ip daddr", "tcp ct original ip daddr . ct original ip saddr"),
        ("any protocol passes by a flow of TCP", "gateway", "meta l4proto tcp ct", "ct"),
        ("destination unreachable is not heard", "gateway",
            "icmp type destination-unreachable ct state", "icmp type redirect ct state"),
        ("a solicitation comes from afar", "gateway", "nd-neighbor-solicit ip6 hoplimit 255", "nd-neighbor-solicit"),
        ("the gateway says what it likes", "gateway",
            "hook output priority 0; policy drop;\n", "hook output priority 0; policy drop;\n\t\taccept\n"),
        ("an address is not translated as it comes", "gateway", "(map inbound4 {[^{]*{\n)[^\n]*\n", "$1"),
        ("an address is translated to another", "gateway", "(map outbound4 {[^{]*{\n.*)\\.11,", "$1.12,"),
        ("nothing is translated as it leaves", "gateway", "\t\tsnat ip to .*\n", ""),
    ];

    private static readonly CheckedDatacentre Policies = Datacentre(TranslatedExample.Of(Example.ThreeTenants));
    private static readonly HostPlan[] Plans = RefinementProofTests.Plans(Policies);

    public static TheoryData<string> Names => [.. Mutants.Select(mutant => mutant.What)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_broken_rule_is_found_and_its_packet_does_what_is_said(string what)
    {
        var mutant = Mutants.Single(one => one.What == what);
        HostPlan plan = Plans.First(one => Broken(one, mutant) is not null);
        HostRulesets broken = Broken(plan, mutant) ?? throw new InvalidOperationException(what);

        RefinementVerdict verdict = RefinementProof.OfHost(plan.Host, Plans, Policies, _ => broken);

        var refuted = Assert.IsType<RefinementVerdict.Refuted>(verdict);
        Assert.All(refuted.Examples, example =>
        {
            bool passes = Replayed(broken, example);
            Assert.True(
                passes == (example.Difference == Difference.PassesThoughClosed), $"not so: {example.Sentence}");
            Assert.True(
                passes != Replayed(HostRulesets.Of(plan), example), $"the unbroken do the same: {example.Sentence}");
        });
    }

    [Fact]
    public void The_unbroken_tables_are_proven_and_the_mutants_are_many()
    {
        Assert.True(Mutants.Length >= 50, $"{Mutants.Length}");
        Assert.IsType<RefinementVerdict.Proven>(RefinementProof.Of(Plans, Policies));
    }

    /// <summary>The host's tables with one thing broken; null where it has no such thing.</summary>
    private static HostRulesets? Broken(HostPlan plan, (string What, string In, string Was, string Becomes) mutant)
    {
        string own = NftTables.ForHost(plan);
        int underlay = own.IndexOf("table inet", StringComparison.Ordinal);
        List<(string Kind, string Text)> host =
        [
            ("guard", own[..underlay]), ("underlay", own[underlay..]),
            .. plan.Passages.Select(passage => ("passage", NftTables.ForPassage(passage))),
            .. plan.Domains.Select(domain => ("domain", NftTables.ForDomain(domain))),
        ];
        var gateways = plan.Domains.Where(domain => domain.Gateway is not null).ToDictionary(
            domain => domain.Gateway?.Namespace ?? "",
            domain => domain.Gateway is { } gateway ? NftTables.ForGateway(gateway) : "");
        bool isBroken = false;
        if (mutant.In == "gateway")
        {
            foreach (string space in gateways.Keys.Where(_ => !isBroken))
            {
                gateways[space] = Changed(gateways[space], mutant.Was, mutant.Becomes, ref isBroken);
            }
        }

        string[] second = mutant.Becomes.Split('|');
        for (int i = 0; i < host.Count; i++)
        {
            if (host[i].Kind == mutant.In && !isBroken)
            {
                host[i] = (host[i].Kind, Changed(host[i].Text, mutant.Was, second[0], ref isBroken));
            }
        }

        if (second.Length > 1)
        {
            // It takes two to break it.
            host = [.. host.Select(one => one.Kind == second[1]
                ? (one.Kind, Regex.Replace(one.Text, second[2], "")) : one)];
        }

        return !isBroken ? null : new HostRulesets(
            RulesetTextReader.Read(string.Concat(host.Select(one => one.Text))),
            gateways.ToImmutableSortedDictionary(
                pair => pair.Key, pair => RulesetTextReader.Read(pair.Value), StringComparer.Ordinal));
    }

    private static string Changed(string text, string was, string becomes, ref bool isBroken)
    {
        string changed = new Regex(was).Replace(text, becomes, 1);
        isBroken |= changed != text;
        return changed;
    }

    private static bool Replayed(HostRulesets tables, Counterexample example)
    {
        var (family, hooks) = example.Place switch
        {
            ProofPlace.Switch => ("bridge", new[] { Pre, Forward, Post }),
            ProofPlace.IntoHost when example.Namespace is null => ("bridge", [Pre, PacketHook.Input]),
            ProofPlace.FromHost when example.Namespace is null => ("bridge", [PacketHook.Output, Post]),
            ProofPlace.TunnelIn => ("inet", [Pre, PacketHook.Input]),
            ProofPlace.TunnelOut => ("inet", [PacketHook.Output, Post]),
            ProofPlace.IntoHost => ("inet", [PacketHook.Input]),
            ProofPlace.FromHost => ("inet", [PacketHook.Output]),
            ProofPlace.GatewayRequest => ("inet", [Pre, Forward, Post]),
            ProofPlace.GatewayAnswer or ProofPlace.GatewayError => ("inet", [Forward]),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        Ruleset ruleset = RulesetReaderTests.Known(
            example.Namespace is { } space ? tables.Gateways[space] : tables.Host);
        return Origins(ruleset, example).Any(packet =>
        {
            var replay = new ReplayedPacket(ruleset, packet);
            return replay.Passes(family, hooks) && example.Packet
                .Where(field => field.Key is HeaderField.Source4 or HeaderField.Destination4)
                .All(field => replay.Packet[field.Key] == field.Value);
        });
    }

    /// <summary>
    /// The packet with what connection tracking knows of it. The example shows a request as it leaves; it came with its
    /// connection's destination, and from its own address or one that is translated to that.
    /// </summary>
    private static IEnumerable<Dictionary<HeaderField, UInt128>> Origins(Ruleset ruleset, Counterexample example)
    {
        var packet = example.Packet.ToDictionary();
        (HeaderField Field, HeaderField From)[] known = example.Place switch
        {
            ProofPlace.GatewayRequest =>
            [
                (HeaderField.ConnectionSource4, HeaderField.Source4),
                (HeaderField.ConnectionSource6, HeaderField.Source6),
                (HeaderField.ConnectionDestination4, HeaderField.Destination4),
                (HeaderField.ConnectionDestination6, HeaderField.Destination6),
                (HeaderField.ConnectionPort, HeaderField.DestinationPort),
                (HeaderField.ConnectionProtocol, HeaderField.Protocol),
            ],
            ProofPlace.GatewayAnswer =>
            [
                (HeaderField.ConnectionSource4, HeaderField.Destination4),
                (HeaderField.ConnectionSource6, HeaderField.Destination6),
                (HeaderField.ConnectionDestination4, HeaderField.Source4),
                (HeaderField.ConnectionDestination6, HeaderField.Source6),
                (HeaderField.ConnectionPort, HeaderField.SourcePort),
                (HeaderField.ConnectionProtocol, HeaderField.Protocol),
            ],
            _ => [],
        };
        UInt128 leaving = packet.GetValueOrDefault(HeaderField.Source4);
        UInt128[] sources = example.Place == ProofPlace.GatewayRequest
            ? [leaving, .. ruleset.Tables.SelectMany(table => table.Sets.Values)
                .Where(set => set.Name == "outbound4").SelectMany(set => set.Elements)
                .Select(element => element.Parts[1].First)]
            : [leaving];
        foreach (UInt128 source in sources.Distinct())
        {
            var one = packet.ToDictionary();
            if (packet.ContainsKey(HeaderField.Source4))
            {
                one[HeaderField.Source4] = source;
            }

            foreach (var (field, from) in known.Where(pair => one.ContainsKey(pair.From)))
            {
                one.TryAdd(field, one[from]);
            }

            if (example.Place == ProofPlace.GatewayRequest && one.ContainsKey(HeaderField.Destination4))
            {
                one[HeaderField.Destination4] = one[HeaderField.ConnectionDestination4];
            }

            yield return one;
        }
    }
}
