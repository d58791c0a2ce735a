using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>Keys of encrypted tunnels: made, exchanged, and used only with hosts that were accepted.</summary>
public sealed class TunnelKeeperTests
{
    private const string Segment = "0011223344";
    private const string PeerAddress = "10.99.0.12";
    private static readonly PartyId Party = PartyId.Unsigned("alpine");
    private static readonly HostRef Peer = new(Party, StatementName.Parse("host-2"));
    private static readonly DomainRef Domain = new(PartyId.Unsigned("bank"), StatementName.Parse("web"));
    private static readonly EncryptedTunnels Tunnels = new(Segment,
    [
        new("bws00112233440", "bww00112233440", "bwy00112233440", InnerAddress.Of("10.99.0.11", 0)),
        new("bws00112233441", "bww00112233441", "bwy00112233441", InnerAddress.Of("10.99.0.11", 1)),
    ]);

    // What a switch that is brought for the first time has removed of leftovers before it makes anything.
    private const int Removals = 4;

    private readonly FakeHost _host = new();
    private readonly PeerTunnelKeys _peers = new();
    private readonly MovedClock _time = new();
    private readonly TunnelKeeper _keeper;

    public TunnelKeeperTests() => _keeper = new TunnelKeeper(new WireGuardTools(_host), _peers, _time);

    private FakeWireGuard Wires => _host.Network.WireGuard;

    [Fact]
    public void Before_a_peers_key_is_known_a_key_of_its_own_stands_and_nobody_is_reached()
    {
        StandingTunnels standing = Bring();

        Assert.Equal([0], standing.Generations);
        Assert.Empty(standing.Ways);
        (string space, FakeInterface made) = Wires.All["bww00112233440"];
        Assert.Equal("bws00112233440", space);
        Assert.Empty(made.Peers);
        TunnelKey named = Assert.Single(_keeper.Named([Segment]));
        Assert.Equal(new TunnelKey(Segment, 0, made.Port, made.Key), named);
        Assert.Empty(_keeper.Named(["ffffffffff"]));
    }

    [Fact]
    public void A_peer_is_reached_by_the_key_it_named_from_its_own_address_alone_and_no_longer_when_it_is_forgotten()
    {
        Bring();
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);

        StandingTunnels standing = Bring();
        var peer = Assert.Single(Wires.All["bww00112233440"].Made.Peers);
        _peers.Forget(Peer, Domain);
        StandingTunnels after = Bring();

        Assert.Equal(Key(0, 5000, 1).Key, peer.Key);
        Assert.Equal(($"{PeerAddress}:5000", InnerAddress.Of(PeerAddress, 0) + "/128"), peer.Value);
        Assert.Equal(new TunnelWay(0, InnerAddress.Of(PeerAddress, 0)), standing.Ways[Peer]);
        Assert.Empty(after.Ways);
        Assert.Empty(Wires.All["bww00112233440"].Made.Peers);
    }

    [Fact]
    public void A_key_that_was_accepted_for_another_domain_or_switch_reaches_nobody()
    {
        DomainRef other = new(PartyId.Unsigned("hospital"), StatementName.Parse("records"));
        _peers.Take(Peer, other, [Key(0, 5000, 1)]);
        _peers.Take(Peer, Domain, [Key(0, 5000, 1) with { Segment = "ffffffffff" }]);
        Assert.Empty(Bring().Ways);

        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        Assert.Single(Bring().Ways);
    }

    [Fact]
    public void A_new_pair_stands_and_is_named_before_the_old_one_goes()
    {
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        Bring();
        string old = Wires.All["bww00112233440"].Made.Key;

        _time.Move(TunnelRotation.Lifetime.TotalSeconds);
        StandingTunnels both = Bring();
        Assert.Equal([0, 1], both.Generations);
        Assert.Equal(2, _keeper.Named([Segment]).Length);
        Assert.Equal(0, both.Ways[Peer].Generation);
        Wires.Heard.Add(Key(0, 5000, 1).Key);
        Assert.Equal(1, Bring().Ways[Peer].Generation);

        _time.Move(TunnelRotation.Overlap.TotalSeconds);
        Assert.Equal([0, 1], Bring().Generations);
        TunnelKey named = Assert.Single(_keeper.Named([Segment]));
        Assert.Equal((1, true), (named.Generation, named.Key != old));

        _time.Move(TunnelRotation.Grace.TotalSeconds);
        Assert.Equal([1], Bring().Generations);
        Assert.Equal(["bww00112233441"], Wires.All.Keys);
        Assert.DoesNotContain("bws00112233440", _host.Network.Namespaces);
    }

    [Fact]
    public void The_pair_is_exchanged_when_a_peer_leaves_and_not_when_one_comes()
    {
        HostRef third = new(Party, StatementName.Parse("host-3"));
        Bring();
        Assert.Equal([0], Bring(Member(Peer, PeerAddress), Member(third, "10.99.0.13")).Generations);
        Assert.Equal([0, 1], Bring(Member(third, "10.99.0.13")).Generations);
    }

    [Fact]
    public void A_peer_that_names_two_pairs_is_sent_to_as_before_until_it_names_the_new_one_alone()
    {
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        Bring();
        _peers.Take(Peer, Domain, [Key(0, 5000, 1), Key(1, 5001, 2)]);
        StandingTunnels both = Bring();
        _peers.Take(Peer, Domain, [Key(1, 5001, 2)]);
        StandingTunnels after = Bring();

        Assert.Equal(InnerAddress.Of(PeerAddress, 0), both.Ways[Peer].Address);
        Assert.Equal(InnerAddress.Of(PeerAddress, 1), after.Ways[Peer].Address);

        // What was sent to until now goes once nothing is sent to it any more.
        Assert.Equal(
            [Key(0, 5000, 1).Key, Key(1, 5001, 2).Key],
            Wires.All["bww00112233440"].Made.Peers.Keys.Order(StringComparer.Ordinal));
        Bring();
        Assert.Equal([Key(1, 5001, 2).Key], Wires.All["bww00112233440"].Made.Peers.Keys);
    }

    [Fact]
    public void A_peer_that_is_not_accepted_any_more_and_a_key_in_the_place_of_another_are_gone_at_once()
    {
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        Bring();
        _peers.Take(Peer, Domain, [Key(0, 5001, 2)]);
        Bring();
        Assert.Equal([Key(0, 5001, 2).Key], Wires.All["bww00112233440"].Made.Peers.Keys);

        _peers.Forget(Peer, Domain);
        Bring();
        Assert.Empty(Wires.All["bww00112233440"].Made.Peers);
    }

    [Fact]
    public void What_a_predecessor_left_stands_on_and_an_interface_that_vanished_is_made_anew()
    {
        Bring();
        string key = Wires.All["bww00112233440"].Made.Key;
        var successor = new TunnelKeeper(new WireGuardTools(_host), _peers, _time);
        List<EncryptedTunnel> vanished = [];
        successor.Vanished = vanished.Add;
        successor.Bring(Tunnels, [Member(Peer, PeerAddress)]);
        Assert.Equal(key, Wires.All["bww00112233440"].Made.Key);
        Assert.Empty(vanished);

        Wires.Clear();
        successor.Bring(Tunnels, [Member(Peer, PeerAddress)]);
        Assert.NotEqual(key, Wires.All["bww00112233440"].Made.Key);
        Assert.Equal([Tunnels.Generations[0]], vanished);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Whatever_step_its_maker_died_before_a_successor_has_one_whole_pair(int step)
    {
        _host.DieAt = step + Removals;
        if (step < 8)
        {
            Assert.Throws<MachineDiedException>(() => Bring());
        }
        else
        {
            Bring();
        }

        _host.DieAt = 0;
        var successor = new TunnelKeeper(new WireGuardTools(_host), _peers, _time);
        Assert.Equal([0], successor.Bring(Tunnels, [Member(Peer, PeerAddress)]).Generations);
        Assert.Equal(["bws00112233440"], _host.Network.Namespaces);
        Assert.True(TunnelKey.IsKey(Wires.All["bww00112233440"].Made.Key));
        Assert.True(Assert.Single(successor.Named([Segment])).IsWellFormed);
    }

    [Fact]
    public void A_predecessor_that_died_between_two_pairs_leaves_one()
    {
        Bring();
        _time.Move(TunnelRotation.Lifetime.TotalSeconds);
        Assert.Equal([0, 1], Bring().Generations);
        var successor = new TunnelKeeper(new WireGuardTools(_host), _peers, _time);

        Assert.Equal([0], successor.Bring(Tunnels, [Member(Peer, PeerAddress)]).Generations);
        Assert.Equal(["bww00112233440"], Wires.All.Keys);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void What_cannot_be_made_leaves_nothing_and_is_made_at_the_next_try(int step)
    {
        _host.FailAt = step + Removals;
        Assert.Throws<WorldException>(() => Bring());
        Assert.Empty(_host.Network.Namespaces);
        Assert.Empty(Wires.All);

        _host.FailAt = 0;
        Assert.Equal([0], Bring().Generations);
    }

    [Fact]
    public void A_pair_that_cannot_be_exchanged_stays_in_use_and_the_exchange_is_tried_again()
    {
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        Bring();
        string key = Assert.Single(_keeper.Named([Segment])).Key;
        _host.Refuses = argv => argv.Contains("netns add bws00112233441", StringComparison.Ordinal);
        _time.Move(TunnelRotation.Lifetime.TotalSeconds);
        for (int turn = 0; turn < 5; turn++)
        {
            Assert.Throws<WorldException>(() => Bring());
            Assert.Equal([0], _keeper.Standing(Tunnels).Generations);
            Assert.Equal(0, _keeper.Standing(Tunnels).Ways[Peer].Generation);
            Assert.Equal(key, Assert.Single(_keeper.Named([Segment])).Key);
            _time.Move(TunnelRotation.Overlap.TotalSeconds);
        }

        _host.Refuses = _ => false;
        Assert.Equal([0, 1], Bring().Generations);
        Assert.Equal(2, _keeper.Named([Segment]).Length);

        // Once more when both stand and the newest is lost: who sends by it sends by the former again.
        Wires.Heard.Add(Key(0, 5000, 1).Key);
        Assert.Equal(1, Bring().Ways[Peer].Generation);
        _host.Network.Namespaces.Remove("bws00112233441");
        _host.Refuses = argv => argv.Contains("netns add bws00112233441", StringComparison.Ordinal);
        Assert.Throws<WorldException>(() => Bring());
        Assert.Equal([0], _keeper.Standing(Tunnels).Generations);
        Assert.Equal(0, _keeper.Standing(Tunnels).Ways[Peer].Generation);
        Assert.Equal(key, Assert.Single(_keeper.Named([Segment])).Key);
    }

    [Fact]
    public void Who_cannot_be_made_a_peer_is_not_reached_and_all_others_are()
    {
        HostRef third = new(Party, StatementName.Parse("host-3"));
        EncryptedPeer[] members = [Member(Peer, PeerAddress), Member(third, "10.99.0.13")];
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        _peers.Take(third, Domain, [Key(0, 5000, 2)]);
        _host.Refuses = argv => argv.Contains($"{PeerAddress}:5000", StringComparison.Ordinal);
        Assert.Throws<WorldException>(() => Bring(members));
        Assert.Equal([third], _keeper.Standing(Tunnels).Ways.Keys);
        Assert.Equal([0], _keeper.Standing(Tunnels).Generations);
        Assert.Single(_keeper.Named([Segment]));

        _host.Refuses = _ => false;
        Assert.Equal(2, Bring(members).Ways.Count);
    }

    [Fact]
    public void Nobody_is_reached_by_an_interface_from_which_a_peer_cannot_be_taken()
    {
        HostRef third = new(Party, StatementName.Parse("host-3"));
        EncryptedPeer[] members = [Member(Peer, PeerAddress), Member(third, "10.99.0.13")];
        _peers.Take(Peer, Domain, [Key(0, 5000, 1)]);
        _peers.Take(third, Domain, [Key(0, 5000, 2)]);
        Assert.Equal(2, Bring(members).Ways.Count);

        _peers.Forget(Peer, Domain);
        _host.Refuses = argv => argv.EndsWith(" remove", StringComparison.Ordinal);
        Assert.Throws<WorldException>(() => Bring(members));
        Assert.Empty(_keeper.Standing(Tunnels).Generations);
        Assert.Empty(_keeper.Named([Segment]));

        _host.Refuses = _ => false;
        Assert.Equal([third], Bring(members).Ways.Keys);
        Assert.Single(Wires.All["bww00112233440"].Made.Peers);
    }

    private StandingTunnels Bring(params EncryptedPeer[] members) =>
        _keeper.Bring(Tunnels, members.Length > 0 ? members : [Member(Peer, PeerAddress)]);

    private static EncryptedPeer Member(HostRef host, string address) => new(host, address, Domain);

    private static TunnelKey Key(int generation, int port, byte fill) =>
        new(Segment, generation, port, Convert.ToBase64String(Enumerable.Repeat(fill, 32).ToArray()));
}
