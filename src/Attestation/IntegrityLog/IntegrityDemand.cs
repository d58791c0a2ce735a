using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>What a verifier that follows a host's log brings along, all from its own knowledge.</summary>
/// <param name="Reader">The tenant it reads for; null where it needs only the digests, as other hosts do.</param>
/// <param name="Known">How far it has followed the host's log; null for the first time.</param>
public sealed record IntegrityDemand(PartyId? Reader, IntegrityPosition? Known);
