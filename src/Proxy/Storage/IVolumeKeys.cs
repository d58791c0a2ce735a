using System.Collections.Immutable;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Storage;

/// <summary>The tenants' key services, as the Storage Manager needs them: for volumes and machines' TPMs.</summary>
public interface IVolumeKeys
{
    /// <summary>Asks the tenant's key service for a key, with fresh evidence over its nonce.</summary>
    /// <param name="question">Which key, for whom.</param>
    /// <param name="about">Called with the nonce before the key is asked for; what it throws stops the request.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="Host.WorldException">No answer: the key may or may not have been released.</exception>
    Task<VolumeKeyAnswer> RequestAsync(VolumeKeyQuestion question, Action<string> about, CancellationToken stop);

    /// <summary>
    /// Tells the tenant's key service, signed, which header a blank volume was given: from then on its key is released
    /// with that header alone. No machine starts on it before.
    /// </summary>
    /// <param name="volume">The volume.</param>
    /// <param name="nonce">The nonce under which its key was released, base64.</param>
    /// <param name="header">The header's digest.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Every reason against it; empty when it is bound.</returns>
    /// <exception cref="Host.WorldException">No answer: it may or may not be bound.</exception>
    Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop);

    /// <summary>Tells the tenant's key service, signed, that what a key opens is closed on this host.</summary>
    /// <param name="plan">The plan in force.</param>
    /// <param name="volume">The volume, or the machine's TPM.</param>
    /// <param name="state">SHA-256 of the encrypted state of a TPM; null for a blank one, and for a volume.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Empty when it confirmed, or has no release of ours; else why not, to be tried again.</returns>
    Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop);
}

/// <summary>One key that is needed.</summary>
/// <param name="Plan">The plan in force.</param>
/// <param name="Key">What the key opens.</param>
/// <param name="Compartment">The machine that is about to start.</param>
/// <param name="State">
/// SHA-256 of the encrypted state of its TPM, or the digest of the volume's header; null for a blank one.
/// </param>
public sealed record VolumeKeyQuestion(
    EnforcedPlan Plan, KeySubject Key, CompartmentRef Compartment, Digest32? State = null);

/// <summary>The key service's answer. A closed set.</summary>
public abstract class VolumeKeyAnswer
{
    private VolumeKeyAnswer()
    {
    }

    /// <summary>The key; the receiver disposes of it.</summary>
    public sealed class Released(SecretBytes key) : VolumeKeyAnswer
    {
        /// <summary>The key.</summary>
        public SecretBytes Key { get; } = key;
    }

    /// <summary>No key.</summary>
    public sealed class Refused(ImmutableArray<string> reasons) : VolumeKeyAnswer
    {
        /// <summary>Every reason, with what to do.</summary>
        public ImmutableArray<string> Reasons { get; } = reasons;
    }
}
