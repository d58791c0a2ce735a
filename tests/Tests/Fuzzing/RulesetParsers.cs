using System.Text;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Verification;

namespace Bailiwick.Tests.Fuzzing;

/// <summary>The readers of tables: of what nft lists, and of what is written for it.</summary>
internal static class RulesetParsers
{
    internal static Dictionary<string, Parser> All { get; } = new()
    {
        ["RulesetJsonReader.Read"] = new(
            [.. VectorFiles.In("rulesets", "*.json").Select(File.ReadAllBytes)],
            bytes => RulesetJsonReader.Read(Encoding.UTF8.GetString(bytes))),
        ["RulesetTextReader.Read"] = new(
            [.. RulesetReaderTests.Texts.Select(Encoding.UTF8.GetBytes)],
            bytes => RulesetTextReader.Read(Encoding.UTF8.GetString(bytes))),
    };
}
