using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What became of the bytes. Closed.</summary>
public enum ScrubOutcome
{
    /// <summary>Overwritten in place, read back as written, and removed.</summary>
    Overwritten = 1,

    /// <summary>Removed and not overwritten, because the statement asks for no more.</summary>
    Removed,

    /// <summary>Overwritten and removed, but the storage did not give back what was written.</summary>
    SampleDiffers,

    /// <summary>There is nothing of that name.</summary>
    NotFound,

    /// <summary>The file has another header than the key service knew: it was not touched.</summary>
    OtherHeader,

    /// <summary>What has the name is no file of ours: it was not touched.</summary>
    NotOurs,
}

/// <summary>What lies under the pool, and so what an overwrite in it can mean. Closed.</summary>
public enum ScrubStorage
{
    /// <summary>A file system that writes in place on a disk that does too.</summary>
    InPlace = 1,

    /// <summary>A file system that writes in place, on flash or on a device that may put blocks elsewhere.</summary>
    Remapped,

    /// <summary>A file system that writes each change elsewhere: an overwrite proves nothing.</summary>
    CopyOnWrite,

    /// <summary>Memory.</summary>
    Memory,

    /// <summary>A network, or a file system that is not known: an overwrite proves nothing.</summary>
    Unknown,
}

/// <summary>
/// A host's signed word on what became of the bytes that an order was about. It is worth what the host is worth, and
/// says nothing of copies, snapshots or what the storage keeps of overwritten blocks.
/// </summary>
public sealed class ScrubReport
{
    private ScrubReport(ScrubFindings findings, HostRef host, Digest32 order, Digest32 digest)
    {
        Findings = findings;
        Host = host;
        Order = order;
        Digest = digest;
    }

    /// <summary>What it says.</summary>
    public ScrubFindings Findings { get; }

    /// <summary>Who says it.</summary>
    public HostRef Host { get; }

    /// <summary>SHA-256 of the order's payload.</summary>
    public Digest32 Order { get; }

    /// <summary>SHA-256 of the report's payload.</summary>
    public Digest32 Digest { get; }

    /// <summary>Writes and signs a report.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(ScrubOrder order, ScrubFindings findings, ISigner host)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(findings);
        return SignedDocument.Sign(
            KeyDocuments.Scrub,
            new JsonObject
            {
                ["tenant"] = order.Thing.Key.Tenant.ToString(),
                ["key"] = order.Thing.Key.ToString(),
                ["host"] = order.Host.ToString(),
                ["order"] = order.Digest.Hex,
                ["outcome"] = WireText.Of(findings.Outcome),
                ["bytes"] = findings.Bytes,
                ["sampled"] = findings.Sampled,
                ["storage"] = WireText.Of(findings.Storage),
                ["fileSystem"] = findings.FileSystem,
            },
            host);
    }

    /// <summary>Verifies a report; null with one sentence when it is none of this host.</summary>
    public static ScrubReport? Verify(ReadOnlySpan<byte> envelopeJson, PublicKey host, out string fault)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (SignedDocument.Read(KeyDocuments.Scrub, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        if (document.Signers(id => id == host.Id ? host : null) is SignatureVerdict.Refused refused)
        {
            fault = $"The host's key {host.Id.Short} did not sign it: {refused.Clause}.";
            return null;
        }

        fault = "A member of the report has not the form it must have.";
        DocumentObject root = document.Root;
        return KeySubject.Read(root.Text("key")) is { } key && root.Text("tenant") == key.Tenant.ToString()
            && KeyReferences.Host(root.Text("host")) is { } from && root.Digest("order") is { } order
            && WireText.TryParse(root.Text("outcome"), out ScrubOutcome outcome)
            && root.Count("bytes") is { } bytes && root.Count("sampled") is { } sampled
            && WireText.TryParse(root.Text("storage"), out ScrubStorage storage)
            && root.Text("fileSystem") is { Length: <= 32 } name
                ? new ScrubReport(
                    new ScrubFindings(outcome, bytes, sampled) { Storage = storage, FileSystem = name }, from, order,
                    document.Digest)
                : null;
    }
}

/// <summary>What a host found and did.</summary>
/// <param name="Outcome">What became of the bytes.</param>
/// <param name="Bytes">How many bytes were overwritten.</param>
/// <param name="Sampled">How many blocks were read back from the storage afterwards.</param>
public sealed record ScrubFindings(ScrubOutcome Outcome, long Bytes, long Sampled)
{
    /// <summary>What an overwrite there means.</summary>
    public required ScrubStorage Storage { get; init; }

    /// <summary>The file system's name, or its number in hex.</summary>
    public required string FileSystem { get; init; }
}
