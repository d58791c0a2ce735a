using System.Globalization;
using System.Text.RegularExpressions;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Measured;

/// <summary>
/// A small system for a machine of the lab's: the .NET runtime of this machine, a shell, what is put into it, and the
/// libraries that all of that loads.
/// </summary>
internal sealed partial class SystemTree
{
    private const string Libraries = "/usr/lib/x86_64-linux-gnu";
    private readonly string _directory;
    private readonly List<string> _programs = [];

    /// <summary>Begins one.</summary>
    /// <param name="directory">An empty directory: what the disk is made from stays there too.</param>
    public SystemTree(string directory)
    {
        _directory = directory;
        Root = Directory.CreateDirectory(Path.Combine(directory, "tree")).FullName;
        foreach (string place in (string[])["proc", "sys", "dev", "run", "tmp", "etc", "host"])
        {
            Directory.CreateDirectory(Path.Combine(Root, place));
        }

        // As Debian has it: programs name the loader below /lib64.
        foreach (string place in (string[])["bin", "sbin", "lib", "lib64"])
        {
            Directory.CreateDirectory(Path.Combine(Root, "usr", place));
            Directory.CreateSymbolicLink(Path.Combine(Root, place), $"usr/{place}");
        }

        string runtime = Path.GetFullPath(Path.Combine(Runtime(), "..", "..", ".."));
        string version = Path.GetFileName(Runtime());
        foreach (string part in (string[])
            [
                $"shared/Microsoft.NETCore.App/{version}", $"shared/Microsoft.AspNetCore.App/{version}",
                $"host/fxr/{version}",
            ])
        {
            Take(Path.Combine(runtime, part), $"/usr/share/dotnet/{part}", SearchOption.AllDirectories);
        }

        _programs.AddRange(
            Directory.EnumerateFiles(Root + "/usr/share/dotnet", "*.so", SearchOption.AllDirectories));
        File.Copy(GuestImage.StaticBusybox(), Root + "/bin/busybox");
    }

    /// <summary>Where it is put together.</summary>
    public string Root { get; }

    /// <summary>What a start script sets before it starts a program of ours.</summary>
    public static string Environment =>
        "export DOTNET_ROOT=/usr/share/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_TieredPGO=0\n"
        + "export DOTNET_EnableDiagnostics=0 HOME=/run PATH=/usr/sbin:/usr/bin\n";

    /// <summary>Takes the files of a directory.</summary>
    public void Take(string from, string to, SearchOption depth)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", depth))
        {
            string target = $"{Root}{to}/{Path.GetRelativePath(from, file)}";
            Directory.CreateDirectory(Path.GetDirectoryName(target) ?? to);
            File.Copy(file, target);
        }
    }

    /// <summary>Takes programs of this machine, each to where it is here.</summary>
    public void TakePrograms(params IEnumerable<string> names)
    {
        foreach (string path in names.Select(name => LabPrograms.Find(name)
            ?? throw new InvalidOperationException($"{name} is not installed")))
        {
            File.Copy(path, Root + path);
            _programs.Add(path);
        }
    }

    /// <summary>Makes the disk.</summary>
    /// <param name="start">The script that the machine hands over to.</param>
    /// <param name="programs">Programs among what was taken, within.</param>
    /// <param name="opened">Libraries that are opened by name while they run, besides what their files need.</param>
    /// <param name="sizeMib">The disk's size.</param>
    public async Task<string> Disk(
        string start, IEnumerable<string> programs, IReadOnlyCollection<string> opened, int sizeMib)
    {
        await CopyLibraries([.. _programs, .. programs.Select(one => Root + one)], opened);
        await File.WriteAllTextAsync(Root + "/start", start);
        string disk = Path.Combine(_directory, "disk.img");
        (await LabPrograms.Run(
            [
                "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "software", "-d", Root, disk,
                string.Create(CultureInfo.InvariantCulture, $"{sizeMib}M"),
            ],
            timeout: TimeSpan.FromMinutes(2))).Expect("mke2fs", $"is there space for {sizeMib} MiB?");
        return disk;
    }

    private static string Runtime() => Path.GetDirectoryName(typeof(object).Assembly.Location) ?? "";

    private async Task CopyLibraries(string[] programs, IReadOnlyCollection<string> opened)
    {
        string[] named = [.. opened.Select(name => Path.Combine(Libraries, name))];
        LabProgramResult needs = await LabPrograms.Run(["ldd", .. programs, .. named]);
        IEnumerable<string> found =
            Place().Matches(needs.Output).Select(match => match.Groups[1].Value).Concat(named);
        foreach (string library in found.Where(one => !one.StartsWith(Root, StringComparison.Ordinal)).Distinct())
        {
            Directory.CreateDirectory(Root + Path.GetDirectoryName(library));
            File.Copy(library, Root + library, overwrite: true);
        }
    }

    [GeneratedRegex(@"^\t(?:\S+ => )?(/\S+) \(0x", RegexOptions.Multiline)]
    private static partial Regex Place();
}
