using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Attestation.Known;

/// <summary>
/// How far a verifier has judged the boot log and the runtime log of one boot. It tells the host with its question, and
/// the host that goes on from there says the same: then it leaves the boot log out and shows the runtime log from there
/// on. It proves nothing and names no secret; each verifier compares it with what it knows itself.
/// </summary>
/// <param name="Boot">The boot.</param>
/// <param name="BootLog">SHA-256 of the boot log that was judged, also of an empty one.</param>
/// <param name="Entries">How many entries of the runtime log were judged.</param>
/// <param name="Register">What they give PCR 10 (SHA-256), from 32 zero bytes.</param>
/// <param name="Resets">The TPM's count of resets then: registers begin anew with each.</param>
/// <param name="Restarts">Its count of restarts.</param>
public sealed record LogsPosition(
    Guid Boot, Digest32 BootLog, long Entries, Digest32 Register, long Resets, long Restarts)
{
    /// <summary>As JSON: the members boot, bootLog, entries, register, resets, restarts.</summary>
    public JsonElement Write() => JsonSerializer.SerializeToElement(new JsonObject
    {
        ["boot"] = Boot.ToString("D"),
        ["bootLog"] = BootLog.Hex,
        ["entries"] = Entries,
        ["register"] = Register.Hex,
        ["resets"] = Resets,
        ["restarts"] = Restarts,
    });

    /// <summary>Reads a value that a strict reader has read; null for any other form.</summary>
    public static LogsPosition? Read(JsonElement root) =>
        DocumentObject.Of(root) is { } value
        && value.HasExactly("boot", "bootLog", "entries", "register", "resets", "restarts")
        && value.Text("boot") is { } text && Guid.TryParseExact(text, "D", out Guid boot) && boot.ToString("D") == text
        && value.Digest("bootLog") is { } bootLog && value.Count("entries") is { } entries
        && value.Digest("register") is { } register && value.Count("resets") is { } resets
        && value.Count("restarts") is { } restarts
            ? new LogsPosition(boot, bootLog, entries, register, resets, restarts)
            : null;
}
