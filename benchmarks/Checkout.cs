namespace Bailiwick.Benchmarks;

/// <summary>The checkout that this program was built from.</summary>
public static class Checkout
{
    /// <summary>Its directory.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(Path.Combine(d.FullName, "Bailiwick.slnx")))
            {
                return d.FullName;
            }
        }

        throw new BenchException("This program is not inside a checkout; run ./bench from one.");
    }
}
