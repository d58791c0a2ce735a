using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Policy.Reading;

namespace Bailiwick.Domains.Policy.Editing;

/// <summary>Values as people write them in one line of YAML.</summary>
internal static partial class FlowText
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The value in flow style (YAML 1.2, section 7).</summary>
    public static string Of(PolicyNode node) => node switch
    {
        PolicyNode.Members members =>
            "{" + string.Join(", ", members.Entries.Select(one => $"{Scalar(one.Name)}: {Of(one.Value)}")) + "}",
        PolicyNode.Items items => "[" + string.Join(", ", items.Entries.Select(Of)) + "]",
        PolicyNode.Text text => Scalar(text.Value),
        PolicyNode.Integer integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        PolicyNode.Truth truth => truth.Value ? "true" : "false",
        PolicyNode.Nothing => "null",
        _ => throw new UnreachableException(),
    };

    /// <summary>A text without quotes where every reader of YAML takes it for the same text.</summary>
    private static string Scalar(string text)
    {
        var doubts = new DocumentFindings("");
        return Bare().IsMatch(text) && YamlScalars.Resolve(text, 0, "", doubts) is PolicyNode.Text && !doubts.Any
            ? text : JsonSerializer.Serialize(text, Relaxed);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_./-]*\z", RegexOptions.NonBacktracking)]
    private static partial Regex Bare();
}
