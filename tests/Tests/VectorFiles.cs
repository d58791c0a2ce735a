namespace Bailiwick.Tests;

/// <summary>Finds the files under tests/Vectors from wherever the tests run.</summary>
internal static class VectorFiles
{
    private static readonly Lazy<string> Root = new(Locate);

    /// <summary>The full path of a file or folder, given relative to tests/Vectors.</summary>
    public static string Find(string relative) => Path.Combine(Root.Value, relative);

    /// <summary>The files below a folder, in a fixed order.</summary>
    public static IReadOnlyList<string> In(string folder, string pattern) =>
        [.. Directory.GetFiles(Find(folder), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static string Locate()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "tests", "Vectors");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException($"No tests/Vectors above {AppContext.BaseDirectory}.");
    }
}
