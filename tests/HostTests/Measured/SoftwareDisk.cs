using Bailiwick.Lab.Deployment;

namespace Bailiwick.HostTests.Measured;

/// <summary>A disk with one Proxy and all that it runs on.</summary>
internal static class SoftwareDisk
{
    internal const string ProxyDirectory = "/bailiwick/proxy";
    private const string Configuration = "/bailiwick/etc";
    private const int SizeMib = 320;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // What is opened by name while the Proxy runs.
    private static readonly string[] Opened =
    [
        "libssl.so.3", "libcrypto.so.3", "libtss2-esys.so.0", "libtss2-mu.so.0", "libvirt.so.0", "libsqlite3.so.0",
        "libgcc_s.so.1",
    ];

    /// <summary>Makes it.</summary>
    /// <param name="directory">Where; what it is made from stays there too.</param>
    /// <param name="configuration">The Proxy's configuration.</param>
    /// <param name="identity">The host's private key, PEM; the configuration calls it <see cref="Identity"/>.</param>
    internal static async Task<string> Make(string directory, string configuration, string identity)
    {
        SystemTree tree = new(directory);
        string proxy = Path.GetDirectoryName(ProductPrograms.Find("Proxy")) ?? "";
        tree.Take(proxy, ProxyDirectory, SearchOption.TopDirectoryOnly);
        string etc = Directory.CreateDirectory(tree.Root + Configuration).FullName;
        File.SetUnixFileMode(etc, Private | UnixFileMode.UserExecute);
        foreach ((string name, string text) in new[] { ("proxy.json", configuration), ("identity.pem", identity) })
        {
            await File.WriteAllTextAsync(Path.Combine(etc, name), text);
            File.SetUnixFileMode(Path.Combine(etc, name), Private);
        }

        return await tree.Disk(
            SystemTree.Environment
            + $"exec {ProxyDirectory}/Bailiwick.Proxy --config {Configuration}/proxy.json\n",
            [$"{ProxyDirectory}/Bailiwick.Proxy"], Opened, SizeMib);
    }

    /// <summary>Where the identity key lies within.</summary>
    internal static string Identity => $"{Configuration}/identity.pem";
}
