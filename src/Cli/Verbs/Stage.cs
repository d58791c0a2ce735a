using System.Diagnostics;
using System.Globalization;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Demonstration;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary>Shows a demonstration to a person: a bar for each act while it plays, and what it showed below.</summary>
internal sealed class Stage : IDemoAudience
{
    private const int SentenceLength = 48;
    private readonly Terminal _terminal;
    private readonly ProgressContext? _bars;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private readonly List<Action> _kept = [];
    private ProgressTask? _bar;
    private string _title = "";

    private Stage(Terminal terminal, ProgressContext? bars)
    {
        _terminal = terminal;
        _bars = bars;
    }

    /// <summary>Plays with bars where standard error is a terminal, with plain lines elsewhere.</summary>
    internal static async Task<T> Play<T>(Terminal terminal, Func<IDemoAudience, Task<T>> play)
    {
        if (Console.IsErrorRedirected)
        {
            var plain = new Stage(terminal, null);
            T result = await play(plain).ConfigureAwait(false);
            plain.ShowKept();
            return result;
        }

        Stage? stage = null;
        T shown = await terminal.Aside.Progress()
            .Columns(new SpinnerColumn(), new ProgressBarColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn
            {
                Alignment = Justify.Left,
            })
            .StartAsync(context =>
            {
                stage = new Stage(terminal, context);
                return play(stage);
            }).ConfigureAwait(false);
        stage?.ShowKept();
        return shown;
    }

    /// <summary>The end: what was shown, in one picture.</summary>
    internal static void Close(Terminal terminal, DemoReport report, bool kept)
    {
        terminal.Table(["", "shown", "evidence"], report.Checks.Select(c =>
            (IReadOnlyList<string>)[c.Passed ? "yes" : "NO", c.Name, c.Evidence]));
        foreach (Cell cell in report.Cells.Where(c => !c.Matches).Take(20))
        {
            terminal.Complain($"{cell.From} to {cell.To} by {cell.Way.Name}: promised "
                + $"{(cell.Promised ? "open" : "closed")}, measured {(cell.Passed ? "open" : "closed")} "
                + $"({cell.Evidence})");
        }

        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{report.Hosts} hosts, {report.Machines} machines, {report.Domains} domains; {report.Cells.Count} cells, "
            + $"{report.Cells.Count(c => c.Leaks)} leaks; first machine after {report.SecondsToFirstMachine:F0} s, "
            + $"everything after {report.SecondsTotal:F0} s."));
        terminal.Say(report.Passed ? "Everything is as the policies promise." : "NOT everything is as promised.");
        if (kept)
        {
            terminal.Say("It is still running. Look around: ./bailiwick status --as hospital; ./bailiwick policy plan "
                + ".lab/policies --host host-1; ./bailiwick lab exec host-1 -- nft list ruleset; ./bailiwick machine "
                + "console bank/web-1 --as bank. End it: ./bailiwick lab down");
        }
    }

    /// <inheritdoc/>
    public void Act(string title)
    {
        lock (_gate)
        {
            Finish();
            _title = title;
            _bar = _bars?.AddTask(Markup.Escape(title), maxValue: 1);
            if (_bars is null)
            {
                Line(title);
            }
        }
    }

    /// <inheritdoc/>
    public void Progress(string sentence, double done)
    {
        lock (_gate)
        {
            if (_bar is { } bar)
            {
                bar.Value = done;
                bar.Description = $"{Markup.Escape(_title)}: [grey]{Markup.Escape(Short(sentence))}[/]";
            }
            else
            {
                Line("  " + sentence);
            }
        }
    }

    /// <inheritdoc/>
    public void Tell(string sentence) => Keep(() => _terminal.Say(sentence));

    /// <inheritdoc/>
    public void Matrix(IReadOnlyList<string> machines, IReadOnlyList<Cell> cells) => Keep(() =>
    {
        Draw("Promised by the policies", machines, cells, c => c.Promised);
        Draw("Found with packets", machines, cells, c => c.Passed);
        _terminal.Say("A number is an open port; all is every way that was tried: "
            + string.Join(", ", Way.All.Append(Way.Shout).Select(w => w.Name)) + "; a point is none of them.");
    });

    /// <inheritdoc/>
    public void Check(DemoCheck check) =>
        Progress($"{(check.Passed ? "yes" : "NO")}: {check.Name}", 1);

    /// <summary>A bar is one line.</summary>
    private static string Short(string sentence) =>
        sentence.Length <= SentenceLength ? sentence : string.Concat(sentence.AsSpan(0, SentenceLength - 1), "…");

    private void Keep(Action show)
    {
        lock (_gate)
        {
            if (_bars is null)
            {
                show();
            }
            else
            {
                _kept.Add(show);
            }
        }
    }

    private void ShowKept()
    {
        lock (_gate)
        {
            Finish();
            _kept.ForEach(show => show());
            _kept.Clear();
        }
    }

    private void Finish()
    {
        if (_bar is { } bar)
        {
            bar.Value = 1;
            bar.Description = Markup.Escape(_title);
            bar.StopTask();
        }
    }

    private void Line(string sentence) => _terminal.Aside.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalSeconds,6:F1} s  {sentence}"));

    private void Draw(string title, IReadOnlyList<string> machines, IReadOnlyList<Cell> cells, Func<Cell, bool> open)
    {
        var table = new Table { Title = new TableTitle(title), Border = TableBorder.Rounded };
        table.AddColumn("from \\ to");
        for (int to = 1; to <= machines.Count; to++)
        {
            table.AddColumn(new TableColumn(to.ToString(CultureInfo.InvariantCulture)).Centered());
        }

        for (int from = 0; from < machines.Count; from++)
        {
            string name = machines[from];
            table.AddRow([Markup.Escape($"{from + 1} {name}"), .. machines.Select(to => name == to ? "[grey]-[/]"
                : Picture([.. cells.Where(c => c.From == name && c.To == to)], open))]);
        }

        _terminal.People.Write(table);
    }

    /// <summary>All ways, none, or the ports that are open; two exclamation marks where promise and packets differ.
    /// </summary>
    private static string Picture(Cell[] cells, Func<Cell, bool> open)
    {
        string[] ways = [.. cells.Where(open).Select(c => c.Way.Port > 0 ? $"{c.Way.Port}" : c.Way.Name).Distinct()];
        string text = ways.Length == 0 ? "[grey]·[/]"
            : cells.All(open) ? "[green]all[/]" : $"[yellow]{Markup.Escape(string.Join(' ', ways))}[/]";
        return cells.All(c => c.Matches) ? text : $"[red]{Markup.Escape(Markup.Remove(text))} !![/]";
    }
}
