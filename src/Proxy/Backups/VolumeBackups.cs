using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Backups;

/// <summary>
/// Gives a tenant its volume as it lies in the pool: ciphertext, with a manifest that this host signs. No key is asked
/// for. It is read under QEMU's own lock against writers, so that what is given away is of one moment.
/// </summary>
/// <param name="self">This host, and what it signs with.</param>
/// <param name="plans">What is stated of volumes.</param>
/// <param name="checkpoint">How much of the ledger this host has seen; null before it has.</param>
/// <param name="files">Where volumes are.</param>
/// <param name="integrity">The integrity log.</param>
/// <param name="time">For people.</param>
public sealed class VolumeBackups(
    (HostRef Ref, ISigner Key) self, PlanKeeper plans, Func<VerifiedCheckpoint?> checkpoint, VolumeFiles files,
    IntegrityManager integrity, TimeProvider time)
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Sends a backup.</summary>
    /// <param name="reference">The volume.</param>
    /// <param name="caller">Who asked, for the log.</param>
    /// <param name="output">Where it goes; see <see cref="VolumeBackup"/> for its form.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Why nothing was sent; null when it was, or ended early, which its reader finds.</returns>
    public async Task<RouteProblem?> SendAsync(
        VolumeRef reference, string caller, Stream output, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!TryFind(reference, out DiskPlan? disk, out VerifiedStatement? statement, out RouteProblem? problem))
        {
            return problem;
        }

        if (checkpoint() is not { } seen)
        {
            return new RouteProblem(
                503, "no-checkpoint", "This host has not seen the ledger yet.", "Ask again in a few seconds.");
        }

        try
        {
            if (!File.Exists(files.PathOf(disk)))
            {
                return new RouteProblem(
                    404, "no-file", $"There is no file of {reference.Name} in this host's pool.",
                    "Ask a host whose pool has it; a volume has a file after its first start.");
            }

            using IDisposable unwritten = ImageLock.AgainstWriters(files.PathOf(disk));
            VolumeState state = files.Inspect(disk);
            if (state.Header is not { } header)
            {
                return new RouteProblem(
                    409, "not-ours", string.Join(" ", state.Refusals), "Put the volume's own file back.");
            }

            integrity.Record(
                IntegrityKind.ManagementRead, IntegrityReaders.Of(reference.Tenant), reference.ToString(),
                $"The ciphertext of {reference}, with the header {header}, as a backup, by {caller}.");
            await SendAsync(disk, state, statement, seen, output, stop).ConfigureAwait(false);
            return null;
        }
        catch (WorldException error) when (error.Stderr.EndsWith("[source-written]", StringComparison.Ordinal))
        {
            return new RouteProblem(
                409, "volume-written", $"A machine here writes {reference.Name}: {error.Stderr}",
                "Stop the machine that writes it, and ask again.");
        }
        catch (WorldException error)
        {
            return new RouteProblem(
                503, "unreadable", $"The volume cannot be read: {error.Stderr.Trim()}",
                "Tell the operator that the host's disk has trouble.");
        }
    }

    private async Task SendAsync(
        DiskPlan disk, VolumeState state, VerifiedStatement statement, VerifiedCheckpoint seen, Stream output,
        CancellationToken stop)
    {
        await using FileStream file = new(
            files.PathOf(disk), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, ChunkBytes);
        long length = file.Length;
        byte[] number = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, length);
        await output.WriteAsync(number, stop).ConfigureAwait(false);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes];
        for (long left = length; left > 0;)
        {
            Memory<byte> part = chunk.AsMemory(0, (int)Math.Min(left, chunk.Length));
            await file.ReadExactlyAsync(part, stop).ConfigureAwait(false);
            hash.AppendData(part.Span);
            await output.WriteAsync(part, stop).ConfigureAwait(false);
            left -= part.Length;
        }

        // What was sent is not vouched for when the file was exchanged meanwhile: then it ends without a manifest.
        if (files.Inspect(disk) is not { Refusals.IsEmpty: true } now || now.Header != state.Header
            || now.FormerMib != state.FormerMib)
        {
            return;
        }

        BackedUpVolume what = new(
            disk.Volume, state.Header ?? throw new InvalidOperationException("a volume without a header"),
            state.FormerMib ?? disk.SizeMib, length, Digest32.FromBytes(hash.GetHashAndReset()))
        {
            Statement = (statement.Digest, statement.Revision),
            Ledger = (seen.Origin, seen.Size, seen.Root),
            Host = self.Ref,
            At = time.GetUtcNow(),
        };
        byte[] manifest = VolumeBackup.Write(what, self.Key);
        BinaryPrimitives.WriteInt32BigEndian(number, manifest.Length);
        await output.WriteAsync(number.AsMemory(0, sizeof(int)), stop).ConfigureAwait(false);
        await output.WriteAsync(manifest, stop).ConfigureAwait(false);
        await output.FlushAsync(stop).ConfigureAwait(false);
    }

    private bool TryFind(
        VolumeRef reference, [NotNullWhen(true)] out DiskPlan? disk,
        [NotNullWhen(true)] out VerifiedStatement? statement, [NotNullWhen(false)] out RouteProblem? problem)
    {
        CheckedDatacentre datacentre = plans.Current.Datacentre;
        disk = null;
        problem = null;
        statement = plans.Book.Find(reference.Tenant, StatementKind.Volume, reference.Name);
        if (statement is null || !datacentre.Machinery.Volumes.TryGetValue(reference.ToString(), out var volume)
            || !datacentre.Domains.TryGetValue(volume.Colour.ToString(), out var colour)
            || !datacentre.Inventory.Hosts.TryGetValue(self.Ref.ToString(), out var here))
        {
            problem = new RouteProblem(
                404, "not-found", $"No accepted statement describes the volume {reference.Name}.",
                "State it, or mend its statement.");
            return false;
        }

        if (StorageForm.Of(colour, here) is { Encrypted: false, Because: var why })
        {
            problem = new RouteProblem(
                409, "not-encrypted", $"A backup is ciphertext, and the volume is {why}",
                "Copy the data within a machine.");
            return false;
        }

        disk = new DiskPlan(
            reference, VolumeBackup.FileOf(reference), volume.SizeMib, Encrypted: true, VolumeAccess.Read, "backup",
            Guid.Empty, new Reason($"{volume.Origin} is backed up.", [volume.Origin]))
        {
            Sharing = volume.Sharing,
        };
        return true;
    }
}
