using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Volumes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// A host's signed word on the backup of a volume: what lay in the pool, as ciphertext, and when. It is worth what the
/// host is worth. The volume is opened from it only in its own place and under the header that is bound at its key
/// service; that its content is the newest nobody says. Made only by <see cref="Verify"/>.
/// <para>
/// On its way a backup is the number of its bytes (64 bits, big-endian), the bytes, the number of the manifest's bytes
/// (32 bits) and the manifest; so one that ends early has no manifest.
/// </para>
/// </summary>
public sealed class VolumeBackup
{
    /// <summary>A manifest has at most so many bytes.</summary>
    public const int MaxManifestBytes = 16 << 10;

    private const string Moment = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private VolumeBackup(BackedUpVolume what, Digest32 digest)
    {
        What = what;
        Digest = digest;
    }

    /// <summary>What it says.</summary>
    public BackedUpVolume What { get; }

    /// <summary>SHA-256 of the manifest's payload.</summary>
    public Digest32 Digest { get; }

    /// <summary>The name of an encrypted volume's file in a pool.</summary>
    public static string FileOf(VolumeRef volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return DeviceNames.VolumeFile(volume, encrypted: true);
    }

    /// <summary>Writes and signs a manifest.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(BackedUpVolume what, ISigner host)
    {
        ArgumentNullException.ThrowIfNull(what);
        return SignedDocument.Sign(
            KeyDocuments.Backup,
            new JsonObject
            {
                ["tenant"] = what.Volume.Tenant.ToString(),
                ["volume"] = what.Volume.ToString(),
                ["file"] = FileOf(what.Volume),
                ["header"] = what.Header.Hex,
                ["sizeMiB"] = what.SizeMib,
                ["bytes"] = what.Bytes,
                ["sha256"] = what.Sha256.Hex,
                ["statement"] = what.Statement.Digest.Hex,
                ["revision"] = what.Statement.Revision,
                ["origin"] = what.Ledger.Origin,
                ["ledgerSize"] = what.Ledger.Size,
                ["ledgerRoot"] = what.Ledger.Root.Hex,
                ["host"] = what.Host.ToString(),
                ["at"] = what.At.UtcDateTime.ToString(Moment, CultureInfo.InvariantCulture),
            },
            host);
    }

    /// <summary>Verifies a manifest; null with one sentence when it is none of this host.</summary>
    public static VolumeBackup? Verify(ReadOnlySpan<byte> envelopeJson, PublicKey host, out string fault)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (SignedDocument.Read(KeyDocuments.Backup, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        if (document.Signers(id => id == host.Id ? host : null) is SignatureVerdict.Refused refused)
        {
            fault = $"The host's key {host.Id.Short} did not sign it: {refused.Clause}.";
            return null;
        }

        fault = "A member of the manifest has not the form it must have.";
        return Of(document.Root) is { } what ? new VolumeBackup(what, document.Digest) : null;
    }

    /// <summary>Every reason why a file is not what was backed up, a sentence and a code in brackets; none when it is.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="sha256">The digest of all of it.</param>
    public ImmutableArray<string> Against(DiskBytes file, Digest32 sha256)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(sha256);
        List<string> faults = [];
        if (file.Length != What.Bytes)
        {
            faults.Add($"The file has {file.Length} bytes, and the manifest says {What.Bytes}. [backup-length]");
        }

        if (sha256 != What.Sha256)
        {
            faults.Add(
                $"The file has the digest {sha256.Hex[..16]}, and the manifest says {What.Sha256.Hex[..16]}. "
                + "[backup-content]");
        }

        VolumeContent content = VolumeContent.Check(file, (long)What.SizeMib << 20);
        faults.AddRange(content.Refusals);
        if (content.HeaderDigest is { } header && header != What.Header)
        {
            faults.Add(
                $"Its header is {header.Hex[..16]}, and the manifest says {What.Header.Hex[..16]}. [backup-header]");
        }

        return [.. faults];
    }

    private static BackedUpVolume? Of(DocumentObject root) =>
        KeyReferences.Volume(root.Text("volume")) is { } volume && root.Text("tenant") == volume.Tenant.ToString()
        && root.Text("file") == FileOf(volume) && root.Digest("header") is { } header
        && root.Count("sizeMiB") is { } size and > 0 and <= 16_777_216 && root.Count("bytes") is { } bytes
        && root.Digest("sha256") is { } sha256 && root.Digest("statement") is { } statement
        && root.Count("revision") is { } revision && root.Text("origin") is { Length: > 0 and <= 256 } origin
        && root.Count("ledgerSize") is { } ledger && root.Digest("ledgerRoot") is { } ledgerRoot
        && KeyReferences.Host(root.Text("host")) is { } host
        && DateTimeOffset.TryParseExact(
            root.Text("at"), Moment, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset at)
            ? new BackedUpVolume(volume, header, (int)size, bytes, sha256)
            {
                Statement = (statement, revision),
                Ledger = (origin, ledger, ledgerRoot),
                Host = host,
                At = at,
            }
            : null;
}

/// <summary>What a backup is of.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Header">The digest of its header (<see cref="HeaderDigest"/>).</param>
/// <param name="SizeMib">The size of the disk in it.</param>
/// <param name="Bytes">The length of the file.</param>
/// <param name="Sha256">The digest of the whole file, ciphertext as it lay in the pool.</param>
public sealed record BackedUpVolume(VolumeRef Volume, Digest32 Header, int SizeMib, long Bytes, Digest32 Sha256)
{
    /// <summary>The volume's statement that was in force: SHA-256 of its payload, and its revision.</summary>
    public required (Digest32 Digest, long Revision) Statement { get; init; }

    /// <summary>How much of the ledger the host had seen.</summary>
    public required (string Origin, long Size, Digest32 Root) Ledger { get; init; }

    /// <summary>Who made it.</summary>
    public required HostRef Host { get; init; }

    /// <summary>When, by that host's clock, in seconds.</summary>
    public required DateTimeOffset At { get; init; }
}
