using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>
/// A host's attestation key (AK): ECDSA P-256, restricted, made in the TPM and bound to it. It lies at a persistent
/// handle, or as blobs with its owner and is loaded for each use. That it is in the same TPM as an endorsement key is
/// shown by <see cref="Activate"/>.
/// </summary>
public sealed class AttestationKey
{
    /// <summary>The handle when the configuration names no other: beside the endorsement keys.</summary>
    public const uint DefaultHandle = 0x81010020;

    private readonly StorageKey _parent;
    private readonly uint? _handle;
    private readonly ReadOnlyMemory<byte> _private;

    private AttestationKey(StorageKey parent, uint? handle, KeyBlobs blobs, byte[] name)
    {
        _parent = parent;
        _handle = handle;
        _private = blobs.Private;
        Public = blobs.Public;
        Name = name;
    }

    /// <summary>Its public area, a TPMT_PUBLIC.</summary>
    public ReadOnlyMemory<byte> Public { get; }

    /// <summary>Its name: the hash algorithm's two bytes and the hash of the public area.</summary>
    public ReadOnlyMemory<byte> Name { get; }

    /// <summary>Makes one; the blobs are its owner's to keep.</summary>
    /// <exception cref="TpmException">The TPM refused.</exception>
    public static KeyBlobs Create(StorageKey parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        var (area, hidden) = parent.Tpm.Use(commands =>
        {
            using var root = parent.Open(commands);
            return commands.Create(root, null, KeyTemplates.Attestation(), []);
        });
        return new KeyBlobs(area, hidden);
    }

    /// <summary>One from its blobs; it is loaded once to see that this TPM takes it.</summary>
    /// <exception cref="TpmException">It is no attestation key (BadInput), or this TPM's parent did not make it
    /// (NotForThisTpm).</exception>
    public static AttestationKey FromBlobs(StorageKey parent, KeyBlobs blobs)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(blobs);
        if (!KeyTemplates.IsAttestation(blobs.Public.Span))
        {
            throw new TpmException(TpmFault.BadInput, "an attestation key", "the public area is not one's");
        }

        var name = parent.Tpm.Use(commands =>
        {
            using var root = parent.Open(commands);
            using var key = commands.Load(root, blobs.Public.Span, blobs.Private.Span);
            return commands.Name(key);
        });
        return new AttestationKey(parent, null, blobs, name);
    }

    /// <summary>The one at a handle; if nothing lies there, one is made and kept there.</summary>
    /// <param name="parent">The parent of a new one.</param>
    /// <param name="handle">A persistent handle, 0x81000000 to 0x817fffff (of the owner).</param>
    /// <exception cref="TpmException">Something else lies there (Occupied), or the TPM refused.</exception>
    public static AttestationKey OpenOrCreate(StorageKey parent, uint handle = DefaultHandle)
    {
        ArgumentNullException.ThrowIfNull(parent);
        if (handle is < 0x81000000 or > 0x817fffff)
        {
            throw new ArgumentOutOfRangeException(
                nameof(handle), $"0x{handle:x8} is no persistent handle of the owner: 0x81000000 to 0x817fffff.");
        }

        var (area, name) = parent.Tpm.Use(commands =>
        {
            if (PersistentKey.Find(commands, handle) is { } found)
            {
                return found;
            }

            using var root = parent.Open(commands);
            var (made, hidden) = commands.Create(root, null, KeyTemplates.Attestation(), []);
            using var key = commands.Load(root, made, hidden);
            commands.Persist(key, handle);
            return (made, commands.Name(key));
        });
        return KeyTemplates.IsAttestation(area)
            ? new AttestationKey(parent, handle, new KeyBlobs(area, default), name)
            : throw PersistentKey.Other(handle);
    }

    /// <summary>Has the TPM say which values a selection of PCRs has, over data of the caller's.</summary>
    /// <param name="pcrs">Which PCRs of one bank.</param>
    /// <param name="extraData">At most <see cref="TpmLimits.ExtraDataBytes"/> bytes.</param>
    /// <exception cref="TpmException">Too much extra data (BadInput), or the TPM refused.</exception>
    public SignedQuote Quote(PcrSet pcrs, ReadOnlySpan<byte> extraData)
    {
        ArgumentNullException.ThrowIfNull(pcrs);
        var (attest, signature) = _parent.Tpm.Use(new QuoteOrder(pcrs, extraData), (commands, order) =>
        {
            using var key = Open(commands);
            return commands.Quote(key, order.ExtraData, order.Pcrs.ToWire());
        });
        return new SignedQuote(attest, signature);
    }

    /// <summary>
    /// Opens a credential: only the TPM with both this key and the endorsement key can. The endorsement key is
    /// authorized by a policy session (TPM2_PolicySecret of the endorsement hierarchy), and the secret comes back
    /// encrypted to a session whose salt only that endorsement key can read.
    /// </summary>
    /// <exception cref="TpmException">It was made for another name or TPM (NotForThisTpm), or the TPM refused.
    /// </exception>
    public T Activate<T>(EndorsementKey endorsement, TpmCredential credential, SecretUse<T> use)
    {
        ArgumentNullException.ThrowIfNull(endorsement);
        ArgumentNullException.ThrowIfNull(credential);
        return _parent.Tpm.Use(commands =>
        {
            using var root = endorsement.Open(commands);
            using var key = Open(commands);
            using var encryption = commands.StartEncryption(root, EncryptedParameter.OfResponse);
            using var policy = commands.StartPolicy();
            commands.PolicySecretOfEndorsement(policy);
            return commands.ActivateCredential(
                key, (root, policy), encryption, (credential.Blob, credential.Secret), use);
        });
    }

    private TpmHandle Open(TpmCommands commands)
    {
        if (_handle is { } handle)
        {
            return PersistentKey.Open(commands, handle, Name);
        }

        using var root = _parent.Open(commands);
        return commands.Load(root, Public.Span, _private.Span);
    }

    private readonly ref struct QuoteOrder(PcrSet pcrs, ReadOnlySpan<byte> extraData)
    {
        public readonly PcrSet Pcrs = pcrs;
        public readonly ReadOnlySpan<byte> ExtraData = extraData;
    }
}
