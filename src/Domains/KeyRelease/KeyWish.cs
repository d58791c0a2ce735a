using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a request for a key asks for, without who asks: a machine is to use a key on a host. Nobody signed it, so it
/// releases nothing; whether it would be allowed is answered by the same checks as a request.
/// </summary>
/// <param name="Key">What the key opens.</param>
/// <param name="Compartment">The machine that is to use it.</param>
/// <param name="Host">The host that is to open it.</param>
public sealed record KeyWish(KeySubject Key, CompartmentRef Compartment, HostRef Host)
{
    /// <summary>The tenant whose key it is said to be.</summary>
    public PartyId Tenant { get; init; } = Key.Tenant;

    /// <summary>What the host has of it (<see cref="ReleaseRequest.State"/>); null for nothing.</summary>
    public Digest32? State { get; init; }

    /// <summary>The volume of which it is to become a copy (<see cref="ReleaseRequest.Copy"/>); null mostly.</summary>
    public VolumeRef? Copy { get; init; }
}

/// <summary>
/// Whether a key would go to a host now: <see cref="Allowed"/> or <see cref="Refused"/>. Made only by
/// <see cref="ReleaseControl"/>, and no release: no key is opened by it.
/// </summary>
public abstract class WishVerdict
{
    private WishVerdict()
    {
    }

    /// <summary>
    /// Every check of a release held that does not look at the request itself: a signed one of this host, over fresh
    /// evidence like the last, gets the key, if it shows <see cref="Shown"/>.
    /// </summary>
    public sealed class Allowed : WishVerdict
    {
        internal Allowed(ReleaseSubject subject, Digest32? shown)
        {
            Access = subject.Use?.Access;
            Because = subject.Because;
            Shown = shown;
        }

        /// <summary>What the machine may do with the volume; null of a TPM.</summary>
        public VolumeAccess? Access { get; }

        /// <summary>The statements it rests on.</summary>
        public ImmutableArray<StatementOrigin> Because { get; }

        /// <summary>The header, or the state of a TPM, that the host must show; null for none.</summary>
        public Digest32? Shown { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : WishVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
