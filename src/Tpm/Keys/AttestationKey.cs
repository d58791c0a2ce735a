using System.Security.Cryptography;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>
/// A host's attestation key (AK): ECDSA P-256, restricted, made in the TPM and bound to it. Usually it is a primary key
/// of the endorsement hierarchy at a persistent handle: in quotes of a key of that hierarchy the TPM's counts of resets
/// and its firmware's version are in clear, in others' they are disguised (TPM 2.0 part 1, 36.7). It may also be kept
/// as blobs under the owner's storage key, and is then loaded for each use. That it is in the same TPM as an
/// endorsement key is shown by <see cref="Activate"/>.
/// </summary>
public sealed class AttestationKey
{
    /// <summary>The handle when the configuration names no other: beside the endorsement keys.</summary>
    public const uint DefaultHandle = 0x81010020;

    private const int UniqueBytes = 64;

    private readonly TpmConnection _tpm;
    private readonly uint? _handle;
    private readonly StorageKey? _parent;
    private readonly ReadOnlyMemory<byte> _private;

    private AttestationKey(TpmConnection tpm, TpmPublic area, uint handle)
    {
        _tpm = tpm;
        _handle = handle;
        Public = area;
        Name = area.Name;
    }

    private AttestationKey(StorageKey parent, TpmPublic area, ReadOnlyMemory<byte> hidden)
    {
        _tpm = parent.Tpm;
        _parent = parent;
        _private = hidden;
        Public = area;
        Name = area.Name;
    }

    /// <summary>Its public area.</summary>
    public TpmPublic Public { get; }

    /// <summary>Its name.</summary>
    public TpmName Name { get; }

    /// <summary>Makes one under the storage key; the blobs are its owner's to keep.</summary>
    /// <exception cref="TpmException">The TPM refused.</exception>
    public static KeyBlobs Create(StorageKey parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        var (area, hidden) = parent.Tpm.Use(commands =>
        {
            using var root = parent.Open(commands);
            return commands.Create(root, null, KeyTemplates.Attestation([]), []);
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
            throw new TpmException(AccessFault.BadInput, "an attestation key", "the public area is not one's");
        }

        var made = new AttestationKey(
            parent, PersistentKey.Read(blobs.Public.Span, "an attestation key"), blobs.Private);
        parent.Tpm.Use(commands =>
        {
            made.Open(commands).Dispose();
            return true;
        });
        return made;
    }

    /// <summary>The one at a handle; if nothing lies there, a new one is made and kept there, another than any before.
    /// </summary>
    /// <param name="tpm">The TPM.</param>
    /// <param name="handle">A persistent handle, 0x81000000 to 0x817fffff.</param>
    /// <exception cref="TpmException">Something else lies there (Occupied), or the TPM refused.</exception>
    public static AttestationKey OpenOrCreate(TpmConnection tpm, uint handle = DefaultHandle)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        if (handle is < 0x81000000 or > 0x817fffff)
        {
            throw new ArgumentOutOfRangeException(
                nameof(handle), $"0x{handle:x8} is no persistent handle: 0x81000000 to 0x817fffff.");
        }

        var area = tpm.Use(commands => PersistentKey.FindOrMake(
            commands, handle,
            () => commands.CreatePrimary(
                NativeEsys.Endorsement, KeyTemplates.Attestation(RandomNumberGenerator.GetBytes(UniqueBytes)))));
        return KeyTemplates.IsAttestation(area.Write())
            ? new AttestationKey(tpm, area, handle)
            : throw PersistentKey.Other(handle);
    }

    /// <summary>Has the TPM say which values a selection of PCRs has, over data of the caller's; the values are read as
    /// well, and again when a PCR changed between the reading and the quote.</summary>
    /// <param name="pcrs">Which PCRs.</param>
    /// <param name="extraData">At most <see cref="AccessLimits.ExtraDataBytes"/> bytes.</param>
    /// <exception cref="TpmException">Too much extra data (BadInput), PCRs that the TPM does not have (Unsupported) or
    /// that change without end (Failed), or the TPM refused.</exception>
    public QuoteClaim Quote(PcrSelection pcrs, ReadOnlySpan<byte> extraData)
    {
        ArgumentNullException.ThrowIfNull(pcrs);
        return _tpm.Use(new QuoteOrder(pcrs, extraData), (commands, order) =>
        {
            using var key = Open(commands);
            for (var attempt = 0; attempt < AccessLimits.ReadingAttempts; attempt++)
            {
                var (attest, signature) = commands.Quote(key, order.ExtraData, order.Pcrs.Write());
                var values = PcrRegisters.Read(commands, order.Pcrs).Values;

                // A quote ends with the digest of the values (TPMS_QUOTE_INFO).
                if (values.DigestOver(order.Pcrs, TpmHash.Sha256) is { } digest && attest.AsSpan().EndsWith(digest))
                {
                    return new QuoteClaim(attest, signature, values);
                }
            }

            throw new TpmException(
                AccessFault.Failed, "TPM2_Quote",
                $"PCRs changed during {AccessLimits.ReadingAttempts} quotes");
        });
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
        return _tpm.Use(commands =>
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

        using var root = _parent?.Open(commands) ?? throw new InvalidOperationException("a key without a place");
        return commands.Load(root, Public.Write(), _private.Span);
    }

    private readonly ref struct QuoteOrder(PcrSelection pcrs, ReadOnlySpan<byte> extraData)
    {
        public readonly PcrSelection Pcrs = pcrs;
        public readonly ReadOnlySpan<byte> ExtraData = extraData;
    }
}
