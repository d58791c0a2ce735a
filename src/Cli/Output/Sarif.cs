using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Output;

/// <summary>Findings as a log for code review: SARIF 2.1.0 (OASIS, section 3).</summary>
internal static class Sarif
{
    /// <summary>One run of one tool.</summary>
    /// <param name="findings">What was found.</param>
    /// <param name="directory">Where the findings' files lie, as the command was told.</param>
    internal static JsonObject Log(IReadOnlyCollection<Finding> findings, string directory) => new()
    {
        ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
        ["version"] = "2.1.0",
        ["runs"] = new JsonArray(new JsonObject
        {
            ["tool"] = new JsonObject
            {
                ["driver"] = new JsonObject
                {
                    ["name"] = "bailiwick policy check",
                    ["rules"] = new JsonArray([.. findings.Select(finding => WireText.Of(finding.Code)).Distinct()
                        .Order(StringComparer.Ordinal).Select(code => (JsonNode)new JsonObject { ["id"] = code })]),
                },
            },
            ["results"] = new JsonArray([.. findings.Select(finding => (JsonNode)Result(finding, directory))]),
        }),
    };

    private static JsonObject Result(Finding finding, string directory)
    {
        var place = new JsonObject
        {
            ["artifactLocation"] = new JsonObject { ["uri"] = UriOf(directory, finding.File) },
        };
        if (finding.Line > 0)
        {
            place["region"] = new JsonObject { ["startLine"] = finding.Line };
        }

        string code = WireText.Of(finding.Code);
        return new JsonObject
        {
            ["ruleId"] = code, ["level"] = finding.IsNote ? "note" : "error",
            ["message"] = new JsonObject { ["text"] = finding.Sentence },
            ["locations"] = new JsonArray(new JsonObject
            {
                ["physicalLocation"] = place,
                ["logicalLocations"] = new JsonArray(
                    new JsonObject { ["fullyQualifiedName"] = finding.File + "#" + finding.Pointer }),
            }),
            // Lines move as a file is edited; what and where in the document it is about stays.
            ["partialFingerprints"] = new JsonObject
            {
                ["finding/v1"] = Convert.ToHexStringLower(SHA256.HashData(
                    Encoding.UTF8.GetBytes($"{code}\n{finding.File}\n{finding.Pointer}"))),
            },
        };
    }

    /// <summary>A relative reference (RFC 3986), from where the command was run.</summary>
    private static string UriOf(string directory, string file) => string.Join(
        '/', Path.Combine(directory, file).Split('/', '\\').Where(part => part != ".").Select(Uri.EscapeDataString));
}
