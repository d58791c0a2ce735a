using System.Diagnostics;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>A document that ends a host's hold on a volume's key, as read; nothing in it is verified.</summary>
public abstract class HolderDocument
{
    private HolderDocument(SignedDocument signed, VolumeRef volume, HostRef holder, KeyNonce nonce)
    {
        Signed = signed;
        Volume = volume;
        Holder = holder;
        Nonce = nonce;
    }

    /// <summary>The volume.</summary>
    public VolumeRef Volume { get; }

    /// <summary>The host whose hold ends.</summary>
    public HostRef Holder { get; }

    /// <summary>The nonce of the release that ends.</summary>
    public KeyNonce Nonce { get; }

    /// <summary>SHA-256 of the document's payload.</summary>
    public Digest32 Digest => Signed.Digest;

    internal SignedDocument Signed { get; }

    /// <summary>Writes and signs a return.</summary>
    public static byte[] WriteReturn(VolumeRef volume, HostRef host, KeyNonce nonce, ISigner signer) =>
        Write(KeyDocuments.Return, "host", volume, host, nonce, [signer]);

    /// <summary>Writes and signs the approval of a takeover.</summary>
    public static byte[] WriteTakeover(
        VolumeRef volume, HostRef holder, KeyNonce nonce, IReadOnlyList<ISigner> rootKeys) =>
        Write(KeyDocuments.Takeover, "holder", volume, holder, nonce, rootKeys);

    /// <summary>Reads a return; null with one sentence when it has not the strict form.</summary>
    public static Return? ReadReturn(ReadOnlySpan<byte> envelopeJson, out string fault) =>
        Read(KeyDocuments.Return, "host", envelopeJson, out fault) is var (signed, volume, host, nonce)
            ? new Return(signed, volume, host, nonce)
            : null;

    /// <summary>Reads an approval; null with one sentence when it has not the strict form.</summary>
    public static Takeover? ReadTakeover(ReadOnlySpan<byte> envelopeJson, out string fault) =>
        Read(KeyDocuments.Takeover, "holder", envelopeJson, out fault) is var (signed, volume, host, nonce)
            ? new Takeover(signed, volume, host, nonce)
            : null;

    private static byte[] Write(
        DocumentFormat format, string holderMember, VolumeRef volume, HostRef holder, KeyNonce nonce,
        IReadOnlyList<ISigner> signers)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(nonce);
        return SignedDocument.Sign(
            format,
            new JsonObject
            {
                ["tenant"] = volume.Tenant.ToString(),
                ["volume"] = volume.ToString(),
                [holderMember] = holder.ToString(),
                ["nonce"] = nonce.Base64,
            },
            signers);
    }

    private static (SignedDocument Signed, VolumeRef Volume, HostRef Holder, KeyNonce Nonce)? Read(
        DocumentFormat format, string holderMember, ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        switch (SignedDocument.Read(format, envelopeJson))
        {
            case DocumentReading.Rejected rejected:
                fault = rejected.Sentence;
                return null;
            case DocumentReading.Understood { Document: var document }:
                fault = "A member of the document has not the form it must have.";
                return PartyId.TryParse(document.Root.Text("tenant"), out var tenant)
                    && KeyReferences.Volume(document.Root.Text("volume")) is { } volume && volume.Tenant == tenant
                    && KeyReferences.Host(document.Root.Text(holderMember)) is { } holder
                    && KeyNonce.Of(document.Root.Bytes("nonce", KeyNonce.Length)) is { } nonce
                        ? (document, volume, holder, nonce)
                        : null;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>A host's word that it has closed a volume and forgotten its key.</summary>
    public sealed class Return : HolderDocument
    {
        internal Return(SignedDocument signed, VolumeRef volume, HostRef host, KeyNonce nonce)
            : base(signed, volume, host, nonce)
        {
        }

        /// <summary>The host that returns.</summary>
        public HostRef Host => Holder;
    }

    /// <summary>Approval by root keys that a volume be taken from the host that holds it.</summary>
    public sealed class Takeover : HolderDocument
    {
        internal Takeover(SignedDocument signed, VolumeRef volume, HostRef holder, KeyNonce nonce)
            : base(signed, volume, holder, nonce)
        {
        }
    }
}
