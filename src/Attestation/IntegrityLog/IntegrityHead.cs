using System.Security.Cryptography;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// What an integrity log comes down to: how many entries it has, and a chain hash over all of them,
/// `SHA-256(previous head || canonical entry)` from 32 zero bytes, as a TPM extends a register (TPM 2.0 Part 1,
/// section 17.4). Whoever knows a head notices any entry changed, dropped, added or moved before it.
/// </summary>
/// <param name="Entries">How many entries.</param>
/// <param name="Digest">The chain hash.</param>
public sealed record IntegrityHead(long Entries, Digest32 Digest)
{
    /// <summary>The head of a log without entries.</summary>
    public static IntegrityHead Empty { get; } = new(0, Digest32.FromBytes(new byte[Digest32.Length]));

    /// <summary>The head after one more entry.</summary>
    /// <exception cref="ArgumentException">The entry's sequence is not the next number.</exception>
    public IntegrityHead Extend(IntegrityEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Sequence != Entries)
        {
            throw new ArgumentException($"The next entry is number {Entries}, not {entry.Sequence}.", nameof(entry));
        }

        byte[] both = [.. Digest.Bytes, .. entry.Write()];
        return new IntegrityHead(Entries + 1, Digest32.FromBytes(SHA256.HashData(both)));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Entries} entries, {Digest}";
}
