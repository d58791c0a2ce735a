using Bailiwick.Benchmarks.Figures;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks;

/// <summary>One call of <c>./bench</c>.</summary>
public static class BenchRun
{
    /// <summary>
    /// Runs what was asked for. Exit codes: 0 measured, whether or not goals are met; 1 a bench could not be carried
    /// out; 2 the command line cannot be followed, or a bench cannot run on this machine.
    /// </summary>
    public static async Task<int> Of(
        IReadOnlyList<string> words, TextWriter output, TextWriter people, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(people);
        if (words.Contains("--help"))
        {
            await output.WriteLineAsync(BenchArguments.Usage);
            return 0;
        }

        var (arguments, refusals) = BenchArguments.Read(words);
        if (arguments is null)
        {
            foreach (var line in refusals.Append(BenchArguments.Usage))
            {
                await people.WriteLineAsync(line);
            }

            return 2;
        }

        var before = Machine.Read();
        List<Figure> figures = [];
        try
        {
            foreach (var bench in arguments.Benches)
            {
                var directory = Path.Combine(Checkout.Root, ".lab", bench.Name);
                Directory.CreateDirectory(directory);
                var measured = await bench.Run(directory, arguments.Effort, people.WriteLine, cancel);
                figures.AddRange(measured);
                foreach (var figure in measured)
                {
                    await output.WriteLineAsync(arguments.Json ? figure.ToJson() : figure.ToString());
                }
            }
        }
        catch (Exception failure) when (failure is LabException or BenchException or OperationCanceledException)
        {
            await people.WriteLineAsync(failure.Message);
            return 1;
        }

        await people.WriteLineAsync($"{before.Words()}; load now {Machine.LoadNow()}");
        if (arguments.Save)
        {
            await people.WriteLineAsync("written: " + ResultFile.Write(before, Machine.LoadNow(), figures));
        }

        return 0;
    }
}
