using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Proxy.Networking;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Kernels;

/// <summary>The product's switches on a kernel with WireGuard, 802.1Q and br_netfilter.</summary>
[Collection(KernelHostsGroup.Name)]
[Trait("Category", "Slow")]
public sealed class KernelNetworkTests(KernelHosts hosts, ITestOutputHelper output)
{
    private const int Wait = 5000;
    private const int NotSeen = 500;

    private static readonly (string From, string To)[] Ways =
        [("bank/web-1", "bank/web-3"), ("hospital/records-1", "hospital/records-2")];

    [Fact]
    public void An_encrypted_switch_is_the_kernels_own_WireGuard_and_nothing_of_it_is_readable_on_the_wire()
    {
        hosts.Ready();
        Assert.True(hosts.Reaches("bank/web-1", "bank/web-3"), "The control did not arrive.");
        foreach (int number in (int[])[1, 3])
        {
            EncryptedTunnel place = hosts.Host(number).Newest(hosts.Domain(number, "bank/web"));
            string link = hosts.Host(number).Run($"ip -n {place.Namespace} -d link show {place.WireGuard}");
            output.WriteLine(link);
            // The program that stands in for it makes a device of another kind, "tun".
            Assert.Contains("wireguard", link, StringComparison.Ordinal);
            Assert.DoesNotContain("tun ", link, StringComparison.Ordinal);
        }

        using FramePort cable = hosts.Cable(1);
        foreach (var (from, to) in Ways)
        {
            using FramePort origin = hosts.Frames(from), there = hosts.Frames(to);
            byte[] canary = TwoHosts.Canary();
            cable.Clear();
            origin.Send(hosts.Honest(from, to, canary));
            Assert.True(there.Sees(canary, Wait), $"{from} did not reach {to}.");
            bool isClear = from.StartsWith("hospital", StringComparison.Ordinal);
            byte[][] marks = [canary, .. new[] { from, to }.Select(name => Mac(hosts.Machine(name).Plan.Ports[0].Mac))];
            Assert.All(marks, mark => Assert.Equal(isClear, cable.Sees(mark, isClear ? Wait : NotSeen)));
            Assert.NotEmpty(cable.All());
        }
    }

    [Fact]
    public void What_a_machine_may_send_passes_and_what_is_forged_or_for_switches_does_not()
    {
        hosts.Ready();
        foreach (var (from, to) in Ways)
        {
            Assert.True(hosts.Reaches(from, to), "The control did not arrive.");
            Station own = Station.Of(hosts.Machine(from).Plan.Ports[0]);
            Station other = Station.Of(hosts.Machine(to).Plan.Ports[0]);
            HostileFrames honest = new HostileFrames(own).Everybody(other);
            HostileFrames[] hostile =
            [
                new HostileFrames(own).Tags(other).Controls(other),
                new HostileFrames(own with { Mac = "02:00:00:00:00:99" }).Everybody(other),
                new HostileFrames(own with { Mac = other.Mac }).Everybody(other),
                new HostileFrames(own with { V4 = "10.20.1.77", V6 = "fd20:1::77" }).Everybody(other),
                new HostileFrames(own with { V4 = other.V4, V6 = other.V6 }).Everybody(other),
            ];
            using FramePort origin = hosts.Frames(from), there = hosts.Frames(to);
            foreach (var (_, frame) in hostile.SelectMany(one => one.All).Concat(honest.All))
            {
                origin.Send(frame);
            }

            // Of so many in one go a queue of the kernel's may have lost the last.
            Assert.True(hosts.Reaches(from, to), "The control after all of them did not arrive.");
            Assert.False(there.Sees(TwoHosts.Canary(), NotSeen));
            IReadOnlyList<byte[]> seen = there.All();
            output.WriteLine($"{hostile.Sum(one => one.All.Count)} hostile frames, {seen.Count} arrived of all");
            Assert.All(hostile, one => Assert.Equal([], one.In(seen)));
            Assert.Contains("ARP request", honest.In(seen));
            Assert.Contains($"UDP to {Broadcast}", honest.In(seen));
        }
    }

    [Fact]
    public void Bridged_frames_are_no_business_of_the_hosts_own_stack_though_the_kernel_could_make_them_so()
    {
        hosts.Ready();
        const string Setting = "net.bridge.bridge-nf-call-iptables";
        KernelHost host = hosts.Host(1);
        const string Counter = "nft list counter inet bw_underlay machine";
        const string From = "hospital/records-1", To = "hospital/records-2";
        Assert.Equal("0", host.Run($"sysctl -n {Setting}").Trim());
        Assert.True(hosts.Reaches(From, To));
        // A port that is unplugged while a link changes is the host's own device for a moment.
        string before = host.Run(Counter);
        Assert.True(hosts.Reaches(From, To));
        Assert.Equal(before, host.Run(Counter));

        // The control: with the kernel's own setting the host's stack has each frame, and our rules in it drop it.
        host.Run($"sysctl -q -w {Setting}=1");
        using (FramePort origin = hosts.Frames(From), there = hosts.Frames(To))
        {
            byte[] canary = TwoHosts.Canary();
            origin.Send(hosts.Honest(From, To, canary));
            Assert.False(there.Sees(canary, NotSeen));
        }

        Assert.NotEqual(before, host.Run(Counter));
        host.Run($"sysctl -q -w {Setting}=0");
        Assert.True(hosts.Reaches(From, To));
    }

    [Fact]
    public void Rules_and_devices_are_read_back_as_they_were_made_and_what_somebody_changes_is_seen()
    {
        hosts.Ready();
        Assert.All(Ways, way => Assert.True(hosts.Reaches(way.From, way.To)));
        HostPlan plan = hosts.PlanOf(1);
        DomainPlan web = hosts.Domain(1, "bank/web");
        foreach (DomainPlan domain in plan.Domains)
        {
            Assert.Equal((RulesState.Held, ""), hosts.Host(1).State(plan, domain));
        }

        EncryptedTunnel place = hosts.Host(1).Newest(web);
        hosts.Host(1).Run(
            $"nft insert rule bridge {web.Network.Table} member4 accept",
            $"ip link set {place.Vxlan} type bridge_slave learning on isolated off");
        (RulesState rules, string faults) = hosts.Host(1).State(plan, web);
        Assert.Equal(RulesState.Drifted, rules);
        Assert.Contains(place.Vxlan, faults, StringComparison.Ordinal);

        hosts.Host(1).Bring(plan);
        Assert.Equal((RulesState.Held, ""), hosts.Host(1).State(plan, web));
        Assert.True(hosts.Reaches("bank/web-1", "bank/web-3"));
    }
}
