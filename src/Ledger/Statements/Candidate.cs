namespace Bailiwick.Ledger.Statements;

/// <summary>A statement that was read but not verified, with what follows from its bytes alone.</summary>
/// <param name="EnvelopeBytes">The envelope; the candidate's own copy.</param>
/// <param name="Envelope">The envelope as read.</param>
/// <param name="Payload">The payload as read.</param>
/// <param name="Digest">SHA-256 of the payload.</param>
/// <param name="NewKeys">The keys a root statement would put in force; null for other kinds.</param>
internal sealed record Candidate(
    ReadOnlyMemory<byte> EnvelopeBytes,
    Envelope Envelope,
    StatementPayload Payload,
    Digest32 Digest,
    RootKeys? NewKeys)
{
    /// <summary>Whose it claims to be.</summary>
    public PartyId Owner { get; } = Payload.Owner ?? PartyId.OfFirstRoot(Envelope.Payload);
}
