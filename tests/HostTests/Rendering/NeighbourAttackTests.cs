using System.Text.Json;
using Bailiwick.Domains.Rendering;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// What a machine's own stack believes of its neighbours, its router and its addresses while another machine lies. The
/// stack is told to believe whatever it can, and the same frames laid at its door by the host, behind the filter, are
/// the control: they do deceive it.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class NeighbourAttackTests(TwoHosts hosts)
{
    private const string Victim = "bank/web-1";
    private const int Wait = 15_000;
    private const int Settle = 250;
    private static readonly string[] Neighbours = ["bank/web-2", "bank/both-1"];

    [Theory]
    [InlineData("bank/both-1", "bank/web-2")]
    [InlineData("bank/web-2", "bank/both-1")]
    [InlineData("hospital/records-1", "bank/web-2")]
    public void A_machines_neighbours_routes_and_addresses_stay_whatever_another_says(string attacker, string neighbour)
    {
        var attacks = Attacks(attacker, neighbour);
        (string Name, byte[] Frame)[] all =
            [.. attacks.Arps(), .. attacks.Discoveries(), .. attacks.Routers(), .. attacks.Servers(TwoHosts.Canary)];
        Gullible();
        Meet();
        var before = State();
        Assert.Equal([], Lies());
        using var origin = hosts.Frames(attacker);
        using var here = hosts.Frames(Victim);
        foreach (var (_, frame) in all.Concat(all))
        {
            origin.Send(frame);
        }

        Assert.Equal([], all.Where(one => here.Sees(one.Frame, 0)).Select(one => one.Name));
        Thread.Sleep(Settle);
        Assert.Equal([], all.Where(one => here.Sees(one.Frame, 0)).Select(one => one.Name));
        Assert.Equal([], Lies());
        Assert.Equal(before, State());
    }

    [Fact]
    public void The_same_frames_deceive_the_machine_when_they_pass_by_the_filter()
    {
        var attacks = Attacks("bank/both-1", "bank/web-2");
        foreach (var (kind, frames) in new[]
        {
            ("neighbours", attacks.Arps()), ("neighbours", attacks.Discoveries()), ("routes", attacks.Routers()),
        })
        {
            Gullible();
            Meet();
            var before = State();
            Lay(frames);
            Thread.Sleep(Settle);
            Assert.True(kind == "neighbours" ? Lies().Count > 0 : before != State(), kind);
        }

        Gullible();
        Meet();
        Assert.Equal([], Lies());
    }

    [Theory]
    [InlineData("bank/both-1", false)]
    [InlineData("bank/web-2", false)]
    [InlineData("bank/both-1", true)]
    public void Nobody_can_claim_the_address_that_a_machine_is_about_to_take(string attacker, bool control)
    {
        var attacks = Attacks(attacker, Victim);
        var port = hosts.Machine(Victim).Plan.Ports[0];
        using var origin = hosts.Frames(attacker);
        try
        {
            Inside("sysctl -q -w net.ipv6.conf.eth0.dad_transmits=1",
                $"ip addr del {port.Ipv6}/64 dev eth0", $"ip addr add {port.Ipv6}/64 dev eth0");
            var said = "tentative";
            for (var turn = 0; turn < 20 && said.Replace("dadfailed tentative", "", StringComparison.Ordinal)
                .Contains("tentative", StringComparison.Ordinal); turn++)
            {
                if (control)
                {
                    Lay(attacks.Theft());
                }

                foreach (var (_, frame) in attacks.Theft())
                {
                    origin.Send(frame);
                }

                Thread.Sleep(Settle);
                said = Inside("ip -6 addr show dev eth0");
            }

            Assert.Equal(control, said.Contains("dadfailed", StringComparison.Ordinal));
            Assert.Equal(control, said.Contains("tentative", StringComparison.Ordinal));
        }
        finally
        {
            Inside($"ip addr del {port.Ipv6}/64 dev eth0", $"ip addr add {port.Ipv6}/64 dev eth0 nodad",
                $"ip -6 route replace default via {Gateway().V6}");
        }
    }

    [Fact]
    public void A_port_without_an_address_can_send_nothing()
    {
        var (host, machine) = hosts.Machine("bank/both-1");
        var own = machine.Ports[0];
        var domain = hosts.Domain(host, "bank/web");
        var to = Station.Of(hosts.Machine(Victim).Plan.Ports[0]);
        var bare = domain with
        {
            Network = domain.Network with
            {
                Ports = [.. domain.Network.Ports.Select(port => port.Device != own.Device ? port
                    : port with { Member = port.Member with { Ipv4 = null, Ipv6 = null } })],
            },
        };
        var frames = new HostileFrames(Station.Of(own)).Protocols(to).Everybody(to).Fragments(to).Sequences(to);
        var nameless = new HostileFrames(Station.Of(own) with { V4 = "0.0.0.0", V6 = "::" })
            .Protocols(to).Everybody(to).Sequences(to);
        byte[] local = TwoHosts.Canary(), honest = TwoHosts.Canary();
        using var origin = hosts.Frames("bank/both-1");
        using var here = hosts.Frames(Victim);
        hosts.Host(host).Load(NftTables.ForDomain(bare));
        try
        {
            foreach (var (_, frame) in frames.All.Concat(nameless.All))
            {
                origin.Send(frame);
            }

            origin.Send(Ethernet(to.Mac, own.Mac, 0x86dd,
                Ipv6(NeighbourAttacks.LinkLocal(own.Mac), to.V6, 17, Udp(9, 9, local))));
            Thread.Sleep(Settle);
            Assert.Equal([], frames.In(here.All()));
            Assert.Equal([], nameless.In(here.All()));
            Assert.False(here.Sees(local, 0));
        }
        finally
        {
            hosts.Host(host).Load(NftTables.ForDomain(domain));
        }

        origin.Send(Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(own.Ipv4 ?? "", to.V4, 17, Udp(9, 9, honest))));
        Assert.True(here.Sees(honest, Wait));
    }

    private NeighbourAttacks Attacks(string attacker, string neighbour) => new(
        Station.Of(hosts.Machine(attacker).Plan.Ports[0]), Station.Of(hosts.Machine(Victim).Plan.Ports[0]),
        Station.Of(hosts.Machine(neighbour).Plan.Ports[0]), Gateway());

    private Station Gateway()
    {
        var gateway = hosts.Domain(1, "bank/web").Gateway ?? throw new InvalidOperationException();
        return new Station(gateway.Mac, "10.20.1.1", "fd20:1::1");
    }

    /// <summary>Lays frames at the machine's door: sent by the host's end of its port, they pass no bridge.</summary>
    private void Lay(IEnumerable<(string Name, byte[] Frame)> frames)
    {
        var (host, machine) = hosts.Machine(Victim);
        using var door = FramePort.Open(hosts.Host(host).Space, machine.Ports[0].Device);
        foreach (var (_, frame) in frames)
        {
            door.Send(frame);
        }
    }

    /// <summary>A stack that has forgotten everything, and believes what it is told.</summary>
    private void Gullible() => Inside(
        "sysctl -q -w net.ipv4.conf.eth0.arp_accept=1 net.ipv4.conf.eth0.accept_redirects=1 "
        + "net.ipv4.conf.all.accept_redirects=1 net.ipv4.conf.eth0.secure_redirects=0 net.ipv6.conf.eth0.accept_ra=2 "
        + "net.ipv6.conf.eth0.accept_redirects=1 net.ipv6.conf.eth0.suppress_frag_ndisc=0",
        "ip neigh flush dev eth0", "ip -6 neigh flush dev eth0", "ip -6 route flush proto ra",
        "ip -6 route flush fd66:6::/64", "ip route flush cache",
        "ip -6 route flush cache", "for a in $(ip -o -6 addr show dynamic | awk '{print $4}'); do "
        + "ip addr del $a dev eth0; done");

    /// <summary>The machine speaks with its neighbours and its gateway.</summary>
    private void Meet() => Inside([
        .. Neighbours.Select(name => Station.Of(hosts.Machine(name).Plan.Ports[0])).Append(Gateway())
            .SelectMany(one => new[] { one.V4, one.V6 }).Select(address => $"ping -n -c 1 -W 0.5 {address} &"),
        "wait",
    ]);

    private string State() => Inside(
        "ip -o addr show dev eth0 | sed 's/valid_lft.*//'", "ip route", "ip -6 route | sed 's/expires [0-9]*sec//'");

    /// <summary>Entries of the machine's neighbour tables that are not as the plan has them.</summary>
    private IReadOnlyList<string> Lies()
    {
        Dictionary<string, string> truth = new(StringComparer.Ordinal);
        foreach (var one in Neighbours.Select(name => Station.Of(hosts.Machine(name).Plan.Ports[0])).Append(Gateway()))
        {
            truth[one.V4] = truth[one.V6] = truth[NeighbourAttacks.LinkLocal(one.Mac)] = one.Mac;
        }

        using var told = JsonDocument.Parse(Inside("ip -j neigh"));
        var seen = told.RootElement.EnumerateArray().Where(row => row.TryGetProperty("lladdr", out _))
            .Select(row => (To: row.GetProperty("dst").GetString() ?? "", Mac: row.GetProperty("lladdr").GetString()))
            .ToList();
        Assert.Contains(seen, one => one.To == Gateway().V4);
        return
        [
            .. seen.Where(one => truth.GetValueOrDefault(one.To) != one.Mac).Select(one => $"{one.To} at {one.Mac}"),
        ];
    }

    private string Inside(params string[] lines)
    {
        var (host, machine) = hosts.Machine(Victim);
        return hosts.Host(host).Run(lines, machine.MachineName);
    }
}
