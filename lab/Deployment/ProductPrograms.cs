using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Deployment;

/// <summary>Finds the built executables of the product beside the one that runs.</summary>
public static class ProductPrograms
{
    /// <summary>The executable of a room, as built by the same configuration as this program.</summary>
    /// <exception cref="LabException">It is not built.</exception>
    public static string Find(string room) => Find(room, $"Bailiwick.{room}");

    /// <summary>The command line's executable.</summary>
    /// <exception cref="LabException">It is not built.</exception>
    public static string CommandLine => Find("Cli", "bailiwick");

    private static string Find(string room, string program)
    {
        string here = AppContext.BaseDirectory.TrimEnd('/');
        string configuration = new DirectoryInfo(here).Parent?.Name ?? "Release";
        for (DirectoryInfo? d = new(here); d is not null; d = d.Parent)
        {
            if (!File.Exists(Path.Combine(d.FullName, "Bailiwick.slnx")))
            {
                continue;
            }

            string path = Path.Combine(
                d.FullName, "src", room, "bin", configuration, Path.GetFileName(here), program);
            return File.Exists(path) ? path : throw new LabException(
                $"the {room} is not built", path, $"dotnet build -c {configuration} Bailiwick.slnx");
        }

        throw new LabException("this program is not inside a checkout", here, "run ./bailiwick from a checkout");
    }

    /// <summary>What a program of the product needs of the environment, and nothing else.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new[] { "DOTNET_ROOT", "PATH", "HOME" }
        .Select(name => KeyValuePair.Create(name, System.Environment.GetEnvironmentVariable(name) ?? ""))
        .Where(pair => pair.Value.Length > 0)
        .Append(KeyValuePair.Create("DOTNET_TieredPGO", "0"))
        .Append(KeyValuePair.Create("DOTNET_GCHeapHardLimit", "0x10000000"))
        .ToDictionary();
}
