using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>
/// Evidence on the wire: what the host says, signed with the identity key that its operator stated. Where the host has
/// a TPM, the TPM's quote is over the digest of everything else that is said, and stands beside it. Without one it
/// proves which host speaks, over which channel, after which checkpoint and for which nonce, and nothing about the
/// software that speaks.
/// </summary>
public static class EvidenceDocument
{
    /// <summary>The longest nonce, in bytes.</summary>
    public const int MaxNonceBytes = 64;

    /// <summary>The most tunnel keys one piece of evidence names.</summary>
    public const int MaxTunnelKeys = 1024;

    private const int MaxHostLength = 128;
    private const int MaxOriginLength = 256;
    private static readonly string[] Common = 
        ["host", "checkpoint", "boot", "channelKey", "integrityLog", "nonce", "tunnelKeys"];

    /// <summary>The form of a host's word.</summary>
    public static DocumentFormat WordFormat { get; } =
        new("application/vnd.bailiwick.evidence+json", "evidence/v1", [.. Common]);

    /// <summary>The form of evidence with a TPM's quote.</summary>
    public static DocumentFormat QuoteFormat { get; } =
        new("application/vnd.bailiwick.tpm-evidence+json", "tpm-evidence/v1", [.. Common, "tpm"]);

    /// <summary>
    /// What a quote must carry as its qualifying data (extraData): SHA-256 over the canonical JSON of everything that
    /// the host says besides the quote.
    /// </summary>
    public static Digest32 Binding(EvidenceClaims claims)
    {
        ArgumentNullException.ThrowIfNull(claims);
        JsonObject said = Said(claims);
        said["bailiwick"] = QuoteFormat.Version;
        return Digest32.Of(CanonicalJson.Write(JsonSerializer.SerializeToElement(said)));
    }

    /// <summary>Writes and signs evidence.</summary>
    /// <param name="claims">What the host says.</param>
    /// <param name="identity">The host's identity key.</param>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(EvidenceClaims claims, ISigner identity)
    {
        ArgumentNullException.ThrowIfNull(claims);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(claims.Nonce.Length, MaxNonceBytes, nameof(claims));
        JsonObject said = Said(claims);
        if (claims.Tpm is not { } tpm)
        {
            return SignedDocument.Sign(WordFormat, said, identity);
        }

        said["tpm"] = new JsonObject
        {
            ["attestationKey"] = Convert.ToBase64String(tpm.AttestationKey.Write()),
            ["quote"] = Convert.ToBase64String(tpm.Quote.Span),
            ["signature"] = Convert.ToBase64String(tpm.Signature.Span),
            ["registers"] = Convert.ToBase64String(RegisterList.Write(tpm.Registers)),
        };
        return SignedDocument.Sign(QuoteFormat, said, identity);
    }

    /// <summary>Reads evidence without judging it; null with the fault when it has not the strict form.</summary>
    internal static (SignedDocument Document, EvidenceClaims Claims)? Read(
        ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        DocumentReading word = SignedDocument.Read(WordFormat, envelopeJson);
        DocumentReading reading = word is DocumentReading.Understood
            ? word
            : SignedDocument.Read(QuoteFormat, envelopeJson);
        switch (reading)
        {
            case DocumentReading.Rejected rejected:
                fault = rejected.Sentence;
                return null;
            case DocumentReading.Understood { Document: var document }:
                fault = "A member of the evidence has not the form it must have.";
                return Claims(document.Root, hasQuote: reading != word) is { } claims ? (document, claims) : null;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static JsonObject Said(EvidenceClaims claims) => new()
    {
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
        ["tunnelKeys"] = new JsonArray([.. claims.TunnelKeys.Select(key => new JsonObject
        {
            ["segment"] = key.Segment, ["generation"] = key.Generation, ["port"] = key.Port, ["key"] = key.Key,
        })]),
    };

    private static EvidenceClaims? Claims(DocumentObject root, bool hasQuote)
    {
        TpmClaims? tpm = hasQuote ? Tpm(root.Object("tpm")) : null;
        return tpm is not null == hasQuote
            && root.Text("host") is { Length: > 0 and <= MaxHostLength } host
            && Checkpoint(root.Object("checkpoint")) is { } checkpoint
            && root.Text("boot") is { } bootText
            && Guid.TryParseExact(bootText, "D", out var boot) && boot.ToString("D") == bootText
            && root.Key("channelKey") is { } channelKey
            && Log(root.Object("integrityLog")) is { } log
            && root.Bytes("nonce", MaxNonceBytes) is { } nonce
            && TunnelKeys(root) is { } tunnelKeys
                ? new EvidenceClaims
                {
                    Host = host,
                    Checkpoint = checkpoint,
                    Boot = boot,
                    ChannelKey = channelKey,
                    IntegrityLog = log,
                    Nonce = nonce,
                    TunnelKeys = tunnelKeys,
                    Tpm = tpm,
                }
                : null;
    }

    /// <summary>Well-formed, in order and none twice: one set of keys has one form.</summary>
    private static ImmutableArray<TunnelKey>? TunnelKeys(DocumentObject root)
    {
        if (root.ObjectList("tunnelKeys", MaxTunnelKeys) is not { } list)
        {
            return null;
        }

        var keys = ImmutableArray.CreateBuilder<TunnelKey>(list.Length);
        foreach (DocumentObject item in list)
        {
            if (!item.HasExactly("segment", "generation", "port", "key")
                || item.Text("segment") is not { } segment || item.Text("key") is not { } text
                || item.Count("generation") is not (>= 0 and <= 1 and var generation)
                || item.Count("port") is not (> 0 and <= 65535 and var port)
                || new TunnelKey(segment, (int)generation, (int)port, text) is not { IsWellFormed: true } key
                || (keys.Count > 0 && !keys[^1].Precedes(key)))
            {
                return null;
            }

            keys.Add(key);
        }

        return keys.ToImmutable();
    }

    private static TpmClaims? Tpm(DocumentObject? value) =>
        value is not null && value.HasExactly("attestationKey", "quote", "signature", "registers")
        && value.Bytes("attestationKey", TpmLimits.StructureBytes) is { } area
        && TpmPublic.TryRead(area, out TpmPublic? key, out _)
        && value.Bytes("quote", TpmLimits.StructureBytes) is { } quote
        && value.Bytes("signature", TpmLimits.StructureBytes) is { } signature
        && value.Bytes("registers", RegisterList.MostBytes) is { } text
        && RegisterList.Read(text) is { } registers
            ? new TpmClaims(key, quote, signature, registers)
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
