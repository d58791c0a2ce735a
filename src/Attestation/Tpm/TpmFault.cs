using System.Diagnostics;

namespace Bailiwick.Attestation.Tpm;

/// <summary>Why bytes are not the TPM structure they are read as. Closed; the first one met is given.</summary>
public enum TpmFault
{
    /// <summary>The bytes end before the structure does, or a size field claims more than there is.</summary>
    Truncated = 1,

    /// <summary>Bytes follow the structure, or follow it inside a sized buffer.</summary>
    TrailingBytes,

    /// <summary>A size or count is above the limit of TPM 2.0 Part 2 for that field.</summary>
    TooLarge,

    /// <summary>A size does not fit what it belongs to: a digest to its algorithm, a modulus to its key bits.</summary>
    WrongSize,

    /// <summary>An attestation does not begin with TPM_GENERATED_VALUE: no TPM made it.</summary>
    WrongMagic,

    /// <summary>The attestation is of a kind that evidence does not use.</summary>
    UnknownAttestation,

    /// <summary>A hash algorithm that is not SHA-1, SHA-256, SHA-384 or SHA-512.</summary>
    UnknownHash,

    /// <summary>A public area that is not RSA, ECC or keyed hash.</summary>
    UnknownKeyType,

    /// <summary>A curve that is not P-256 or P-384.</summary>
    UnknownCurve,

    /// <summary>A signing, encryption or key-derivation scheme that evidence does not use.</summary>
    UnknownScheme,

    /// <summary>A symmetric algorithm that is not AES in CFB mode.</summary>
    UnknownSymmetric,

    /// <summary>Bits that must be zero are set.</summary>
    ReservedBits,

    /// <summary>A TPMI_YES_NO that is neither 0 nor 1.</summary>
    NotBoolean,

    /// <summary>A list names one bank twice.</summary>
    DuplicateBank,

    /// <summary>A name that is not a digest, a handle or empty where that may be.</summary>
    NotAName,
}

/// <summary>The faults in words.</summary>
public static class TpmFaults
{
    /// <summary>What is wrong, as the end of "it cannot be read: ...".</summary>
    public static string Clause(this TpmFault fault) => fault switch
    {
        TpmFault.Truncated => "it ends too early, or a size in it claims more bytes than there are",
        TpmFault.TrailingBytes => "bytes follow its end",
        TpmFault.TooLarge => "a size or count in it is above the limit",
        TpmFault.WrongSize => "a size in it does not fit the algorithm it belongs to",
        TpmFault.WrongMagic => "it does not begin with TPM_GENERATED_VALUE, so no TPM made it",
        TpmFault.UnknownAttestation => "it is a kind of attestation that evidence does not use",
        TpmFault.UnknownHash => "it names a hash algorithm other than SHA-1, SHA-256, SHA-384 and SHA-512",
        TpmFault.UnknownKeyType => "it is neither an RSA nor an ECC nor a keyed-hash object",
        TpmFault.UnknownCurve => "its curve is neither P-256 nor P-384",
        TpmFault.UnknownScheme => "it names a scheme that evidence does not use",
        TpmFault.UnknownSymmetric => "it names a symmetric algorithm other than AES in CFB mode",
        TpmFault.ReservedBits => "bits that must be zero are set in it",
        TpmFault.NotBoolean => "a yes-or-no in it is neither 0 nor 1",
        TpmFault.DuplicateBank => "it names one PCR bank twice",
        TpmFault.NotAName => "a name in it is neither a digest nor a handle",
        _ => throw new UnreachableException(),
    };
}
