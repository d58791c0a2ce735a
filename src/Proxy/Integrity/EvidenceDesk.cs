using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Makes this host's evidence: over the newest checkpoint it has verified, the head of its integrity log, the key of
/// its channel, and the verifier's nonce. Where the host has a TPM, the TPM quotes over all of it; otherwise it is the
/// host's signed word.
/// </summary>
public sealed class EvidenceDesk(
    HostRef host, ChannelIdentity identity, IntegrityManager integrity, BoardWatch board, HostTpm? tpm,
    MeasurementConfiguration logs)
{
    private const int PatienceTenths = 100;

    /// <summary>The tunnel keys that another host is named: those of the switches that both have a part in.</summary>
    public Func<HostRef, ImmutableArray<TunnelKey>> TunnelKeys { get; init; } = _ => [];

    /// <summary>This host's TPM; null when it has none.</summary>
    public HostTpm? Tpm => tpm;

    /// <summary>Evidence for a verifier.</summary>
    /// <param name="nonce">The verifier's nonce; empty where none was asked.</param>
    /// <returns>
    /// A DSSE envelope, or null as long as no checkpoint was verified: without one it would prove nothing.
    /// </returns>
    /// <exception cref="WorldException">The TPM does not answer: there is no evidence then.</exception>
    public byte[]? Make(ReadOnlyMemory<byte> nonce) => Show(nonce)?.Envelope;

    /// <summary>Evidence for a verifier who also follows the log; null as for <see cref="Make"/>.</summary>
    /// <param name="nonce">The verifier's nonce.</param>
    /// <param name="peer">The host that verifies; null for anybody else.</param>
    /// <exception cref="WorldException">The TPM does not answer: there is no evidence then.</exception>
    public HostEvidence? Show(ReadOnlyMemory<byte> nonce, HostRef? peer = null) => board.Checkpoint is { } checkpoint
        ? integrity.WhileStill(head =>
        {
            EvidenceClaims claims = new()
            {
                Host = host.ToString(),
                Checkpoint = new EvidenceCheckpoint(checkpoint.Origin, checkpoint.Size, checkpoint.Root),
                Boot = integrity.Boot,
                ChannelKey = identity.Key,
                IntegrityLog = head,
                Nonce = nonce,
                TunnelKeys = peer is null ? [] : TunnelKeys(peer),
            };
            TpmClaims? quoted = tpm?.Quote(EvidenceDocument.Binding(claims));
            return new HostEvidence(
                EvidenceDocument.Write(claims with { Tpm = quoted }, identity.Signer), head,
                quoted is not null && TpmAttest.TryRead(quoted.Quote.Span, out TpmAttest? said, out _)
                    ? said.Clock : null);
        })
        : null;

    /// <summary>Evidence over a checkpoint of at least a size, which may be on its way to this host.</summary>
    /// <exception cref="WorldException">
    /// The board has not shown such a checkpoint in time, or the TPM does not answer.
    /// </exception>
    public async Task<HostEvidence> ShowAsync(ReadOnlyMemory<byte> nonce, long leastSize, CancellationToken stop) =>
        await HasReadAsync(leastSize, stop).ConfigureAwait(false) && Show(nonce) is { } made
            ? made
            : throw new WorldException(
                ["make evidence"], -1,
                $"the board has shown no checkpoint of {leastSize} leaves; this host holds "
                + $"{board.Checkpoint?.Size ?? 0}");

    /// <summary>Waits until this host has read so far; false when the board does not show it in time.</summary>
    public async Task<bool> HasReadAsync(long leastSize, CancellationToken stop)
    {
        for (int attempt = 0; attempt < PatienceTenths; attempt++)
        {
            if (board.Checkpoint is { } checkpoint && checkpoint.Size >= leastSize)
            {
                return true;
            }

            await Task.Delay(100, stop).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>What a verifier is shown of the integrity log beside evidence, as canonical JSON.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="after">How far the verifier says it followed the log.</param>
    /// <param name="reader">The tenant it verifies for; null for digests alone.</param>
    /// <returns>Empty when the log since the boot is longer than what can be shown at once.</returns>
    public byte[] IntegrityLog(HostEvidence evidence, IntegrityPosition? after, PartyId? reader)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        return integrity.Tail(after, evidence.Head, reader)?.Write() ?? [];
    }

    /// <summary>What a tenant's key service is shown, after what it said with its nonce.</summary>
    /// <param name="envelope">What is signed: the evidence, or a request around it.</param>
    /// <param name="evidence">The evidence.</param>
    /// <param name="given">What it said with its nonce: how far it followed the log, and what it holds.</param>
    /// <param name="tenant">Whose it is.</param>
    /// <exception cref="WorldException">A log cannot be read.</exception>
    public SignedRequest Beside(byte[] envelope, HostEvidence evidence, NonceAnswer given, PartyId tenant)
    {
        ArgumentNullException.ThrowIfNull(given);
        EvidenceLogs shown = Logs(evidence, given.Held is { } held ? LogsPosition.Read(held) : null);
        return new SignedRequest(
            envelope, shown.BootLog, shown.RuntimeLog,
            IntegrityLog(evidence, given.Followed is { } told ? IntegrityPosition.Read(told) : null, tenant),
            shown.After?.Write());
    }

    /// <summary>
    /// The firmware's event log and the kernel's runtime log, to be shown beside a quote; empty where this host has
    /// none. They are read after the quote, so that what it is over is a beginning of them.
    /// </summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="held">What the verifier says it holds; null for nothing.</param>
    /// <exception cref="WorldException">One cannot be read.</exception>
    public EvidenceLogs Logs(HostEvidence evidence, LogsPosition? held)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        return new EvidenceLogs(Read(logs.Boot), Read(logs.Runtime)).Beyond(held, integrity.Boot, evidence.Clock);
    }

    private static byte[] Read(string path)
    {
        try
        {
            return path.Length == 0 ? [] : File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["read", path], -1, error.Message);
        }
    }

    /// <summary>The boot that this host's evidence is of.</summary>
    public Guid Boot => integrity.Boot;

    /// <summary>The boot this process runs in, as the kernel names it (random(4), boot_id).</summary>
    public static Guid ReadBoot() => Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
}

/// <summary>What a verifier asks this host to show.</summary>
/// <param name="Nonce">Its nonce.</param>
/// <param name="After">How far it followed the integrity log; null for the first time.</param>
/// <param name="Held">What it holds of the other two logs; null for nothing.</param>
/// <param name="Reader">The tenant it verifies for; null for digests alone.</param>
/// <param name="Peer">The host that asks; null for anybody else.</param>
public sealed record ProofAsked(
    ReadOnlyMemory<byte> Nonce, IntegrityPosition? After, LogsPosition? Held, PartyId? Reader, HostRef? Peer);

/// <summary>Evidence, and the head of the integrity log in it.</summary>
/// <param name="Envelope">A DSSE envelope.</param>
/// <param name="Head">The head.</param>
/// <param name="Clock">The TPM's counters in the quote; null without one.</param>
public sealed record HostEvidence(byte[] Envelope, IntegrityHead Head, TpmClockInfo? Clock);
