using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>How evidence was made, and so what it proves at most. Closed; a level comes with its verifier.</summary>
public enum EvidenceAssurance
{
    /// <summary>A key in a file: says who the host claims to be, proves nothing about its software.</summary>
    Software = 1,
}

/// <summary>A ledger checkpoint as evidence names it.</summary>
/// <param name="Origin">The log.</param>
/// <param name="Size">How many leaves.</param>
/// <param name="Root">The Merkle root (RFC 6962, section 2.1) over them.</param>
public sealed record EvidenceCheckpoint(string Origin, long Size, Digest32 Root);

/// <summary>What evidence says; by itself it proves nothing.</summary>
public sealed record EvidenceClaims
{
    /// <summary>How it was made.</summary>
    public required EvidenceAssurance Assurance { get; init; }

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
}
