using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>A document about a host's hold on a key, as read; nothing in it is verified.</summary>
public abstract class HolderDocument
{
    private HolderDocument(SignedDocument signed, KeySubject key, HostRef holder, KeyNonce nonce)
    {
        Signed = signed;
        Key = key;
        Holder = holder;
        Nonce = nonce;
    }

    /// <summary>What the key opens.</summary>
    public KeySubject Key { get; }

    /// <summary>The host that holds it.</summary>
    public HostRef Holder { get; }

    /// <summary>The nonce of the release by which it does.</summary>
    public KeyNonce Nonce { get; }

    /// <summary>SHA-256 of the document's payload.</summary>
    public Digest32 Digest => Signed.Digest;

    internal SignedDocument Signed { get; }

    /// <summary>Writes and signs a return.</summary>
    /// <param name="key">What the key opened.</param>
    /// <param name="state">
    /// SHA-256 of the encrypted state of a machine's TPM as it is left; null for a blank one, and for a volume.
    /// </param>
    /// <param name="boot">The boot of the host in which it is returned.</param>
    /// <param name="host">The host that returns.</param>
    /// <param name="nonce">The nonce of the release that ends.</param>
    /// <param name="signer">The host's identity key.</param>
    public static byte[] WriteReturn(
        KeySubject key, Digest32? state, Guid boot, HostRef host, KeyNonce nonce, ISigner signer)
    {
        JsonObject members = Members(key, "host", host, nonce);
        members["state"] = state?.Hex ?? "";
        members["boot"] = boot.ToString("D");
        return SignedDocument.Sign(KeyDocuments.Return, members, signer);
    }

    /// <summary>Writes and signs a host's word on the header that it made.</summary>
    /// <param name="volume">The volume, which was blank.</param>
    /// <param name="made">The digest of its header.</param>
    /// <param name="host">The host that holds the key.</param>
    /// <param name="nonce">The nonce of the release by which it does.</param>
    /// <param name="signer">The host's identity key.</param>
    public static byte[] WriteHeader(
        KeySubject.Volume volume, Digest32 made, HostRef host, KeyNonce nonce, ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(made);
        JsonObject members = Members(volume, "host", host, nonce);
        members["header"] = made.Hex;
        return SignedDocument.Sign(KeyDocuments.Header, members, signer);
    }

    /// <summary>Writes and signs the approval of a takeover.</summary>
    public static byte[] WriteTakeover(
        KeySubject key, HostRef holder, KeyNonce nonce, IReadOnlyList<ISigner> rootKeys) =>
        SignedDocument.Sign(KeyDocuments.Takeover, Members(key, "holder", holder, nonce), rootKeys);

    /// <summary>Reads a return; null with one sentence when it has not the strict form.</summary>
    public static Return? ReadReturn(ReadOnlySpan<byte> envelopeJson, out string fault) =>
        Read(KeyDocuments.Return, "host", envelopeJson, out fault) is var (signed, key, host, nonce)
        && KeyStates.TryRead(signed.Root.Text("state"), out var state)
        && (state is null || key is KeySubject.MachineTpm)
        && Guid.TryParseExact(signed.Root.Text("boot"), "D", out Guid boot)
            ? new Return(signed, key, host, nonce) { State = state, Boot = boot }
            : null;

    /// <summary>Reads a host's word on a header; null with one sentence when it has not the strict form.</summary>
    public static Header? ReadHeader(ReadOnlySpan<byte> envelopeJson, out string fault) =>
        Read(KeyDocuments.Header, "host", envelopeJson, out fault) is var (signed, key, host, nonce)
        && key is KeySubject.Volume volume && signed.Root.Digest("header") is { } made
            ? new Header(signed, volume, made, host, nonce)
            : null;

    /// <summary>Reads an approval; null with one sentence when it has not the strict form.</summary>
    public static Takeover? ReadTakeover(ReadOnlySpan<byte> envelopeJson, out string fault) =>
        Read(KeyDocuments.Takeover, "holder", envelopeJson, out fault) is var (signed, key, host, nonce)
            ? new Takeover(signed, key, host, nonce)
            : null;

    private static JsonObject Members(KeySubject key, string holderMember, HostRef holder, KeyNonce nonce)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(holder);
        ArgumentNullException.ThrowIfNull(nonce);
        return new JsonObject
        {
            ["tenant"] = key.Tenant.ToString(),
            ["key"] = key.ToString(),
            [holderMember] = holder.ToString(),
            ["nonce"] = nonce.Base64,
        };
    }

    private static (SignedDocument Signed, KeySubject Key, HostRef Holder, KeyNonce Nonce)? Read(
        DocumentFormat format, string holderMember, ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        if (SignedDocument.Read(format, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        fault = "A member of the document has not the form it must have.";
        return PartyId.TryParse(document.Root.Text("tenant"), out var tenant)
            && KeySubject.Read(document.Root.Text("key")) is { } key && key.Tenant == tenant
            && KeyReferences.Host(document.Root.Text(holderMember)) is { } holder
            && KeyNonce.Of(document.Root.Bytes("nonce", KeyNonce.Length)) is { } nonce
                ? (document, key, holder, nonce)
                : null;
    }

    /// <summary>A host's word that it has closed what the key opens and forgotten the key.</summary>
    public sealed class Return : HolderDocument
    {
        internal Return(SignedDocument signed, KeySubject key, HostRef host, KeyNonce nonce)
            : base(signed, key, host, nonce)
        {
        }

        /// <summary>The encrypted state of a machine's TPM as it was left; null for a blank one or a volume.</summary>
        public Digest32? State { get; internal init; }

        /// <summary>The boot of the host in which it returns.</summary>
        public Guid Boot { get; internal init; }

        /// <summary>The host that returns.</summary>
        public HostRef Host => Holder;
    }

    /// <summary>A holder's word on the header that it gave to a blank volume.</summary>
    public sealed class Header : HolderDocument
    {
        internal Header(SignedDocument signed, KeySubject.Volume volume, Digest32 made, HostRef host, KeyNonce nonce)
            : base(signed, volume, host, nonce) => Made = made;

        /// <summary>The digest of the header.</summary>
        public Digest32 Made { get; }
    }

    /// <summary>Approval by root keys that a key be taken from the host that holds it.</summary>
    public sealed class Takeover : HolderDocument
    {
        internal Takeover(SignedDocument signed, KeySubject key, HostRef holder, KeyNonce nonce)
            : base(signed, key, holder, nonce)
        {
        }
    }
}
