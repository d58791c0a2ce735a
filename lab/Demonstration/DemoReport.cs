using System.Text.Json.Nodes;

namespace Bailiwick.Lab.Demonstration;

/// <summary>One thing shown.</summary>
/// <param name="Name">What is shown.</param>
/// <param name="Passed">Whether it holds.</param>
/// <param name="Evidence">How that is known.</param>
public sealed record DemoCheck(string Name, bool Passed, string Evidence);

/// <summary>All that a demonstration showed.</summary>
public sealed record DemoReport
{
    public required int Hosts { get; init; }
    public required int Machines { get; init; }
    public required int Domains { get; init; }
    public required IReadOnlyList<Cell> Cells { get; init; }
    public required IReadOnlyList<DemoCheck> Checks { get; init; }
    /// <summary>From the start of the demonstration to the first machine that answers.</summary>
    public required double SecondsToFirstMachine { get; init; }
    /// <summary>From the start of the demonstration to its end.</summary>
    public required double SecondsTotal { get; init; }

    /// <summary>Whether everything is as promised.</summary>
    public bool Passed => Cells.Count > 0 && Cells.All(c => c.Matches) && Checks.Count > 0 && Checks.All(c => c.Passed);

    /// <summary>The report for programs.</summary>
    public JsonObject ToJson() => new()
    {
        ["hosts"] = Hosts,
        ["machines"] = Machines,
        ["domains"] = Domains,
        ["cells"] = new JsonObject
        {
            ["total"] = Cells.Count,
            ["matching"] = Cells.Count(c => c.Matches),
            ["leaks"] = Cells.Count(c => c.Leaks),
            ["blocked"] = Cells.Count(c => !c.Passed),
        },
        ["secondsToFirstMachine"] = Math.Round(SecondsToFirstMachine, 1),
        ["secondsTotal"] = Math.Round(SecondsTotal, 1),
        ["checks"] = new JsonArray([.. Checks.Select(c => new JsonObject
        {
            ["name"] = c.Name, ["passed"] = c.Passed, ["evidence"] = c.Evidence,
        })]),
        ["mismatches"] = new JsonArray([.. Cells.Where(c => !c.Matches).Select(c => new JsonObject
        {
            ["from"] = c.From, ["to"] = c.To, ["way"] = c.Way.Name, ["promised"] = c.Promised, ["passed"] = c.Passed,
            ["evidence"] = c.Evidence,
        })]),
    };
}
