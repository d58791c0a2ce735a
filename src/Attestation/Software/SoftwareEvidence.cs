using System.Diagnostics;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation.Software;

/// <summary>
/// Evidence of the level <see cref="EvidenceAssurance.Software"/>: the host's word, signed with the identity key that
/// its operator stated. It proves which host speaks, over which channel, after which checkpoint and for which nonce;
/// it proves nothing about the software that speaks. A tenant whose domains do not list this level is not served by it.
/// </summary>
public static class SoftwareEvidence
{
    /// <summary>The longest nonce, in bytes.</summary>
    public const int MaxNonceBytes = 64;

    private const string Level = "software";
    private const int MaxHostLength = 128;
    private const int MaxOriginLength = 256;

    /// <summary>The form of evidence on the wire.</summary>
    public static DocumentFormat Format { get; } = new(
        "application/vnd.bailiwick.evidence+json", "evidence/v1",
        ["assurance", "host", "checkpoint", "boot", "channelKey", "integrityLog", "nonce"]);

    /// <summary>Writes and signs evidence.</summary>
    /// <param name="claims">What the host says.</param>
    /// <param name="identity">The host's identity key.</param>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(EvidenceClaims claims, ISigner identity)
    {
        ArgumentNullException.ThrowIfNull(claims);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(claims.Nonce.Length, MaxNonceBytes, nameof(claims));
        return SignedDocument.Sign(
            Format,
            new JsonObject
            {
                ["assurance"] = NameOf(claims.Assurance),
                ["host"] = claims.Host,
                ["checkpoint"] = new JsonObject
                {
                    ["origin"] = claims.Checkpoint.Origin,
                    ["size"] = claims.Checkpoint.Size,
                    ["root"] = claims.Checkpoint.Root.Hex,
                },
                ["boot"] = claims.Boot.ToString("D"),
                ["channelKey"] = claims.ChannelKey.Base64,
                ["integrityLog"] = new JsonObject
                {
                    ["entries"] = claims.IntegrityLog.Entries,
                    ["head"] = claims.IntegrityLog.Digest.Hex,
                },
                ["nonce"] = Convert.ToBase64String(claims.Nonce.Span),
            },
            identity);
    }

    /// <summary>The name of a level on the wire.</summary>
    public static string NameOf(EvidenceAssurance assurance) => assurance switch
    {
        EvidenceAssurance.Software => Level,
        _ => throw new UnreachableException(),
    };

    /// <summary>Reads evidence without judging it; null with the fault when it has not the strict form.</summary>
    internal static (SignedDocument Document, EvidenceClaims Claims)? Read(
        ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        switch (SignedDocument.Read(Format, envelopeJson))
        {
            case DocumentReading.Rejected rejected:
                fault = rejected.Sentence;
                return null;
            case DocumentReading.Understood { Document: var document }:
                fault = "A member of the evidence has not the form it must have.";
                return Claims(document.Root) is { } claims ? (document, claims) : null;
            default:
                throw new UnreachableException();
        }
    }

    private static EvidenceClaims? Claims(DocumentObject root) =>
        root.Text("assurance") == Level
        && root.Text("host") is { Length: > 0 and <= MaxHostLength } host
        && Checkpoint(root.Object("checkpoint")) is { } checkpoint
        && root.Text("boot") is { } bootText
        && Guid.TryParseExact(bootText, "D", out var boot) && boot.ToString("D") == bootText
        && root.Key("channelKey") is { } channelKey
        && Log(root.Object("integrityLog")) is { } log
        && root.Bytes("nonce", MaxNonceBytes) is { } nonce
            ? new EvidenceClaims
            {
                Assurance = EvidenceAssurance.Software,
                Host = host,
                Checkpoint = checkpoint,
                Boot = boot,
                ChannelKey = channelKey,
                IntegrityLog = log,
                Nonce = nonce,
            }
            : null;

    private static EvidenceCheckpoint? Checkpoint(DocumentObject? value) =>
        value is not null && value.HasExactly("origin", "size", "root")
        && value.Text("origin") is { Length: > 0 and <= MaxOriginLength } origin
        && value.Count("size") is { } size
        && value.Digest("root") is { } root
            ? new EvidenceCheckpoint(origin, size, root)
            : null;

    private static IntegrityHead? Log(DocumentObject? value) =>
        value is not null && value.HasExactly("entries", "head")
        && value.Count("entries") is { } entries
        && value.Digest("head") is { } head
            ? new IntegrityHead(entries, head)
            : null;
}
