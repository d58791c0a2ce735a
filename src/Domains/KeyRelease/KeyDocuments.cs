using Bailiwick.Ledger.Documents;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>The forms of the documents that a key service takes.</summary>
public static class KeyDocuments
{
    /// <summary>A host's request for a volume's key.</summary>
    public static DocumentFormat Request { get; } = new(
        "application/vnd.bailiwick.release-request+json", "release-request/v1",
        ["tenant", "volume", "compartment", "host", "nonce", "sessionKey", "evidence"]);

    /// <summary>A host's word that it has closed a volume and forgotten its key.</summary>
    public static DocumentFormat Return { get; } = new(
        "application/vnd.bailiwick.return+json", "return/v1", ["tenant", "volume", "host", "nonce"]);

    /// <summary>Approval by root keys that a volume be taken from the host that holds it.</summary>
    public static DocumentFormat Takeover { get; } = new(
        "application/vnd.bailiwick.takeover+json", "takeover/v1", ["tenant", "volume", "holder", "nonce"]);
}
