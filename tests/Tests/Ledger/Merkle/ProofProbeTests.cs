using System.Text.Json;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Ledger.Merkle;

/// <summary>The probes of transparency-dev/merkle, all of them.</summary>
public sealed class ProofProbeTests
{
    [Fact]
    public void Gives_the_wanted_verdict_on_all_196_probes()
    {
        var wrong = new List<string>();
        var inclusion = VectorFiles.In("ledger/inclusion", "*.json");
        var consistency = VectorFiles.In("ledger/consistency", "*.json");
        foreach (var file in inclusion)
        {
            Judge(file, wrong, probe => Includes(probe));
        }

        foreach (var file in consistency)
        {
            Judge(file, wrong, probe => Extends(probe));
        }

        Assert.Empty(wrong);
        Assert.Equal(196, inclusion.Count + consistency.Count);
        Assert.Contains(inclusion, file => !WantsError(file));
        Assert.Contains(consistency, file => !WantsError(file));
    }

    private static void Judge(string file, List<string> wrong, Func<JsonElement, bool> verify)
    {
        var probe = JsonElement.Parse(File.ReadAllBytes(file));
        if (verify(probe) == probe.GetProperty("wantErr").GetBoolean())
        {
            wrong.Add(Path.GetRelativePath(VectorFiles.Find("ledger"), file));
        }
    }

    private static bool WantsError(string file) =>
        JsonElement.Parse(File.ReadAllBytes(file)).GetProperty("wantErr").GetBoolean();

    private static bool Includes(JsonElement probe) =>
        Hash(probe.GetProperty("leafHash")) is { } leaf && Siblings(probe) is { } path
        // An index beyond 2^63 - 1 cannot be represented, which is a refusal.
        && probe.GetProperty("leafIdx").TryGetInt64(out var index)
        && ProofFolding.Includes(
            index,
            probe.GetProperty("treeSize").GetInt64(),
            leaf,
            path,
            probe.GetProperty("root").GetBytesFromBase64());

    // Some probes have roots of 12 bytes, one of them with a good verdict, so the roots go in as plain bytes.
    private static bool Extends(JsonElement probe) =>
        Siblings(probe) is { } path
        && ProofFolding.Extends(
            probe.GetProperty("size1").GetInt64(),
            probe.GetProperty("size2").GetInt64(),
            path,
            probe.GetProperty("root1").GetBytesFromBase64(),
            probe.GetProperty("root2").GetBytesFromBase64());

    private static List<Digest32>? Siblings(JsonElement probe)
    {
        var proof = probe.GetProperty("proof");
        var path = new List<Digest32>();
        if (proof.ValueKind == JsonValueKind.Null)
        {
            return path;
        }

        foreach (var item in proof.EnumerateArray())
        {
            if (Hash(item) is not { } hash)
            {
                return null;
            }

            path.Add(hash);
        }

        return path;
    }

    /// <summary>A hash of another length cannot be represented, which is a refusal.</summary>
    private static Digest32? Hash(JsonElement text) =>
        text.GetBytesFromBase64() is { Length: Digest32.Length } bytes ? Digest32.FromBytes(bytes) : null;
}
