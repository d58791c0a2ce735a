using System.Reflection;
using System.Xml.Linq;
using Bailiwick.HostTests.Lab;
using Bailiwick.HostTests.Measured;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Lab.Measuring;
using Bailiwick.Tests.Tidy;

namespace Bailiwick.HostTests.Kernels;

/// <summary>
/// These tests' own program, run once as a host's on Debian's kernel in a machine, and what each of its tests came to.
/// The machine has no wireguard-go.
/// </summary>
public sealed class DebianKernel : IAsyncLifetime
{
    private const string Checked = "/bailiwick";
    private const string Mark = "RESULTS";
    private const int SizeMib = 400;

    private static readonly Type[] Classes =
        [typeof(KernelNetworkTests), typeof(KernelVlanTests), typeof(CipherWireTests)];

    // There is no program to kill.
    private static readonly string[] NotHere =
        [nameof(CipherWireTests.A_cipherer_that_is_killed_leaves_nothing_in_clear_and_is_made_anew)];

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    private static readonly string[] Programs =
    [
        "sh", "mount", "umount", "mkdir", "unshare", "nsenter", "setsid", "sleep", "cat", "echo", "env", "true", "sed",
        "grep", "ls", "kill", "ip", "bridge", "tc", "nft", "wg", "sysctl",
    ];

    private static readonly string[] Opened = ["libssl.so.3", "libcrypto.so.3", "libgcc_s.so.1"];

    private readonly string _directory = Directory.CreateTempSubdirectory("bw-dk-").FullName;
    private ILookup<string, XElement> _results = Array.Empty<XElement>().ToLookup(_ => "");

    /// <summary>What is run: each test of the classes that are, by class and method.</summary>
    public static IEnumerable<string> Cases() =>
        from type in Classes
        from method in type.GetMethods()
        where method.GetCustomAttribute<FactAttribute>() is not null && !NotHere.Contains(method.Name)
        select $"{type.Name}.{method.Name}";

    /// <summary>What became of a test, and what it said.</summary>
    /// <returns>Nothing if it passed in all of its rows, else why not.</returns>
    internal string? Fault(string name, Action<string> tell)
    {
        List<string> faults = [];
        foreach (XElement row in _results[name])
        {
            tell($"{row.Attribute("time")?.Value} s  {row.Attribute("name")?.Value}");
            tell(row.Element("output")?.Value ?? "");
            if (row.Attribute("result")?.Value != "Pass")
            {
                faults.Add($"{row.Attribute("name")?.Value}: {row.Value}");
            }
        }

        return !_results[name].Any() ? "it did not run" : faults.Count > 0 ? string.Join('\n', faults) : null;
    }

    public async ValueTask InitializeAsync()
    {
        SystemTree tree = new(Directory.CreateDirectory(Path.Combine(_directory, "disk")).FullName);
        tree.TakePrograms(Programs);
        string place = $"{Checked}/{Checkout.Relative(AppContext.BaseDirectory).TrimEnd('/')}";
        tree.Take(AppContext.BaseDirectory, place, SearchOption.TopDirectoryOnly);
        tree.Take(
            Path.Combine(Checkout.Root, "examples"), $"{Checked}/examples", SearchOption.AllDirectories);
        File.Copy(Path.Combine(Checkout.Root, "Bailiwick.slnx"), $"{tree.Root}{Checked}/Bailiwick.slnx");
        string tests = Path.GetFileNameWithoutExtension(typeof(DebianKernel).Assembly.Location);
        string classes = string.Join(' ', Classes.Select(type => $"-class {type.FullName}"));
        string disk = await tree.Disk(
            $"""
            {SystemTree.Environment}cd {place}
            ./{tests} -noLogo -noColor -reporter verbose {classes} -xml /tmp/all
            echo {Mark}
            cat /tmp/all

            """,
            [$"{place}/{tests}"], Opened, SizeMib);
        string told = await PlainMachine.Run(
            LabFixture.Cache, _directory, disk, Limit, TestContext.Current.CancellationToken);
        _results = Read(told);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static ILookup<string, XElement> Read(string told)
    {
        string text = told.ReplaceLineEndings("\n");
        int begin = text.IndexOf($"\n{Mark}\n", StringComparison.Ordinal);
        int end = text.LastIndexOf("</assemblies>", StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new InvalidOperationException($"The machine told no results:\n{told}");
        }

        begin += Mark.Length + 2;
        return XDocument.Parse(text[begin..(end + "</assemblies>".Length)]).Descendants("test").ToLookup(
            row => $"{row.Attribute("type")?.Value.Split('.')[^1]}.{row.Attribute("method")?.Value}");
    }
}
