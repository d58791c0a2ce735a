using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Keys;
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

    /// <summary>
    /// Whether the key is kept so that its machine, which is to run here, can be restarted without asking: it is not
    /// given back meanwhile.
    /// </summary>
    bool IsKept(EnforcedPlan plan, HeldVolume volume);
}

/// <summary>One key that is needed.</summary>
/// <param name="Plan">The plan in force.</param>
/// <param name="Key">What the key opens.</param>
/// <param name="Compartment">The machine that is about to start.</param>
/// <param name="State">
/// SHA-256 of the encrypted state of its TPM, or the digest of the volume's header; null for a blank one.
/// </param>
public sealed record VolumeKeyQuestion(
    EnforcedPlan Plan, KeySubject Key, CompartmentRef Compartment, Digest32? State = null)
{
    /// <summary>What the plan lets the machine do with the volume; null of a TPM.</summary>
    public VolumeAccess? Access { get; init; }

    /// <summary>The volume of the machine that is to be made as a copy of what the key opens, and for which alone it is
    /// asked; null where the machine itself is to use it.</summary>
    public VolumeRef? Copy { get; init; }
}

/// <summary>A key service's leave to open a key again.</summary>
/// <param name="Kept">The release as it came.</param>
/// <param name="Nonce">Its nonce, base64.</param>
/// <param name="Within">For how long, from before it was asked for.</param>
/// <param name="DomainRevision">Revision of the domain's statement by which the key service decided.</param>
/// <param name="CompartmentRevision">Revision of the machine's statement by which it decided.</param>
public sealed record RestartOffer(
    KeptRelease Kept, string Nonce, TimeSpan Within, long DomainRevision, long CompartmentRevision) : IDisposable
{
    /// <summary>Reads what came with a key; null when it may not be opened again.</summary>
    public static RestartOffer? Of(OpenedKey opened)
    {
        ArgumentNullException.ThrowIfNull(opened);
        return opened.Kept is { } kept
            ? new RestartOffer(
                kept, opened.Nonce, TimeSpan.FromSeconds(Number(opened.Context, "restartSeconds")),
                Number(opened.Context, "domainRevision"), Number(opened.Context, "compartmentRevision"))
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => Kept.Dispose();

    private static long Number(JsonElement context, string name) =>
        context.TryGetProperty(name, out JsonElement value) && value.TryGetInt64(out long number) ? number : -1;
}

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

        /// <summary>The release itself, where it may be opened again; the receiver disposes of it.</summary>
        public RestartOffer? Restart { get; init; }
    }

    /// <summary>No key.</summary>
    public sealed class Refused(ImmutableArray<string> reasons) : VolumeKeyAnswer
    {
        /// <summary>Every reason, with what to do.</summary>
        public ImmutableArray<string> Reasons { get; } = reasons;
    }
}
