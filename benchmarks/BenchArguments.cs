using Bailiwick.Benchmarks.Appending;
using Bailiwick.Benchmarks.Attesting;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Benchmarks.Networking;
using Bailiwick.Benchmarks.Policies;
using Bailiwick.Benchmarks.Starting;
using Bailiwick.Benchmarks.Storing;

namespace Bailiwick.Benchmarks;

/// <summary>What was asked for on the command line.</summary>
/// <param name="Benches">The benches to run, in the order of the table.</param>
/// <param name="Json">One JSON object a line instead of text.</param>
/// <param name="Save">Write a file of results.</param>
/// <param name="Effort">How much is measured.</param>
public sealed record BenchArguments(IReadOnlyList<IBench> Benches, bool Json, bool Save, Effort Effort)
{
    /// <summary>All benches there are.</summary>
    public static IReadOnlyList<IBench> All { get; } = 
        [new LedgerBench(), new StartBench(), new AttestationBench(), new StorageBench(), new NetworkBench(),
            new PolicyBench()];

    /// <summary>How it is used.</summary>
    public static string Usage =>
        "usage: ./bench [NAME...] [--json] [--save|--quick]; "
        + $"names: {string.Join(", ", All.Select(one => one.Name))}. "
        + "Each figure is measured beside its peer; a goal that is not met is shown as such and is no failure. "
        + "--save writes benchmarks/results/<date>-<commit>.json; --quick measures few rounds of small sizes, so that "
        + "all figures are there soon, and none is to be relied on.";

    /// <summary>Reads the command line; what is wrong with it, all at once, if it cannot be followed.</summary>
    public static (BenchArguments? Arguments, IReadOnlyList<string> Refusals) Read(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        string[] names = [.. words.Where(word => !word.StartsWith('-'))];
        List<string> refusals =
        [
            .. names.Where(name => All.All(one => one.Name != name)).Select(name => $"There is no bench '{name}'."),
            .. words.Where(word => word.StartsWith('-') && word is not ("--json" or "--save" or "--quick"))
                .Select(word => $"There is no option '{word}'."),
        ];
        if (words.Contains("--save") && words.Contains("--quick"))
        {
            refusals.Add("Figures of --quick are not to be relied on, so they are not saved.");
        }

        IBench[] chosen = [.. All.Where(one => names.Length == 0 || names.Contains(one.Name))];
        if (refusals.Count == 0)
        {
            refusals.AddRange(
                chosen.Where(one => one.Obstacle is not null).Select(one => $"{one.Name}: {one.Obstacle}"));
        }

        return refusals.Count > 0
            ? (null, refusals)
            : (new BenchArguments(
                chosen, words.Contains("--json"), words.Contains("--save"),
                words.Contains("--quick") ? Effort.Quick : Effort.Full), []);
    }
}
