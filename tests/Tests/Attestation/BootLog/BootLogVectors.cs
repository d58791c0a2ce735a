using System.Text.Json;

namespace Bailiwick.Tests.Attestation.BootLog;

/// <summary>The published boot logs and what a correct reader makes of each.</summary>
internal static class BootLogVectors
{
    internal static IReadOnlyList<JsonElement> Verdicts { get; } = Read();

    internal static IEnumerable<string> Names => Verdicts.Select(v => Text(v, "log"));

    internal static JsonElement Verdict(string log) => Verdicts.Single(v => Text(v, "log") == log);

    internal static string Text(JsonElement verdict, string name) => verdict.GetProperty(name).GetString() ?? "";

    /// <summary>The log itself, whatever it is wrapped in.</summary>
    internal static byte[] Bytes(string log)
    {
        byte[] file = File.ReadAllBytes(VectorFiles.Find($"bootlogs/{log}"));
        if (log.EndsWith(".b64", StringComparison.Ordinal))
        {
            return Convert.FromBase64String(System.Text.Encoding.ASCII.GetString(file));
        }

        return log.EndsWith(".json", StringComparison.Ordinal)
            ? JsonDocument.Parse(file).RootElement.GetProperty("Log").GetProperty("Raw").GetBytesFromBase64()
            : file;
    }

    private static JsonElement[] Read()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(VectorFiles.Find("bootlogs/verdicts.json")));
        return [.. file.RootElement.EnumerateArray().Select(v => v.Clone())];
    }
}
