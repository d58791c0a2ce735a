using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.HostTests.Kernels;

/// <summary>A host whose kernel has no WireGuard, and without the program that stands in for it.</summary>
public sealed class NoWireGuardTests : IDisposable
{
    private const string Program = "/usr/bin/wireguard-go";
    private readonly PlanOnNamespaces _spaces = new();

    private static readonly EncryptedTunnels Tunnels = new("cccccccccc",
    [
        .. Enumerable.Range(0, EncryptedTunnels.Places).Select(place => new EncryptedTunnel(
            $"bwscccccccccc{place}", $"bwwcccccccccc{place}", $"bwycccccccccc{place}",
            InnerAddress.Of("10.99.0.11", place))),
    ]);

    public void Dispose()
    {
        _spaces.Run(["ip netns del bwscccccccccc0 2>/dev/null || true"]);
        _spaces.Dispose();
    }

    [Fact]
    public void Nothing_is_made_where_neither_kernel_nor_program_ciphers_and_all_is_when_one_does()
    {
        Assert.SkipWhen(
            _spaces.Run(["unshare -n ip link add probe type wireguard 2>/dev/null && echo yes || true"]).Length > 0,
            "The kernel has WireGuard itself.");
        TunnelKeeper keeper = new(
            new WireGuardTools(new InsideHost(_spaces)), new PeerTunnelKeys(), TimeProvider.System);
        _spaces.Run([$"mount --bind /dev/null {Program}"]);
        WorldException refused = Assert.Throws<WorldException>(() => keeper.Bring(Tunnels, []));
        Assert.Contains("wireguard-go", refused.Message, StringComparison.Ordinal);
        Assert.Empty(keeper.Standing(Tunnels).Generations);
        Assert.Empty(keeper.Standing(Tunnels).Ways);
        Assert.Empty(keeper.Named([Tunnels.Segment]));
        Assert.Equal("", _spaces.Run(["ip netns list", "ip -o link | grep bw || true"]));

        _spaces.Run([$"umount {Program}"]);
        Assert.Equal([0], keeper.Bring(Tunnels, []).Generations);
        Assert.Single(keeper.Named([Tunnels.Segment]));
    }
}
