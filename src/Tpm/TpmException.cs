namespace Bailiwick.Tpm;

/// <summary>
/// The TPM did not do what was asked. It names the fault, the command and the TPM, the response code in words, and what
/// a person can do next.
/// </summary>
public sealed class TpmException : IOException
{
    internal TpmException(AccessFault fault, string place, string cause, uint responseCode = 0)
        : base($"{place}: {cause}. {Step(fault)}")
    {
        Fault = fault;
        Place = place;
        Cause = cause;
        ResponseCode = responseCode;
    }

    /// <summary>What kind of failure it is.</summary>
    public AccessFault Fault { get; }

    /// <summary>The command and the TPM's address.</summary>
    public string Place { get; }

    /// <summary>What happened, in words.</summary>
    public string Cause { get; }

    /// <summary>The response code of the TPM or of tpm2-tss; 0 when neither spoke.</summary>
    public uint ResponseCode { get; }

    /// <summary>What to do next, one sentence.</summary>
    public string NextStep => Step(Fault);

    private static string Step(AccessFault fault) => fault switch
    {
        AccessFault.Absent => "Check the TPM's address, that the firmware's TPM is switched on, or that swtpm runs.",
        AccessFault.Denied => "Run as root or as a member of the group tss.",
        AccessFault.Busy => "End the other program, or use /dev/tpmrm0, which several programs share.",
        AccessFault.Lost => "Start the TPM's program again or look at the kernel's log, then open a new connection.",
        AccessFault.Silent => "See whether another program holds it (swtpm serves one at a time), then open it anew.",
        AccessFault.LibraryMissing => "Install it: apt-get install libtss2-esys-3.0.2-0 libtss2-mu0.",
        AccessFault.Missing => "Create it first, or correct the configured handle.",
        AccessFault.Occupied => "Configure another handle, or remove the object with tpm2_evictcontrol.",
        AccessFault.AuthorizationRefused => "Give the owner and endorsement hierarchies empty authorizations again.",
        AccessFault.PolicyRefused => "Compare the PCRs with those the policy was made for; the host may have to be "
            + "accepted anew.",
        AccessFault.LockedOut => "Wait for the recovery time, or reset the lockout with tpm2_dictionarylockout -c.",
        AccessFault.NotForThisTpm => "Have it made again for this host's present keys.",
        AccessFault.BadInput => "Correct what made these bytes.",
        AccessFault.Full => "Flush what other programs left: tpm2_flushcontext -t -l -s.",
        AccessFault.Unsupported => "Use a TPM 2.0 with SHA-256, AES-128, RSA-2048 and P-256, or another bank.",
        AccessFault.Failed => "Look up the response code; restart the host when the TPM is in failure mode.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
