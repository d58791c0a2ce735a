using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Kernels;

/// <summary>A host whose kernel has no 802.1Q although its operator says so.</summary>
public sealed class NoVlanTests : IDisposable
{
    private readonly KernelHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void No_other_way_is_taken_where_the_kernel_has_no_VLANs_and_the_next_step_is_named()
    {
        _host.Run("ip link add under0 type veth peer name far0", "ip addr add 10.99.0.11/24 dev under0");
        Assert.SkipWhen(
            _host.Run("ip link add link under0 name probe0 type vlan id 7 2>/dev/null && echo yes || true").Length > 0,
            "The kernel has 802.1Q.");
        HostPlan plan = Refine.ForHost(
            Datacentre(KernelHosts.Policies),
            [Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2")],
            ExamplePlacements.Host("host-1"), Now);
        Assert.NotNull(Assert.Single(plan.Domains).Network.Vlan);

        WorldException refused = Assert.Throws<WorldException>(() => _host.Bring(plan));
        Assert.Contains("Load the module 8021q", refused.Message, StringComparison.Ordinal);
        Assert.Contains("vlans", refused.Message, StringComparison.Ordinal);
        Assert.Equal("", _host.Run("ip -o link | grep -E 'bw[vxy]' || true"));
        Assert.Empty(_host.Live());

        // The control: what does not need one is brought.
        HostPlan clear = Refine.ForHost(
            Datacentre(KernelHosts.Policies.With("alpine/hosts.yaml", "10.99.0.12, vlans: rack-a", "10.99.0.12")),
            [Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2")],
            ExamplePlacements.Host("host-1"), Now);
        _host.Bring(clear);
        Assert.Contains(clear.Domains[0].Network.Vxlan ?? "none", _host.Live());
    }
}
