using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Decides whether a key service forgets the TPM of a host. Which TPM stands for a host concerns all domains of the
/// tenant, so as many root keys must approve as every statement of the tenant needs.
/// </summary>
public static class ForgetControl
{
    /// <summary>Decides.</summary>
    /// <param name="request">The approval as read.</param>
    /// <param name="tenant">The tenant served.</param>
    /// <param name="root">The tenant's root in force.</param>
    /// <param name="bound">The TPM that has the host now; null when none has.</param>
    public static ForgetVerdict Decide(ForgetRequest request, PartyId tenant, RootKeys root, BoundTpm? bound)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(root);
        List<KeyRefusal> refusals = [];
        if (request.Tenant != tenant)
        {
            refusals.Add(new KeyRefusal(
                KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {tenant.Short}, not {request.Tenant.Short}.", null));
        }

        RootApproval.Check(refusals, request.Signed, root, root.Threshold, "have a TPM forgotten", null);
        if (bound != request.Bound)
        {
            refusals.Add(new KeyRefusal(
                KeyRefusalCode.NotEnrolledSo,
                $"{request.Host} is not enrolled with the TPM, and since the time, that the document names.", null));
        }

        return refusals.Count > 0
            ? new ForgetVerdict.Refused([.. refusals])
            : new ForgetVerdict.Approved(request);
    }
}

/// <summary>Whether a host's TPM is forgotten. Made only by <see cref="ForgetControl"/>.</summary>
public abstract class ForgetVerdict
{
    private ForgetVerdict()
    {
    }

    /// <summary>It is: the next TPM that the operator states and that answers gets the host.</summary>
    public sealed class Approved : ForgetVerdict
    {
        internal Approved(ForgetRequest request) => Request = request;

        /// <summary>The verified document.</summary>
        public ForgetRequest Request { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : ForgetVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
