using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Bailiwick.Cli.Output;

/// <summary>
/// What a person or a program sees. People get tables and colour (none when the output is no terminal or NO_COLOR is
/// set); programs ask for <c>--json</c> and get one document on standard output and nothing else there.
/// </summary>
internal sealed class Terminal
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int Unfolded = 100_000;

    private readonly TextWriter _out = Console.Out;

    /// <summary>Standard output, for people.</summary>
    internal IAnsiConsole People { get; } =
        Create(Console.IsOutputRedirected, Console.Out);

    /// <summary>Standard error, for progress and complaints.</summary>
    internal IAnsiConsole Aside { get; } =
        Create(Console.IsErrorRedirected, Console.Error);

    /// <summary>Prints one JSON document.</summary>
    internal void Json(JsonNode document) => _out.WriteLine(document.ToJsonString(Indented));

    /// <summary>Prints one JSON document on one line, for streams.</summary>
    internal void JsonLine(JsonNode document)
    {
        _out.WriteLine(document.ToJsonString());
        _out.Flush();
    }

    /// <summary>Prints a sentence.</summary>
    internal void Say(string sentence) => _out.WriteLine(Plain(sentence));

    /// <summary>Prints text as it is, without folding.</summary>
    internal void Print(string text) => _out.WriteLine(text);

    /// <summary>Prints a complaint: what is wrong, where, and what to do next.</summary>
    internal void Complain(string sentence) => Aside.MarkupLine($"[red]{Markup.Escape(Plain(sentence))}[/]");

    /// <summary>
    /// Text without what a terminal would obey or hide: what others wrote (a board's answer, a file's name) must not
    /// move the cursor, colour or turn round what the person reads.
    /// </summary>
    internal static string Plain(string text) => string.Concat(text.EnumerateRunes().Select(r =>
        r.Value == '\n' || Rune.GetUnicodeCategory(r) is not (UnicodeCategory.Control or UnicodeCategory.Format)
            ? r : Rune.ReplacementChar));

    /// <summary>"1 finding", "2 findings".</summary>
    internal static string Count(int number, string word) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {word}{(number == 1 ? "" : "s")}");

    /// <summary>
    /// No colour where nobody looks, nor where the person asked for none (no-color.org); and no folding where a
    /// program reads lines.
    /// </summary>
    private static IAnsiConsole Create(bool redirected, TextWriter writer)
    {
        bool plain = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected)
        {
            console.Profile.Width = Unfolded;
        }

        return console;
    }

    /// <summary>Prints a table; cells are plain text, a cell in the last column may be long.</summary>
    internal void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)));
        }

        foreach (IReadOnlyList<string> row in rows)
        {
            table.AddRow(row.Select(c => (Spectre.Console.Rendering.IRenderable)new Text(Plain(c))));
        }

        People.Write(table);
    }
}
