using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What is to be destroyed. A closed set; each has one text.</summary>
public abstract record DestroySubject
{
    private DestroySubject()
    {
    }

    /// <summary>Whose key it is.</summary>
    public abstract PartyId Tenant { get; }

    /// <summary>How documents name the kind: <c>key</c>, <c>domain</c> or <c>all</c>.</summary>
    public abstract string What { get; }

    /// <summary>Reads both texts exactly as they are written; null for any other.</summary>
    public static DestroySubject? Read(string? what, string? subject) => what switch
    {
        "key" => KeySubject.Read(subject) is { } key ? new OfKey(key) : null,
        "domain" => DomainRef.Read(subject) is { } domain ? new OfDomain(domain) : null,
        "all" => PartyId.TryParse(subject, out var tenant) ? new OfAll(tenant) : null,
        _ => null,
    };

    /// <summary>The key of a volume or of a machine's TPM.</summary>
    public sealed record OfKey(KeySubject Key) : DestroySubject
    {
        /// <inheritdoc/>
        public override PartyId Tenant => Key.Tenant;

        /// <inheritdoc/>
        public override string What => "key";

        /// <summary>The key's text.</summary>
        public override string ToString() => Key.ToString();
    }

    /// <summary>All keys of a domain.</summary>
    public sealed record OfDomain(DomainRef Ref) : DestroySubject
    {
        /// <inheritdoc/>
        public override PartyId Tenant => Ref.Tenant;

        /// <inheritdoc/>
        public override string What => "domain";

        /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;</c>.</summary>
        public override string ToString() => Ref.ToString();
    }

    /// <summary>All keys of the tenant.</summary>
    public sealed record OfAll(PartyId Owner) : DestroySubject
    {
        /// <inheritdoc/>
        public override PartyId Tenant => Owner;

        /// <inheritdoc/>
        public override string What => "all";

        /// <summary>The tenant's id.</summary>
        public override string ToString() => Owner.ToString();
    }
}

/// <summary>
/// Approval by root keys that keys be destroyed, as read; nothing in it is verified. It names the very key by the
/// serial that was drawn with it (for all keys, by the id of the master key), so that it destroys no later key of that
/// name.
/// </summary>
public sealed class DestroyDocument
{
    private DestroyDocument(SignedDocument signed, DestroySubject subject, Digest32 serial)
    {
        Signed = signed;
        Subject = subject;
        Serial = serial;
    }

    /// <summary>What is to be destroyed.</summary>
    public DestroySubject Subject { get; }

    /// <summary>Which one.</summary>
    public Digest32 Serial { get; }

    /// <summary>SHA-256 of the document's payload.</summary>
    public Digest32 Digest => Signed.Digest;

    internal SignedDocument Signed { get; }

    /// <summary>Writes and signs an approval.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(DestroySubject subject, Digest32 serial, IReadOnlyList<ISigner> rootKeys)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(serial);
        return SignedDocument.Sign(
            KeyDocuments.Destroy,
            new JsonObject
            {
                ["tenant"] = subject.Tenant.ToString(),
                ["what"] = subject.What,
                ["subject"] = subject.ToString(),
                ["serial"] = serial.Hex,
            },
            rootKeys);
    }

    /// <summary>Reads an approval; null with one sentence when it has not the strict form.</summary>
    public static DestroyDocument? Read(ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        if (SignedDocument.Read(KeyDocuments.Destroy, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        fault = "A member of the document has not the form it must have.";
        return PartyId.TryParse(document.Root.Text("tenant"), out var tenant)
            && DestroySubject.Read(document.Root.Text("what"), document.Root.Text("subject")) is { } subject
            && subject.Tenant == tenant && document.Root.Digest("serial") is { } serial
                ? new DestroyDocument(document, subject, serial)
                : null;
    }
}
