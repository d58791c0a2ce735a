using System.Globalization;
using System.Text.RegularExpressions;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>
/// What a plain scalar means: the core schema of YAML 1.2 (section 10.3), less every spelling that another schema or an
/// older YAML reads as something else. Those are findings, so that a document means the same to every reader.
/// </summary>
internal static partial class YamlScalars
{
    private static readonly HashSet<string> OtherTruths = new(StringComparer.OrdinalIgnoreCase)
    {
        "true", "false", "yes", "no", "on", "off", "y", "n",
    };

    /// <summary>The value of a plain scalar; a finding and a text when it is ambiguous.</summary>
    public static PolicyNode Resolve(string text, int line, string pointer, DocumentFindings findings)
    {
        if (text is "true" or "false")
        {
            return new PolicyNode.Truth(text == "true", line);
        }

        if (text.Length == 0 || text is "null" or "~")
        {
            return new PolicyNode.Nothing(line);
        }

        if (Integers().IsMatch(text))
        {
            if (text.Length <= 17 && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out var value) && Math.Abs(value) <= PolicyLimits.Integer)
            {
                return new PolicyNode.Integer(value, line);
            }

            findings.Add(FindingCode.OutOfRange, line, pointer, $"{Quoted.Of(text)} is not within 2^53 - 1 of zero.");
        }
        else if (OtherTruths.Contains(text) || text is "Null" or "NULL" || Numbers().IsMatch(text))
        {
            findings.Add(
                FindingCode.AmbiguousScalar, line, pointer,
                $"{Quoted.Of(text)} is read differently by different YAML readers: write true, false or a decimal "
                + "integer, or put the text between double quotes.");
        }

        return new PolicyNode.Text(text, line);
    }

    [GeneratedRegex(@"\A(0|-?[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Integers();

    /// <summary>
    /// Everything that some YAML reads as a number: signs, octal, hexadecimal, fractions, underscores, base 60.
    /// </summary>
    [GeneratedRegex(
        @"\A[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*|[0-9]+(:[0-5]?[0-9])+(\.[0-9_]*)?"
        + @"|(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))\z|\A\.(nan|NaN|NAN)\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Numbers();
}
