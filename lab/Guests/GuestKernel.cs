using System.Text.RegularExpressions;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Guests;

/// <summary>
/// Debian's own cloud kernel, unpacked from the package that linux-image-cloud-amd64 depends on; never installed.
/// </summary>
/// <param name="Package">The package's name, which has the kernel's version.</param>
/// <param name="ImagePath">The kernel image.</param>
/// <param name="ModulePaths">The modules a guest loads, in the order it loads them.</param>
/// <param name="HostModulePaths">The modules of a host's network, and of a disk, likewise.</param>
internal sealed partial record GuestKernel(
    string Package, string ImagePath, IReadOnlyList<string> ModulePaths, IReadOnlyList<string> HostModulePaths)
{
    private static readonly string[] Modules =
    [
        "virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
        "failover", "net_failover", "virtio_net", "virtio_blk", "evdev", "button",
    ];

    // br_netfilter is what no host of ours wants and many have: it is there to be kept away from our bridges.
    private static readonly string[] HostModules =
    [
        "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_ring", "virtio", "virtio_pci", "virtio_blk",
        "llc", "stp", "garp", "mrp", "8021q", "bridge", "br_netfilter", "veth", "tun", "ifb",
        "ip6_udp_tunnel", "udp_tunnel", "vxlan", "libchacha", "chacha-x86_64", "poly1305-x86_64",
        "libchacha20poly1305", "libcurve25519-generic", "curve25519-x86_64", "wireguard",
        "nfnetlink", "libcrc32c", "nf_tables", "nf_defrag_ipv6", "nf_defrag_ipv4", "nf_conntrack", "nft_ct",
        "nft_meta_bridge", "nf_conntrack_bridge", "nft_limit", "nft_log", "nfnetlink_log", "nft_objref", "nft_hash",
        "sch_htb", "sch_tbf", "sch_ingress", "cls_u32", "act_mirred",
    ];

    /// <summary>The kernel in the cache; fetched through apt when it is not there.</summary>
    public static async Task<GuestKernel> Fetch(
        string cache, IProgress<LabStep>? progress, CancellationToken cancellation)
    {
        var kernels = Path.Combine(cache, "kernels");
        var newest = Directory.Exists(kernels)
            ? Directory.EnumerateDirectories(kernels, "linux-image-*").Where(IsWhole)
                .Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        if (newest is not null)
        {
            return In(newest);
        }

        LabPrograms.Require("apt-cache");
        string[] ask = ["apt-cache", "depends", "linux-image-cloud-amd64"];
        var depends = await LabPrograms.Run(ask, cancellation: cancellation).ConfigureAwait(false);
        var package = PackageName().Match(depends.Output).Value;
        if (package.Length == 0)
        {
            throw new LabException(
                "apt does not know linux-image-cloud-amd64", "apt-cache depends",
                "apt-get update, on Debian for amd64");
        }

        progress?.Report(new LabStep("guest", $"fetch {package}"));
        Directory.CreateDirectory(kernels);
        var scratch = Directory.CreateDirectory(Path.Combine(kernels, $"new-{Guid.NewGuid():N}"));
        try
        {
            await Unpack(package, scratch.FullName, cancellation).ConfigureAwait(false);
            var home = Path.Combine(kernels, package);
            if (Directory.Exists(home))
            {
                // What an older build of the lab kept lacks a module that guests load by now.
                Directory.Delete(home, recursive: true);
            }

            Directory.Move(Path.Combine(scratch.FullName, "kept"), home);
            return In(home);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static GuestKernel In(string home) => new(
        Path.GetFileName(home),
        Path.Combine(home, "vmlinuz"),
        Paths(home, Modules), Paths(home, HostModules));

    private static string[] Paths(string home, string[] modules) =>
        [.. modules.Select(module => Path.Combine(home, module + ".ko"))];

    private static bool IsWhole(string home) =>
        In(home) is var all && all.ModulePaths.Concat(all.HostModulePaths).All(File.Exists);

    private static async Task Unpack(string package, string scratch, CancellationToken cancellation)
    {
        var tree = Path.Combine(scratch, "tree");
        await DebianPackages.Unpack([package], tree, cancellation).ConfigureAwait(false);
        var kept = Directory.CreateDirectory(Path.Combine(scratch, "kept")).FullName;
        var image = Directory.EnumerateFiles(Path.Combine(tree, "boot"), "vmlinuz-*").Single();
        File.Move(image, Path.Combine(kept, "vmlinuz"));
        foreach (var module in Modules.Union(HostModules))
        {
            var path = Directory.EnumerateFiles(tree, module + ".ko", SearchOption.AllDirectories).SingleOrDefault()
                ?? throw new LabException($"the kernel has no module {module}.ko", package, "use Debian 12's kernel");
            File.Move(path, Path.Combine(kept, module + ".ko"));
        }
    }

    [GeneratedRegex(@"linux-image-\d[a-z0-9.+-]*-cloud-amd64")]
    private static partial Regex PackageName();
}
