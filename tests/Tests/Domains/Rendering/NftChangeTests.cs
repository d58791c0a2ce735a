using Bailiwick.Benchmarks.Networking;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Fakes;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Rendering;

/// <summary>What one machine changes is a few elements, and they make of the one table the other.</summary>
public sealed class NftChangeTests
{
    private static readonly DomainPlan Whole = new LargeDomain(40, 4).Plan();

    [Fact]
    public void Nothing_changes_between_equal_texts()
    {
        NftChange? change = NftChange.Between(NftTables.ForDomain(Whole), NftTables.ForDomain(Whole));

        Assert.Equal(new NftChange("", 0), change);
    }

    [Fact]
    public void A_member_on_another_host_is_four_elements()
    {
        DomainPlan more = new LargeDomain(41, 4).Plan();

        NftChange? change = NftChange.Between(NftTables.ForDomain(Whole), NftTables.ForDomain(more));

        string mac = LargeDomain.Mac(40);
        string raw = "0x" + mac.Replace(":", "", StringComparison.Ordinal);
        Assert.NotNull(change);
        Assert.Equal(4, change.Elements);
        Assert.Contains(
            $"add element bridge {LargeDomain.Table} sources4 {{ \"{LargeDomain.Vxlan}\" . {mac} . "
            + $"{LargeDomain.Ipv4(40)} }}\n", change.Commands, StringComparison.Ordinal);
        Assert.Equal(2, change.Commands.Split(
            $"add element bridge {LargeDomain.Table} sources6 {{ \"{LargeDomain.Vxlan}\" . {raw} . ").Length - 1);
    }

    [Theory]
    [InlineData(40, 4, 41, 4)]
    [InlineData(40, 4, 39, 4)]
    [InlineData(40, 4, 41, 5)]
    [InlineData(40, 4, 36, 3)]
    [InlineData(40, 4, 40, 1)]
    [InlineData(200, 100, 700, 2)]
    [InlineData(900, 4, 901, 4)]
    [InlineData(900, 4, 899, 5)]
    public void The_change_makes_of_the_one_table_the_other(int members, int here, int thenMembers, int thenHere)
    {
        DomainPlan was = new LargeDomain(members, here).Plan(), becomes = new LargeDomain(thenMembers, thenHere).Plan();
        string before = NftTables.ForDomain(was), after = NftTables.ForDomain(becomes);
        FakeNetwork changed = new(), fresh = new();
        changed.Load("-", before);
        fresh.Load("-", after);
        Assert.NotEqual(fresh.Tables.Values.Single(), changed.Tables.Values.Single());

        NftChange? change = NftChange.Between(before, after);

        Assert.NotNull(change);
        Assert.Equal(change, NftChange.Between(was, becomes));
        changed.Load("-", change.Commands);
        Assert.Equal(fresh.Tables.Values.Single(), changed.Tables.Values.Single());
    }

    [Fact]
    public void Plans_differ_in_what_their_texts_differ_in()
    {
        // Each domain of the example, with each of its members elsewhere, other, or gone.
        DomainPlan[] plain = [.. Enumerable.Range(1, 3).SelectMany(number =>
            Refine.ForHost(Datacentre(), All, Host($"host-{number}"), Now).Domains)];
        DomainPlan[] plans = [.. plain, .. plain.Select(p => p with { AddressServer = p.Network.Ports[0].Member })];
        int compared = 0;
        foreach (DomainPlan plan in plans)
        {
            foreach (DomainPlan other in Others(plan).Append(plan))
            {
                NftChange? texts = NftChange.Between(NftTables.ForDomain(plan), NftTables.ForDomain(other));
                Assert.Equal(texts, NftChange.Between(plan, other));
                Assert.Equal(
                    NftChange.Between(NftTables.ForDomain(other), NftTables.ForDomain(plan)),
                    NftChange.Between(other, plan));
                compared += texts is { Elements: > 0 } ? 1 : 0;
            }
        }

        Assert.InRange(compared, 10, 1000);
    }

    private static IEnumerable<DomainPlan> Others(DomainPlan plan)
    {
        NetworkPlan network = plan.Network;
        MemberPlan[] members = [.. network.Ports.Select(p => p.Member), .. network.Peers.SelectMany(p => p.Members)];
        foreach (MemberPlan member in members)
        {
            yield return plan with { AddressServer = member };
        }

        foreach (LocalPort port in network.Ports)
        {
            yield return plan with { Network = network with { Ports = network.Ports.Remove(port) } };
            yield return plan with
            {
                Network = network with
                {
                    Ports = network.Ports.Replace(port, port with { Member = port.Member with { Ipv4 = "10.9.9.9" } }),
                },
            };
        }

        foreach (PeerPlan peer in network.Peers)
        {
            // The same host twice, and its members at another host too: no plan of ours, and no reason to be wrong.
            PeerPlan elsewhere = peer with { UnderlayIpv4 = "10.99.0.77", Members = peer.Members[..1] };
            yield return plan with { Network = network with { Peers = network.Peers.Add(elsewhere) } };
            yield return plan with { Network = network with { Peers = network.Peers.Insert(0, elsewhere) } };
            yield return plan with { Network = network with { Peers = network.Peers.Add(peer) } };
            yield return plan with { Network = network with { Peers = network.Peers.Add(elsewhere with
            {
                Host = new HostRef(peer.Host.Operator, StatementName.Parse("host-77")),
            }) } };
            yield return plan with { Network = network with { Peers = network.Peers.Remove(peer) } };
            PeerPlan turned = peer with
            {
                Protection = peer.Protection == LinkProtection.Clear ? LinkProtection.Encrypted : LinkProtection.Clear,
            };
            yield return plan with { Network = network with { Peers = network.Peers.Replace(peer, turned) } };
        }
    }

    [Fact]
    public void What_was_compared_is_compared_once()
    {
        WantedRules was = new(Whole), becomes = new(new LargeDomain(41, 4).Plan());

        NftChange? change = becomes.ChangeFrom(was);

        Assert.Equal(4, change?.Elements);
        Assert.Same(change, becomes.ChangeFrom(was));
        Assert.Equal(8, becomes.ChangeFrom(new WantedRules(new LargeDomain(39, 4).Plan()))?.Elements);
        Assert.Equal(change, becomes.ChangeFrom(was));
    }

    [Fact]
    public void A_change_of_anything_but_elements_needs_the_whole_text()
    {
        string before = NftTables.ForDomain(Whole);
        foreach (string after in (string[])
            [
                NftTables.ForDomain(new LargeDomain(4, 4).Plan()),
                before.Replace("counter name spoofed drop", "accept", StringComparison.Ordinal),
                before.Replace("set places", "set spaces", StringComparison.Ordinal),
                before.Replace("ifname . ether_addr\n", "iface_index . ether_addr\n", StringComparison.Ordinal),
                before[..^2],
                "",
            ])
        {
            Assert.NotEqual(before, after);
            Assert.Null(NftChange.Between(before, after));
            Assert.Null(NftChange.Between(after, before));
        }
    }

    [Fact]
    public void What_gets_another_verdict_goes_before_it_comes_again()
    {
        const string text = "table bridge t {\n\tmap m {\n\t\ttype ifname : verdict\n\t\telements = {\n"
            + "\t\t\t\"a\" : accept,\n\t\t}\n\t}\n}\n";

        NftChange? change = NftChange.Between(text, text.Replace("accept", "drop", StringComparison.Ordinal));

        Assert.Equal(
            new NftChange(
                "delete element bridge t m { \"a\" : accept }\nadd element bridge t m { \"a\" : drop }\n", 2),
            change);
    }
}
