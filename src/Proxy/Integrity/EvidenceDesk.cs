using Bailiwick.Attestation;
using Bailiwick.Channel.Identity;
using Bailiwick.Domains.Policy;
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

    /// <summary>Evidence for a verifier.</summary>
    /// <param name="nonce">The verifier's nonce; empty where none was asked.</param>
    /// <returns>
    /// A DSSE envelope, or null as long as no checkpoint was verified: without one it would prove nothing.
    /// </returns>
    /// <exception cref="WorldException">The TPM does not answer: there is no evidence then.</exception>
    public byte[]? Make(ReadOnlyMemory<byte> nonce) => board.Checkpoint is { } checkpoint
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
            };
            return EvidenceDocument.Write(
                tpm is null ? claims : claims with { Tpm = tpm.Quote(EvidenceDocument.Binding(claims)) },
                identity.Signer);
        })
        : null;

    /// <summary>Evidence over a checkpoint of at least a size, which may be on its way to this host.</summary>
    /// <exception cref="WorldException">
    /// The board has not shown such a checkpoint in time, or the TPM does not answer.
    /// </exception>
    public async Task<byte[]> MakeAsync(ReadOnlyMemory<byte> nonce, long leastSize, CancellationToken stop) =>
        await HasReadAsync(leastSize, stop).ConfigureAwait(false) && Make(nonce) is { } envelope
            ? envelope
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

    /// <summary>The firmware's event log, to be shown beside a quote; empty when this host has none.</summary>
    /// <exception cref="WorldException">It cannot be read.</exception>
    public byte[] BootLog() => Read(logs.Boot);

    /// <summary>
    /// The kernel's runtime log; it is read after a quote, so that what the quote is over is a beginning of it.
    /// </summary>
    /// <exception cref="WorldException">It cannot be read.</exception>
    public byte[] RuntimeLog() => Read(logs.Runtime);

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

    /// <summary>The boot this process runs in, as the kernel names it (random(4), boot_id).</summary>
    public static Guid ReadBoot() => Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
}
