namespace Bailiwick.Tests.Tidy;

/// <summary>The checkout the tests were built from.</summary>
internal static class Checkout
{
    internal static string Root { get; } = Find();

    internal static IEnumerable<string> Sources(params string[] folders) =>
        folders.SelectMany(f => Directory.Exists(Path.Combine(Root, f))
                ? Directory.EnumerateFiles(Path.Combine(Root, f), "*.cs", SearchOption.AllDirectories)
                : [])
            .Where(p => !p.Contains("/obj/", StringComparison.Ordinal))
            .Where(p => !p.Contains("/bin/", StringComparison.Ordinal))
            .OrderBy(p => p, StringComparer.Ordinal);

    internal static string Relative(string path) => Path.GetRelativePath(Root, path);

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(Path.Combine(d.FullName, "Bailiwick.slnx")))
            {
                return d.FullName;
            }
        }

        throw new InvalidOperationException("The tests must run from inside a checkout: no Bailiwick.slnx above them.");
    }
}
