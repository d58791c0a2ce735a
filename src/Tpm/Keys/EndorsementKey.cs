using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>
/// The TPM's endorsement key (EK), which its vendor has certified. It is made anew from the TPM's seed, always the
/// same, and kept at the TCG's handle for it. Salts and credentials are encrypted to it: a verifier compares its public
/// part with the certificate; nothing here does.
/// </summary>
public sealed class EndorsementKey
{
    private const uint ChainIndex = 0x01c00100;

    private EndorsementKey(TpmConnection tpm, EndorsementAlgorithm algorithm, TpmPublic area)
    {
        Tpm = tpm;
        Algorithm = algorithm;
        Public = area;
        Name = area.Name;
    }

    /// <summary>The TPM it is in.</summary>
    public TpmConnection Tpm { get; }

    /// <summary>RSA or P-256.</summary>
    public EndorsementAlgorithm Algorithm { get; }

    /// <summary>Its persistent handle (TCG TPM v2.0 Provisioning Guidance 1.0, 7.8).</summary>
    public uint Handle => HandleOf(Algorithm);

    /// <summary>Its public area.</summary>
    public TpmPublic Public { get; }

    /// <summary>Its name.</summary>
    public TpmName Name { get; }

    /// <summary>Finds it at its handle, or makes it from the TCG's template and keeps it there.</summary>
    /// <exception cref="TpmException">Another key lies there (Occupied), or the TPM refused.</exception>
    public static EndorsementKey OpenOrCreate(TpmConnection tpm, EndorsementAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        var template = KeyTemplates.Endorsement(algorithm);
        var handle = HandleOf(algorithm);
        var area = tpm.Use(commands => PersistentKey.FindOrMake(
            commands, handle, () => commands.CreatePrimary(NativeEsys.Endorsement, template)));
        var found = area.Write();
        var unique = KeyTemplates.UniqueBytes(algorithm);
        return found.Length == template.Length && found.AsSpan()[..^unique].SequenceEqual(template.AsSpan()[..^unique])
            ? new EndorsementKey(tpm, algorithm, area)
            : throw PersistentKey.Other(handle);
    }

    /// <summary>The vendor's certificate for this key as it lies in the TPM, DER, without what fills the index after
    /// it; null when the vendor put none there. Nothing is checked (<see cref="EkVerifier"/> does).</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public ReadOnlyMemory<byte>? ReadCertificate() => ReadIndex(CertificateIndex);

    /// <summary>The certificate of who made <see cref="ReadCertificate"/>, as it lies in the TPM, DER; null when the
    /// vendor put none there (TCG EK Credential Profile 2.5, section 2.2.1.5.2). Nothing is checked.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public ReadOnlyMemory<byte>? ReadIssuer() => ReadIndex(ChainIndex);

    /// <summary>
    /// Puts the certificate of this key and that of its maker into the TPM, in the place of those that are there. For
    /// the maker of a TPM: it works only before a platform's firmware has taken the platform hierarchy.
    /// </summary>
    /// <exception cref="TpmException">The platform hierarchy has an owner already, or the TPM failed.</exception>
    public void WriteCertificate(ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> issuer) =>
        Tpm.Use(commands =>
        {
            foreach (var (index, content) in new[] { (CertificateIndex, certificate), (ChainIndex, issuer) })
            {
                if (PersistentKey.IsTaken(commands, index))
                {
                    using var old = commands.At(index);
                    commands.UndefineIndex(old);
                }

                commands.MakeIndex(index, content.Span);
            }

            return true;
        });

    private uint CertificateIndex => Algorithm switch
    {
        EndorsementAlgorithm.Rsa2048 => 0x01c00002,
        EndorsementAlgorithm.EccP256 => 0x01c0000a,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private ReadOnlyMemory<byte>? ReadIndex(uint index)
    {
        var bytes = Tpm.Use(commands =>
        {
            if (!PersistentKey.IsTaken(commands, index))
            {
                return null;
            }

            using var found = commands.At(index);
            return commands.ReadIndex(found);
        });
        if (bytes is null)
        {
            return null;
        }

        return EkVerifier.WithoutPadding(bytes).ToArray();
    }

    internal TpmHandle Open(TpmCommands commands) => PersistentKey.Open(commands, Handle, Name);

    private static uint HandleOf(EndorsementAlgorithm algorithm) => algorithm switch
    {
        EndorsementAlgorithm.Rsa2048 => 0x81010001,
        EndorsementAlgorithm.EccP256 => 0x81010002,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
