using System.Collections.Immutable;
using Bailiwick.Attestation.Endorsement;

namespace Bailiwick.Attestation.MachineTpms;

/// <summary>
/// What a verifier makes of a machine's TPM: <see cref="Genuine"/> or <see cref="Refused"/>. Made only by
/// <see cref="MachineTpmVerifier"/>.
/// </summary>
public abstract class MachineTpmVerdict
{
    private MachineTpmVerdict()
    {
    }

    /// <summary>The verified host vouches for the key as that of the machine's TPM.</summary>
    public sealed class Genuine : MachineTpmVerdict
    {
        internal Genuine(VerifiedMachineTpm tpm) => Tpm = tpm;

        /// <summary>The proof.</summary>
        public VerifiedMachineTpm Tpm { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : MachineTpmVerdict
    {
        internal Refused(ImmutableArray<MachineTpmRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<MachineTpmRefusal> Refusals { get; }
    }
}

/// <summary>One reason against a machine's TPM.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record MachineTpmRefusal(MachineTpmRefusalCode Code, string Sentence);

/// <summary>Every reason there is against a machine's TPM. Closed.</summary>
public enum MachineTpmRefusalCode
{
    /// <summary>What certifies it is not the key that the host's evidence is signed with.</summary>
    OtherHost = 1,

    /// <summary>Its certificate is refused as an endorsement certificate.</summary>
    CertificateRefused,

    /// <summary>Its certificate does not name this machine.</summary>
    OtherMachine,
}

/// <summary>
/// A TPM that a verified host made for one machine. Only <see cref="MachineTpmVerifier"/> makes one; holding one is the
/// proof. That a quote is of this TPM takes an activated credential besides.
/// </summary>
public sealed class VerifiedMachineTpm
{
    private VerifiedMachineTpm(string machine, VerifiedEvidence host, VerifiedEk key) =>
        (Machine, Host, Key) = (machine, host, key);

    /// <summary>The machine, `tenant id/name`.</summary>
    public string Machine { get; }

    /// <summary>The evidence of the host that vouches: it limits what the machine's TPM proves.</summary>
    public VerifiedEvidence Host { get; }

    /// <summary>Its endorsement key.</summary>
    public VerifiedEk Key { get; }

    // Only MachineTpmVerifier calls this, after its last check.
    internal static VerifiedMachineTpm After(string machine, VerifiedEvidence host, VerifiedEk key) =>
        new(machine, host, key);
}
