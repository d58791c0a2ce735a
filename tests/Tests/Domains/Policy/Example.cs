using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>The authored policies of <c>examples/three-tenants</c>, as they are or with something changed.</summary>
internal sealed partial class Example
{
    private readonly ImmutableSortedDictionary<string, string> _files;

    private Example(ImmutableSortedDictionary<string, string> files) => _files = files;

    /// <summary>The files as they are.</summary>
    public static Example ThreeTenants { get; } = Load();

    /// <summary>Paths and texts.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>The example with one text in one file replaced; the text must be there.</summary>
    public Example With(string file, string old, string replacement)
    {
        Assert.Contains(old, _files[file], StringComparison.Ordinal);
        return new Example(_files.SetItem(file, _files[file].Replace(old, replacement, StringComparison.Ordinal)));
    }

    /// <summary>The example with a file added or replaced.</summary>
    public Example WithFile(string file, string text) => new(_files.SetItem(file, text));

    /// <summary>The example with a document added to a file.</summary>
    public Example Plus(string file, string document) => WithFile(file, $"{_files[file]}\n---\n{document}\n");

    /// <summary>The example without a party or a file.</summary>
    public Example Without(string prefix) =>
        new(_files.RemoveRange(_files.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).ToArray()));

    public PolicyReading Read() => PolicyDocuments.ReadYaml(
        _files.Select(file => (file.Key, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Value))),
        PartyNames.UnsignedOfPaths(_files.Keys));

    public PolicyCheckResult Check() => PolicyCheck.Run(Read());

    private static Example Load()
    {
        var root = Path.Combine(Tidy.Checkout.Root, "examples", "three-tenants");
        return new Example(Directory.EnumerateFiles(root, "*.yaml", SearchOption.AllDirectories)
            .ToImmutableSortedDictionary(
                path => Path.GetRelativePath(root, path).Replace('\\', '/'),
                path => WithoutTpms(File.ReadAllText(path)), StringComparer.Ordinal));
    }

    /// <summary>
    /// The example with hosts that give their word: what these tests change has nothing to do with TPMs, which need
    /// keys and logs of their own.
    /// </summary>
    private static string WithoutTpms(string text) => Evidence().Replace(text, "  assurance: [software]\n")
        .Replace("assurance: tpm\n", "assurance: software\n", StringComparison.Ordinal);

    [GeneratedRegex("  assurance: \\[tpm\\]\n  vendors: [^\n]*\n  evidence:\n(    - [^\n]*\n)+")]
    private static partial Regex Evidence();
}
