using Bailiwick.Ledger.Documents;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>The forms of the documents that a key service takes.</summary>
public static class KeyDocuments
{
    /// <summary>A host's request for a key.</summary>
    public static DocumentFormat Request { get; } = new(
        "application/vnd.bailiwick.release-request+json", "release-request/v1",
        [
            "tenant", "key", "state", "copy", "compartment", "host", "nonce", "sessionKey", "endorsementKey",
            "evidence",
        ]);

    /// <summary>A host's word that it has closed what a key opens and forgotten the key.</summary>
    public static DocumentFormat Return { get; } = new(
        "application/vnd.bailiwick.return+json", "return/v1",
        ["tenant", "key", "state", "boot", "host", "nonce"]);

    /// <summary>A holder's word on the header that it gave to a blank volume.</summary>
    public static DocumentFormat Header { get; } = new(
        "application/vnd.bailiwick.header+json", "header/v1", ["tenant", "key", "host", "nonce", "header"]);

    /// <summary>Approval by root keys that a key be taken from the host that holds it.</summary>
    public static DocumentFormat Takeover { get; } = new(
        "application/vnd.bailiwick.takeover+json", "takeover/v1", ["tenant", "key", "holder", "nonce"]);

    /// <summary>Approval by root keys that keys be destroyed.</summary>
    public static DocumentFormat Destroy { get; } = new(
        "application/vnd.bailiwick.destroy+json", "destroy/v1", ["tenant", "what", "subject", "serial"]);

    /// <summary>A key service's word that keys were destroyed.</summary>
    public static DocumentFormat Erasure { get; } = new(
        "application/vnd.bailiwick.erasure-receipt+json", "erasure-receipt/v2",
        [
            "tenant", "what", "subject", "generation", "keys", "record", "document", "ledgerSize", "ledgerRoot",
            "pending", "scrubs",
        ]);

    /// <summary>A key service's order to a host, to scrub what a destroyed key had opened.</summary>
    public static DocumentFormat ScrubOrder { get; } = new(
        "application/vnd.bailiwick.scrub-order+json", "scrub-order/v1",
        ["tenant", "key", "serial", "host", "file", "header", "wipe", "seed"]);

    /// <summary>A host's word on what became of the bytes.</summary>
    public static DocumentFormat Scrub { get; } = new(
        "application/vnd.bailiwick.scrub+json", "scrub/v1",
        ["tenant", "key", "host", "order", "outcome", "bytes", "sampled", "storage", "fileSystem"]);

    /// <summary>A host's word on what it gave away as the backup of a volume.</summary>
    public static DocumentFormat Backup { get; } = new(
        "application/vnd.bailiwick.volume-backup+json", "volume-backup/v1",
        [
            "tenant", "volume", "file", "header", "sizeMiB", "bytes", "sha256", "statement", "revision", "origin",
            "ledgerSize", "ledgerRoot", "host", "at",
        ]);

    /// <summary>Approval by root keys that the TPM enrolled for a host be forgotten.</summary>
    public static DocumentFormat Forget { get; } = new(
        "application/vnd.bailiwick.forget-tpm+json", "forget-tpm/v1", ["tenant", "host", "endorsementKey", "since"]);
}
