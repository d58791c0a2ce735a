using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Proxy.Networking;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Kernels;

/// <summary>Two hosts of a rack that carries VLANs, and a third that is reached in ciphertext.</summary>
[Collection(KernelHostsGroup.Name)]
[Trait("Category", "Slow")]
public sealed class KernelVlanTests(KernelHosts hosts, ITestOutputHelper output)
{
    private const int Wait = 5000;
    private const int NotSeen = 500;

    private static readonly (string From, string To, string Domain)[] Ways =
    [
        ("bank/web-1", "bank/web-2", "bank/web"),
        ("hospital/records-1", "hospital/records-2", "hospital/records"),
    ];

    [Fact]
    public void Machines_of_one_domain_meet_in_its_VLAN_and_nobody_elses_hear_it()
    {
        hosts.Ready();
        Assert.NotEqual(Number("bank/web"), Number("hospital/records"));
        foreach (var (from, to, domain) in Ways)
        {
            Assert.True(hosts.Reaches(from, to) && hosts.Reaches(to, from), $"{from} and {to} do not meet.");
            string[] strangers = [.. Ways.Where(way => way.Domain != domain)
                .SelectMany(way => new[] { way.From, way.To })];
            FramePort[] theirs = [.. strangers.Select(hosts.Frames)];
            using FramePort origin = hosts.Frames(from), there = hosts.Frames(to), rack = hosts.Cable(1);
            using FramePort street = hosts.Cable(3);
            byte[] canary = TwoHosts.Canary(), all = TwoHosts.Canary();
            long before = hosts.Tagged(Number(domain));
            origin.Send(hosts.Honest(from, to, canary));
            origin.Send(hosts.ToAll(from, all));
            Assert.True(there.Sees(canary, Wait) && there.Sees(all, Wait), $"{from} did not reach {to}.");
            Assert.True(rack.Sees(canary, Wait), "The control on the cable did not arrive.");
            Assert.True(hosts.Tagged(Number(domain)) >= before + 2, "It was not in the domain's VLAN.");
            // In the VLAN as it was sent: no tunnel is around it.
            Assert.Contains(rack.All(), frame => frame.AsSpan(0, 6).SequenceEqual(
                Mac(hosts.Machine(to).Plan.Ports[0].Mac)) && frame.AsSpan().IndexOf(canary) >= 0);
            Assert.All(theirs, one => Assert.False(one.Sees(canary, 0) || one.Sees(all, NotSeen)));
            Assert.False(street.Sees(canary, 0) || street.Sees(all, NotSeen), "The street heard it.");
            Array.ForEach(theirs, one => one.Dispose());
        }
    }

    [Fact]
    public void From_the_wire_a_frame_counts_only_in_its_own_domains_VLAN_from_who_is_behind_it()
    {
        hosts.Ready();
        (int web, int records) = (Number("bank/web"), Number("hospital/records"));
        int free = Enumerable.Range(KernelHosts.FirstVlan, 4).First(number => number != web && number != records);
        PortPlan near = hosts.Machine("bank/web-1").Plan.Ports[0];
        using FramePort rogue = FramePort.Open(hosts.Host(2).Space, "under0");
        using FramePort machine = hosts.Frames("bank/web-1"), foreign = hosts.Frames("hospital/records-1");
        (string Name, byte[] Frame, byte[] Canary)[] sent =
        [
            .. new (string, int[], string)[]
            {
                ("another domain's number", [records], ""), ("a number that is nobody's", [free], ""),
                ("a number outside of the range", [KernelHosts.LastVlan + 1], ""), ("no number", [], ""),
                ("a tag within", [web, 5], ""), ("the other's tag within", [web, records], ""),
                ("a sender on the host itself", [web], near.Mac), ("nobody's address", [web], "02:00:00:00:00:99"),
            }.Select(row => Rogue(row.Item1, row.Item2, row.Item3)),
        ];
        foreach (var (_, frame, _) in sent)
        {
            rogue.Send(frame);
        }

        // The switch learned from what was sent in the machine's name, and learns again from the machine.
        using (FramePort friend = hosts.Frames("bank/web-2"))
        {
            byte[] again = TwoHosts.Canary();
            machine.Send(hosts.ToAll("bank/web-1", again));
            Assert.True(friend.Sees(again, Wait), "The machine is not heard.");
        }

        var (_, right, canary) = Rogue("", [web], "");
        rogue.Send(right);
        Assert.True(machine.Sees(canary, Wait), "The control did not arrive.");
        Assert.All(sent, one => Assert.False(
            machine.Sees(one.Canary, 0) || foreign.Sees(one.Canary, NotSeen / sent.Length), one.Name));
    }

    [Fact]
    public void What_a_machine_tags_itself_reaches_nobody_and_no_cable()
    {
        hosts.Ready();
        Station own = Station.Of(hosts.Machine("bank/web-1").Plan.Ports[0]);
        Station friend = Station.Of(hosts.Machine("bank/web-2").Plan.Ports[0]);
        Station foreign = Station.Of(hosts.Machine("hospital/records-2").Plan.Ports[0]);
        HostileFrames tagged = new HostileFrames(own).Tags(friend), across = new HostileFrames(own).Tags(foreign);
        using FramePort origin = hosts.Frames("bank/web-1"), there = hosts.Frames("bank/web-2");
        using FramePort theirs = hosts.Frames("hospital/records-2"), rack = hosts.Cable(1);
        foreach (var (_, frame) in tagged.All.Concat(across.All))
        {
            origin.Send(frame);
        }

        Assert.True(hosts.Reaches("bank/web-1", "bank/web-2"), "The control did not arrive.");
        byte[] canary = TwoHosts.Canary();
        origin.Send(hosts.Honest("bank/web-1", "bank/web-2", canary));
        Assert.True(there.Sees(canary, Wait) && rack.Sees(canary, Wait), "The control did not arrive.");
        output.WriteLine($"{tagged.All.Count + across.All.Count} tagged frames");
        byte[][] seen = [.. there.All(), .. theirs.All(), .. rack.All()];
        Assert.Equal([], tagged.In(seen));
        Assert.Equal([], across.In(seen));
    }

    [Fact]
    public void What_is_for_everybody_arrives_once_on_each_host_whichever_way_it_is_reached()
    {
        hosts.Ready();
        string[] all = ["bank/web-1", "bank/web-2", "bank/web-3"];
        Assert.Equal(
            [LinkProtection.Vlan, LinkProtection.Encrypted],
            hosts.Domain(1, "bank/web").Network.Peers.Select(peer => peer.Protection));
        Assert.All(all, from => Assert.All(all.Where(to => to != from), to =>
            Assert.True(hosts.Reaches(from, to), $"{from} does not reach {to}.")));
        foreach (string from in all)
        {
            FramePort[] ports = [.. all.Select(hosts.Frames)];
            FramePort own = ports[Array.IndexOf(all, from)];
            byte[] canary = TwoHosts.Canary();
            own.Send(hosts.ToAll(from, canary));
            Assert.All(
                ports.Except([own]), port => Assert.True(port.Sees(canary, Wait), $"{from} was not heard."));
            Thread.Sleep(NotSeen);
            // A port is not told what is sent by itself, only what comes back.
            Assert.All(ports, port => Assert.Equal(
                port == own ? 0 : 1, port.All().Count(frame => frame.AsSpan().IndexOf(canary) >= 0)));
            Array.ForEach(ports, port => port.Dispose());
        }
    }

    [Fact]
    public void A_link_leaves_its_VLAN_for_ciphertext_when_its_trust_is_withdrawn_and_comes_back()
    {
        hosts.Ready();
        VlanPlan vlan = Assert.IsType<VlanPlan>(hosts.Domain(1, "bank/web").Network.Vlan);
        using FramePort rack = hosts.Cable(1);
        try
        {
            Assert.True(Arrives(rack, isClear: true));
            hosts.Bring(KernelHosts.Policies.With("alpine/hosts.yaml", "medium: trusted-segment", "medium: untrusted"));
            Assert.Null(hosts.Domain(1, "bank/web").Network.Vlan);
            Assert.True(hosts.Reaches("bank/web-1", "bank/web-2"), "It does not go on in ciphertext.");
            Assert.True(Arrives(rack, isClear: false));
            Assert.Equal("", hosts.Host(1).Run($"ip -o link show {vlan.Device} 2>/dev/null || true"));
        }
        finally
        {
            hosts.Bring(KernelHosts.Policies);
        }

        Assert.Equal(vlan, hosts.Domain(1, "bank/web").Network.Vlan);
        Assert.True(hosts.Reaches("bank/web-1", "bank/web-2"));
        Assert.True(Arrives(rack, isClear: true));
        Assert.Equal((RulesState.Held, ""), hosts.Host(1).State(hosts.PlanOf(1), hosts.Domain(1, "bank/web")));
    }

    private bool Arrives(FramePort rack, bool isClear)
    {
        using FramePort origin = hosts.Frames("bank/web-1"), there = hosts.Frames("bank/web-2");
        byte[] canary = TwoHosts.Canary();
        rack.Clear();
        origin.Send(hosts.Honest("bank/web-1", "bank/web-2", canary));
        return there.Sees(canary, Wait) && rack.Sees(canary, isClear ? Wait : NotSeen) == isClear;
    }

    private int Number(string domain) =>
        Assert.IsType<VlanPlan>(hosts.Domain(1, domain).Network.Vlan).Number;

    /// <summary>The second web's frame to the first, in these tags, from another address where one is given.</summary>
    private (string Name, byte[] Frame, byte[] Canary) Rogue(string name, int[] tags, string mac)
    {
        byte[] canary = TwoHosts.Canary(), frame = hosts.Honest("bank/web-2", "bank/web-1", canary);
        byte[] from = mac.Length > 0 ? Mac(mac) : frame[6..12];
        IEnumerable<byte> outer = tags.SelectMany(tag => (byte[])[0x81, 0, .. Big(tag)]);
        return (name, [.. frame[..6], .. from, .. outer, .. frame[12..]], canary);
    }
}
