using System.Text.RegularExpressions;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Measured;

/// <summary>
/// A disk with one Proxy and all that it runs on: the .NET runtime of this machine, the libraries that it loads, and a
/// shell.
/// </summary>
internal static partial class SoftwareDisk
{
    internal const string ProxyDirectory = "/bailiwick/proxy";
    private const string Configuration = "/bailiwick/etc";
    private const string Libraries = "/usr/lib/x86_64-linux-gnu";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // What is opened by name while the Proxy runs, besides what its files need.
    private static readonly string[] Opened =
    [
        "libssl.so.3", "libcrypto.so.3", "libtss2-esys.so.0", "libtss2-mu.so.0", "libvirt.so.0", "libsqlite3.so.0",
        "libgcc_s.so.1",
    ];

    private const string Start = $"""
        export DOTNET_ROOT=/usr/share/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_TieredPGO=0
        export DOTNET_EnableDiagnostics=0 HOME=/run
        exec {ProxyDirectory}/Bailiwick.Proxy --config {Configuration}/proxy.json

        """;

    /// <summary>Makes it.</summary>
    /// <param name="directory">Where; what it is made from stays there too.</param>
    /// <param name="configuration">The Proxy's configuration.</param>
    /// <param name="identity">The host's private key, PEM; the configuration calls it <see cref="Identity"/>.</param>
    internal static async Task<string> Make(string directory, string configuration, string identity)
    {
        string tree = Directory.CreateDirectory(Path.Combine(directory, "tree")).FullName;
        foreach (string place in (string[])["proc", "sys", "dev", "run", "tmp", "bin", "etc", "host"])
        {
            Directory.CreateDirectory(Path.Combine(tree, place));
        }

        // As Debian has it: programs name the loader below /lib64.
        foreach (string place in (string[])["lib", "lib64"])
        {
            Directory.CreateDirectory(Path.Combine(tree, "usr", place));
            Directory.CreateSymbolicLink(Path.Combine(tree, place), $"usr/{place}");
        }

        string proxy = Path.GetDirectoryName(ProductPrograms.Find("Proxy")) ?? "";
        CopyAll(proxy, tree + ProxyDirectory, "*", SearchOption.TopDirectoryOnly);
        string runtime = Path.GetFullPath(Path.Combine(Runtime(), "..", "..", ".."));
        string version = Path.GetFileName(Runtime());
        foreach (string part in (string[])
            [
                $"shared/Microsoft.NETCore.App/{version}", $"shared/Microsoft.AspNetCore.App/{version}",
                $"host/fxr/{version}",
            ])
        {
            CopyAll(Path.Combine(runtime, part), $"{tree}/usr/share/dotnet/{part}", "*", SearchOption.AllDirectories);
        }

        File.Copy(GuestImage.StaticBusybox(), tree + "/bin/busybox");
        await CopyLibraries(tree);
        string etc = Directory.CreateDirectory(tree + Configuration).FullName;
        File.SetUnixFileMode(etc, Private | UnixFileMode.UserExecute);
        foreach ((string name, string text) in new[] { ("proxy.json", configuration), ("identity.pem", identity) })
        {
            await File.WriteAllTextAsync(Path.Combine(etc, name), text);
            File.SetUnixFileMode(Path.Combine(etc, name), Private);
        }

        await File.WriteAllTextAsync(tree + "/start", Start);
        string disk = Path.Combine(directory, "disk.img");
        (await LabPrograms.Run(
            ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "software", "-d", tree, disk, "320M"],
            timeout: TimeSpan.FromMinutes(2))).Expect("mke2fs", "is there space for 320 MiB?");
        return disk;
    }

    /// <summary>Where the identity key lies within.</summary>
    internal static string Identity => $"{Configuration}/identity.pem";

    private static string Runtime() => Path.GetDirectoryName(typeof(object).Assembly.Location) ?? "";

    private static void CopyAll(string from, string to, string pattern, SearchOption depth)
    {
        foreach (string file in Directory.EnumerateFiles(from, pattern, depth))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target) ?? to);
            File.Copy(file, target);
        }
    }

    private static async Task CopyLibraries(string tree)
    {
        string[] programs =
        [
            .. Directory.EnumerateFiles(tree + "/usr/share/dotnet", "*.so", SearchOption.AllDirectories),
            tree + ProxyDirectory + "/Bailiwick.Proxy", .. Opened.Select(name => Path.Combine(Libraries, name)),
        ];
        LabProgramResult needs = await LabPrograms.Run(["ldd", .. programs]);
        string[] found =
        [
            .. Place().Matches(needs.Output).Select(match => match.Groups[1].Value),
            .. Opened.Select(name => Path.Combine(Libraries, name)),
        ];
        foreach (string library in found.Where(one => !one.StartsWith(tree, StringComparison.Ordinal)).Distinct())
        {
            Directory.CreateDirectory(tree + Path.GetDirectoryName(library));
            File.Copy(library, tree + library, overwrite: true);
        }
    }

    [GeneratedRegex(@"^\t(?:\S+ => )?(/\S+) \(0x", RegexOptions.Multiline)]
    private static partial Regex Place();
}
