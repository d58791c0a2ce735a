using System.Collections.Immutable;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>
/// What a verifier makes of an endorsement certificate: <see cref="Genuine"/> or <see cref="Refused"/>.
/// </summary>
public abstract class EkVerdict
{
    private EkVerdict()
    {
    }

    /// <summary>A believed vendor certifies the key.</summary>
    public sealed class Genuine : EkVerdict
    {
        internal Genuine(VerifiedEk key) => Key = key;

        /// <summary>The proof.</summary>
        public VerifiedEk Key { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : EkVerdict
    {
        internal Refused(ImmutableArray<EkRefusal> refusals, TpmIdentity? claimed, SubjectKey? key) =>
            (Refusals, Claimed, Key) = (refusals, claimed, key);

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<EkRefusal> Refusals { get; }

        /// <summary>What the certificate says the TPM is, for people; null when it does not say.</summary>
        public TpmIdentity? Claimed { get; }

        /// <summary>The key it is about, for people; null when it cannot be read.</summary>
        public SubjectKey? Key { get; }
    }
}

/// <summary>What a TPM is, by its certificate (TCG EK Credential Profile 2.5, section 3.2.9).</summary>
/// <param name="Manufacturer">The vendor's four letters without padding (`IFX`), or eight hexadecimal digits.</param>
/// <param name="Model">The vendor's text.</param>
/// <param name="Version">The vendor's text, mostly `id:` and eight hexadecimal digits.</param>
public sealed record TpmIdentity(string Manufacturer, string Model, string Version);

/// <summary>One reason against an endorsement certificate.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record EkRefusal(EkRefusalCode Code, string Sentence);

/// <summary>Every reason there is against an endorsement certificate. Closed.</summary>
public enum EkRefusalCode
{
    /// <summary>It is no certificate in DER.</summary>
    Malformed = 1,

    /// <summary>It certifies others, so it is none of a TPM's key.</summary>
    IsAuthority,

    /// <summary>It is for something else than endorsement.</summary>
    OtherUsage,

    /// <summary>It does not say once which TPM it is about.</summary>
    NoTpmIdentity,

    /// <summary>It has a critical extension that is not understood.</summary>
    UnknownCriticalExtension,

    /// <summary>Its key is none that is read.</summary>
    UnknownKey,

    /// <summary>Its RSA key has fewer than 2048 bits.</summary>
    ShortKey,

    /// <summary>Its key was made by the flawed generator of CVE-2017-15361 (ROCA).</summary>
    RocaKey,

    /// <summary>Its key is not the one the TPM shows (CVE-2021-3406, CVE-2022-1053).</summary>
    OtherKey,

    /// <summary>It is signed over SHA-1, or in a way that is not read.</summary>
    WeakSignature,

    /// <summary>It is not valid yet.</summary>
    NotYetValid,

    /// <summary>It has expired, and the policy refuses that.</summary>
    Expired,

    /// <summary>No believed vendor's root leads to it.</summary>
    UnknownIssuer,

    /// <summary>A certificate has its issuer's name and was not signed by it.</summary>
    BadSignature,

    /// <summary>Its issuer, or one above, may not certify endorsement keys (basicConstraints, usage, length).</summary>
    IssuerNotAllowed,

    /// <summary>An issuer may not certify this name, or has constraints that are not understood.</summary>
    NameNotAllowed,
}

/// <summary>What is worth knowing about a genuine certificate. Closed.</summary>
public enum EkRemark
{
    /// <summary>It has expired: vendors certify what they made, and TPMs outlive that.</summary>
    Expired = 1,

    /// <summary>An issuer has expired.</summary>
    IssuerExpired,

    /// <summary>It does not say that it is for endorsement, as older ones do not.</summary>
    NoExtendedUsage,

    /// <summary>An intermediate is signed over SHA-1; it is believed because it is known beforehand.</summary>
    IssuerSignedOverSha1,
}

/// <summary>Whether a certificate whose time is over is refused. Closed; there is no default.</summary>
public enum EkExpiry
{
    /// <summary>It is refused, and so is one whose issuer's time is over.</summary>
    Refuse = 1,

    /// <summary>It is reported.</summary>
    Report,
}

/// <summary>
/// A key that a believed vendor certifies as the endorsement key of a TPM. Only <see cref="EkVerifier"/> makes one;
/// holding one is the proof. That a host has this TPM takes an activated credential besides.
/// </summary>
public sealed class VerifiedEk
{
    private VerifiedEk(
        SubjectKey key, TpmIdentity identity, ImmutableArray<Digest32> chain, ImmutableArray<EkRemark> remarks)
    {
        Key = key;
        Identity = identity;
        Chain = chain;
        Remarks = remarks;
    }

    /// <summary>The endorsement key.</summary>
    public SubjectKey Key { get; }

    /// <summary>Which TPM, as the vendor says.</summary>
    public TpmIdentity Identity { get; }

    /// <summary>SHA-256 of each certificate, from the key's own to the root.</summary>
    public ImmutableArray<Digest32> Chain { get; }

    /// <summary>What is worth knowing besides.</summary>
    public ImmutableArray<EkRemark> Remarks { get; }

    // Only EkVerifier calls this, after its last check.
    internal static VerifiedEk After(
        SubjectKey key, TpmIdentity identity, ImmutableArray<Digest32> chain, ImmutableArray<EkRemark> remarks) =>
        new(key, identity, chain, remarks);
}
