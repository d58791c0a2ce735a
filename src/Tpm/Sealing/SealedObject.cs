using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Sealing;

/// <summary>
/// A secret that only this TPM gives out, and only while its policy holds. It travels between the processor and the TPM
/// encrypted in both directions, in sessions whose salt is encrypted to the endorsement key.
/// </summary>
public sealed class SealedObject
{
    private readonly StorageKey _parent;

    private SealedObject(StorageKey parent, KeyBlobs blobs)
    {
        _parent = parent;
        Blobs = blobs;
    }

    /// <summary>What is kept of it outside; no secret.</summary>
    public KeyBlobs Blobs { get; }

    /// <summary>Seals a secret.</summary>
    /// <param name="parent">The storage key, in this TPM.</param>
    /// <param name="salt">The endorsement key of the same TPM.</param>
    /// <param name="policyDigest">The SHA-256 policy digest under which it is given out again, 32 bytes.</param>
    /// <param name="secret">1 to <see cref="AccessLimits.SealedBytes"/> bytes.</param>
    /// <exception cref="TpmException">A wrong length (BadInput), or the TPM refused.</exception>
    public static SealedObject Create(
        StorageKey parent, EndorsementKey salt, ReadOnlySpan<byte> policyDigest, ReadOnlySpan<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(salt);
        if (policyDigest.Length != 32 || secret.Length == 0)
        {
            throw new TpmException(
                AccessFault.BadInput, "a sealed object", "no policy of 32 bytes, or nothing to seal");
        }

        var order = new SealOrder(KeyTemplates.Sealed(policyDigest), secret);
        var (area, hidden) = parent.Tpm.Use(order, (commands, wanted) =>
        {
            using var root = parent.Open(commands);
            using var saltKey = salt.Open(commands);
            using var encryption = commands.StartEncryption(saltKey, EncryptedParameter.OfCommand);
            return commands.Create(root, encryption, wanted.Template, wanted.Secret);
        });
        return new SealedObject(parent, new KeyBlobs(area, hidden));
    }

    /// <summary>One that was kept. Whether this TPM takes it is told when it is opened.</summary>
    public static SealedObject FromBlobs(StorageKey parent, KeyBlobs blobs)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(blobs);
        return new SealedObject(parent, blobs);
    }

    /// <summary>Takes over an object that was wrapped for this TPM's storage key.</summary>
    /// <exception cref="TpmException">It was wrapped for another key or changed on its way (NotForThisTpm), or is
    /// malformed (BadInput).</exception>
    public static SealedObject Import(StorageKey parent, WrappedObject wrapped)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(wrapped);
        var hidden = parent.Tpm.Use(commands =>
        {
            using var root = parent.Open(commands);
            return commands.Import(root, wrapped.Public.Span, wrapped.Duplicate.Span, wrapped.Seed.Span);
        });
        return new SealedObject(parent, new KeyBlobs(wrapped.Public, hidden));
    }

    /// <summary>What the policy digest of an object would be that opens at the present values of PCRs; the TPM computes
    /// it.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public static ReadOnlyMemory<byte> PresentPolicy(TpmConnection tpm, PcrSelection pcrs)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        ArgumentNullException.ThrowIfNull(pcrs);
        return tpm.Use(commands =>
        {
            using var trial = commands.StartTrial();
            commands.PolicyPcr(trial, pcrs.Write());
            return commands.PolicyDigest(trial);
        });
    }

    /// <summary>Lends the secret, if the policy holds now.</summary>
    /// <exception cref="TpmException">It does not (PolicyRefused), or the object is not this TPM's (NotForThisTpm).
    /// </exception>
    public T Unseal<T>(EndorsementKey salt, UnsealPolicy policy, SecretUse<T> use)
    {
        ArgumentNullException.ThrowIfNull(salt);
        ArgumentNullException.ThrowIfNull(policy);
        return _parent.Tpm.Use(commands =>
        {
            // The approval first: it needs a slot only until its ticket is there.
            var session = commands.StartPolicy();
            using (session)
            {
                PolicyTerms.Fulfil(commands, session, policy);
                using var item = Load(commands);
                using var saltKey = salt.Open(commands);
                using var encryption = commands.StartEncryption(saltKey, EncryptedParameter.OfResponse);
                return commands.Unseal(item, session, encryption, use);
            }
        });
    }

    private TpmHandle Load(TpmCommands commands)
    {
        using var root = _parent.Open(commands);
        return commands.Load(root, Blobs.Public.Span, Blobs.Private.Span);
    }

    private readonly ref struct SealOrder(byte[] template, ReadOnlySpan<byte> secret)
    {
        public readonly byte[] Template = template;
        public readonly ReadOnlySpan<byte> Secret = secret;
    }
}
