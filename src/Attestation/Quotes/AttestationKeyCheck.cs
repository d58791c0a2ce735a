using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Quotes;

/// <summary>What stands against a public area as attestation key. Closed.</summary>
public enum AttestationKeyRefusalCode
{
    /// <summary>It holds no RSA key and no point on its curve.</summary>
    NotAKey = 1,

    /// <summary>It does not sign.</summary>
    DoesNotSign,

    /// <summary>It signs what did not come from the TPM as well, so it would sign a forged quote.</summary>
    NotRestricted,

    /// <summary>It decrypts: a key for both could be used as an oracle.</summary>
    Decrypts,

    /// <summary>It can leave its TPM.</summary>
    NotFixedTpm,

    /// <summary>It can get another parent.</summary>
    NotFixedParent,

    /// <summary>Its secret was not made in the TPM, so others may have it.</summary>
    ImportedSecret,

    /// <summary>Its scheme is none or no signing scheme of its type.</summary>
    NoSigningScheme,

    /// <summary>It signs or is named with SHA-1.</summary>
    WeakHash,

    /// <summary>It has fewer than 2048 bits, an unusual exponent, or the fingerprint of CVE-2017-15361.</summary>
    WeakKey,
}

/// <summary>Whether a public area is an attestation key: <see cref="Acceptable"/> or <see cref="Refused"/>.</summary>
public abstract class AttestationKeyVerdict
{
    private AttestationKeyVerdict()
    {
    }

    /// <summary>It is one.</summary>
    public sealed class Acceptable : AttestationKeyVerdict
    {
        internal Acceptable(QuoteKey key) => Key = key;

        /// <summary>The key.</summary>
        public QuoteKey Key { get; }
    }

    /// <summary>It is not.</summary>
    public sealed class Refused : AttestationKeyVerdict
    {
        internal Refused(ImmutableArray<AttestationKeyRefusalCode> codes) => Codes = codes;

        /// <summary>Every reason, in the order of declaration.</summary>
        public ImmutableArray<AttestationKeyRefusalCode> Codes { get; }
    }
}

/// <summary>
/// Checks that a public area is one of a key that signs nothing but what its TPM made, and that never leaves the TPM
/// which made it (TPM 2.0 Part 1, section 34; "AK without fixedTPM" of CVE-2021-3406).
/// </summary>
public static class AttestationKeyCheck
{
    private const int MinRsaBits = 2048;
    private const uint UsualExponent = 65537;

    /// <summary>Judges a public area.</summary>
    public static AttestationKeyVerdict Check(TpmPublic area)
    {
        ArgumentNullException.ThrowIfNull(area);
        var key = area.Key;
        var refusals = ImmutableArray.CreateBuilder<AttestationKeyRefusalCode>();
        foreach (var code in Enum.GetValues<AttestationKeyRefusalCode>())
        {
            if (StandsAgainst(code, area, key))
            {
                refusals.Add(code);
            }
        }

        return refusals.Count == 0 && key is not null
            ? new AttestationKeyVerdict.Acceptable(QuoteKey.After(area, key))
            : new AttestationKeyVerdict.Refused(refusals.ToImmutable());
    }

    /// <summary>A reason in words.</summary>
    public static string Sentence(AttestationKeyRefusalCode code) => code switch
    {
        AttestationKeyRefusalCode.NotAKey => "It holds neither an RSA key nor a point on P-256 or P-384.",
        AttestationKeyRefusalCode.DoesNotSign => "It is no signing key.",
        AttestationKeyRefusalCode.NotRestricted => "It is not restricted: it would sign a forged quote.",
        AttestationKeyRefusalCode.Decrypts => "It decrypts as well as signs.",
        AttestationKeyRefusalCode.NotFixedTpm => "It is not fixed to its TPM.",
        AttestationKeyRefusalCode.NotFixedParent => "It is not fixed to its parent.",
        AttestationKeyRefusalCode.ImportedSecret => "Its secret was not made inside the TPM.",
        AttestationKeyRefusalCode.NoSigningScheme => "It has no signing scheme of its own.",
        AttestationKeyRefusalCode.WeakHash => "It signs or is named with SHA-1.",
        AttestationKeyRefusalCode.WeakKey =>
            "It is too short, has an unusual exponent, or was made by the generator of CVE-2017-15361.",
        _ => throw new UnreachableException(),
    };

    private static bool StandsAgainst(AttestationKeyRefusalCode code, TpmPublic area, SubjectKey? key) => code switch
    {
        AttestationKeyRefusalCode.NotAKey => key is null,
        AttestationKeyRefusalCode.DoesNotSign => !area.Attributes.HasFlag(TpmAttributes.Sign),
        AttestationKeyRefusalCode.NotRestricted => !area.Attributes.HasFlag(TpmAttributes.Restricted),
        AttestationKeyRefusalCode.Decrypts => area.Attributes.HasFlag(TpmAttributes.Decrypt),
        AttestationKeyRefusalCode.NotFixedTpm => !area.Attributes.HasFlag(TpmAttributes.FixedTpm),
        AttestationKeyRefusalCode.NotFixedParent => !area.Attributes.HasFlag(TpmAttributes.FixedParent),
        AttestationKeyRefusalCode.ImportedSecret => !area.Attributes.HasFlag(TpmAttributes.SensitiveDataOrigin),
        AttestationKeyRefusalCode.NoSigningScheme => SchemeOf(area).Kind
            is not (TpmSchemeKind.RsaSsa or TpmSchemeKind.RsaPss or TpmSchemeKind.Ecdsa),
        AttestationKeyRefusalCode.WeakHash =>
            !area.NameHash.IsStrong() || SchemeOf(area).Hash is { } hash && !hash.IsStrong(),
        AttestationKeyRefusalCode.WeakKey => area.Detail is TpmKeyDetail.Rsa rsa && key is not null
            && (key.Bits < MinRsaBits || rsa.Exponent is not (0 or UsualExponent) || RocaFingerprint.Marks(key)),
        _ => throw new UnreachableException(),
    };

    private static TpmScheme SchemeOf(TpmPublic area) => area.Detail switch
    {
        TpmKeyDetail.Rsa rsa => rsa.Scheme,
        TpmKeyDetail.Ecc ecc => ecc.Scheme,
        TpmKeyDetail.KeyedHash keyed => keyed.Scheme,
        _ => throw new UnreachableException(),
    };
}
