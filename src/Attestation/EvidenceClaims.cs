using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>What evidence proves at most. Closed; the verifier says it, never the evidence.</summary>
public enum EvidenceAssurance
{
    /// <summary>A key in a file: says who the host claims to be, proves nothing about its software.</summary>
    Software = 1,

    /// <summary>A TPM 2.0 that no vendor known to the verifier vouches for: it may itself be software.</summary>
    SoftwareTpm,

    /// <summary>A TPM 2.0 whose endorsement certificate leads to a vendor that the verifier chose.</summary>
    Tpm,
}

/// <summary>A ledger checkpoint as evidence names it.</summary>
/// <param name="Origin">The log.</param>
/// <param name="Size">How many leaves.</param>
/// <param name="Root">The Merkle root (RFC 6962, section 2.1) over them.</param>
public sealed record EvidenceCheckpoint(string Origin, long Size, Digest32 Root);

/// <summary>What evidence says; by itself it proves nothing.</summary>
public sealed record EvidenceClaims
{
    /// <summary>The host, `operator id/name`.</summary>
    public required string Host { get; init; }

    /// <summary>The newest checkpoint the host has seen.</summary>
    public required EvidenceCheckpoint Checkpoint { get; init; }

    /// <summary>The host's boot.</summary>
    public required Guid Boot { get; init; }

    /// <summary>The key at the host's end of the channel.</summary>
    public required PublicKey ChannelKey { get; init; }

    /// <summary>The head of the host's integrity log.</summary>
    public required IntegrityHead IntegrityLog { get; init; }

    /// <summary>The verifier's nonce, or empty where none was demanded; at most 64 bytes.</summary>
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>
    /// The keys of its encrypted tunnels that concern whom it is shown to, in order, none twice; at most
    /// <see cref="EvidenceDocument.MaxTunnelKeys"/>.
    /// </summary>
    public ImmutableArray<TunnelKey> TunnelKeys { get; init; } = [];

    /// <summary>What the host's TPM says; null where the host has only its word.</summary>
    public TpmClaims? Tpm { get; init; }
}

/// <summary>A TPM's part of evidence.</summary>
/// <param name="AttestationKey">The key that quotes.</param>
/// <param name="Quote">TPMS_ATTEST (TPM 2.0 Part 2, section 10.12.12) as the TPM signed it.</param>
/// <param name="Signature">TPMT_SIGNATURE over it.</param>
/// <param name="Registers">The values that the quote is over.</param>
public sealed record TpmClaims(
    TpmPublic AttestationKey, ReadOnlyMemory<byte> Quote, ReadOnlyMemory<byte> Signature, PcrValues Registers);
