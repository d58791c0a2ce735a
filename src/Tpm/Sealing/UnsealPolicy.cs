using Bailiwick.Attestation.Tpm;
namespace Bailiwick.Tpm.Sealing;

/// <summary>Under which terms something is unsealed; they must be those of the object's own policy digest.</summary>
public abstract record UnsealPolicy
{
    private UnsealPolicy(PcrSelection pcrs) => Pcrs = pcrs;

    /// <summary>The PCRs whose present values count.</summary>
    public PcrSelection Pcrs { get; }

    /// <summary>The PCRs have the values that the object was made for (TPM2_PolicyPCR).</summary>
    public static UnsealPolicy AtPcrs(PcrSelection pcrs) => new PcrTerm(pcrs);

    /// <summary>A key has approved the PCRs' values (TPM2_PolicyPCR, then TPM2_PolicyAuthorize).</summary>
    public static UnsealPolicy ApprovedBy(PcrSelection pcrs, PolicyApproval approval) =>
        new ApprovedTerm(pcrs, approval);

    internal sealed record PcrTerm : UnsealPolicy
    {
        internal PcrTerm(PcrSelection pcrs)
            : base(pcrs)
        {
        }
    }

    internal sealed record ApprovedTerm : UnsealPolicy
    {
        internal ApprovedTerm(PcrSelection pcrs, PolicyApproval approval)
            : base(pcrs) => Approval = approval;

        internal PolicyApproval Approval { get; }
    }
}
