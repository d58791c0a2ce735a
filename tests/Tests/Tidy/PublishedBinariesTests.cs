using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Bailiwick.Tests.Tidy;

/// <summary>What is shipped holds nothing that only tests may trust.</summary>
public sealed partial class PublishedBinariesTests
{
    /// <summary>What the search must find in this assembly; it is nobody's key.</summary>
    private const string Bait = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n";

    private static readonly string[] OnlyForTests = ["xunit", "FsCheck", "Bailiwick.Tests", "Bailiwick.Simulation",
        "Bailiwick.HostTests", "Bailiwick.Benchmarks", "Microsoft.Testing", "Microsoft.AspNetCore.TestHost"];

    public static TheoryData<string, bool> Programs => new()
    {
        { "Master", false }, { "Proxy", false }, { "KeyService", false }, { "Cli", true },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_program_is_shipped_without_what_only_tests_may_trust(string room, bool hasLab)
    {
        string[] files = Shipped(Path.Combine(Checkout.Root, "src", room, "bin"));
        Assert.Contains(files, file => Path.GetFileName(file) == "Bailiwick.Ledger.dll");
        Assert.Equal(hasLab, files.Any(file => Path.GetFileName(file) == "Bailiwick.Lab.dll"));
        Assert.Empty(files.SelectMany(Faults));
    }

    [Fact]
    public void The_search_finds_what_tests_carry()
    {
        string[] faults = [.. Faults(typeof(PublishedBinariesTests).Assembly.Location)];
        Assert.Contains(faults, fault => fault.EndsWith("a private key", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("xunit", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("FakeDisk", StringComparison.Ordinal));
        // Only a constant that is used is in the assembly.
        Assert.Matches(PrivateKey(), Bait);
    }

    private static string[] Shipped(string bin)
    {
        string newest = new DirectoryInfo(bin).GetDirectories().MaxBy(one => one.LastWriteTimeUtc)?.FullName
            ?? throw new InvalidOperationException($"{bin} is empty; build the solution first");
        return Directory.GetFiles(newest, "*.dll", SearchOption.AllDirectories);
    }

    private static IEnumerable<string> Faults(string file)
    {
        byte[] content = File.ReadAllBytes(file);
        foreach (string text in new[] { Encoding.Latin1.GetString(content), Utf16(content, 0), Utf16(content, 1) })
        {
            if (PrivateKey().IsMatch(text))
            {
                yield return $"{file}: a private key";
            }
        }

        using PEReader image = new([.. content]);
        if (!image.HasMetadata)
        {
            yield break;
        }

        MetadataReader metadata = image.GetMetadataReader();
        var names = metadata.AssemblyReferences
            .Select(one => metadata.GetString(metadata.GetAssemblyReference(one).Name))
            .Append(Path.GetFileNameWithoutExtension(file));
        foreach (string name in names.Where(IsOnlyForTests))
        {
            yield return $"{file}: {name}";
        }

        if (!Path.GetFileName(file).StartsWith("Bailiwick.", StringComparison.Ordinal))
        {
            yield break;
        }

        foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
        {
            string type = metadata.GetString(metadata.GetTypeDefinition(handle).Name);
            if (Pretender().IsMatch(type))
            {
                yield return $"{file}: {type}";
            }
        }
    }

    private static bool IsOnlyForTests(string name) =>
        OnlyForTests.Any(one => name.StartsWith(one, StringComparison.OrdinalIgnoreCase));

    private static string Utf16(byte[] content, int from) =>
        Encoding.Unicode.GetString(content, from, (content.Length - from) & ~1);

    [GeneratedRegex("-----BEGIN [A-Z ]*PRIVATE KEY-----\\s+[A-Za-z0-9+/]{20}")]
    private static partial Regex PrivateKey();

    [GeneratedRegex("^(Fake|Mock|Stub|Dummy)[A-Z]|ForTests$")]
    private static partial Regex Pretender();
}
