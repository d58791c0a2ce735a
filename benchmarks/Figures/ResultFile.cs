using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bailiwick.Benchmarks.Figures;

/// <summary>A file of results: one JSON document, one line for the machine and one for each figure.</summary>
public static class ResultFile
{
    /// <summary>Variable in which the script tells the commit that was built; `-dirty` if files were changed.</summary>
    public const string CommitVariable = "BAILIWICK_BENCH_COMMIT";

    /// <summary>Writes `benchmarks/results/date-commit.json` in the checkout; its path.</summary>
    public static string Write(Machine machine, double loadAfter, IReadOnlyList<Figure> figures)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(figures);
        var commit = Environment.GetEnvironmentVariable(CommitVariable) is { Length: > 0 } told ? told : "unknown";
        var date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", null);
        var path = Path.Combine(Checkout.Root, "benchmarks", "results", $"{date}-{commit}.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path) ?? Checkout.Root);
        File.WriteAllText(path, Text(commit, date, machine, loadAfter, figures));
        return path;
    }

    internal static string Text(
        string commit, string date, Machine machine, double loadAfter, IReadOnlyList<Figure> figures)
    {
        var where = new JsonObject
        {
            ["cores"] = machine.Cores,
            ["memoryMiB"] = machine.MemoryMib,
            ["kernel"] = machine.Kernel,
            ["dotnet"] = machine.Dotnet,
            ["loadBefore"] = machine.Load,
            ["loadAfter"] = loadAfter,
        };
        var text = new StringBuilder("{\n")
            .Append("  \"commit\": ").Append(JsonSerializer.Serialize(commit)).Append(",\n")
            .Append("  \"date\": ").Append(JsonSerializer.Serialize(date)).Append(",\n")
            .Append("  \"machine\": ").Append(where.ToJsonString()).Append(",\n")
            .Append("  \"figures\": [\n    ")
            .AppendJoin(",\n    ", figures.Select(figure => figure.ToJson()));
        return text.Append("\n  ]\n}\n").ToString();
    }
}
