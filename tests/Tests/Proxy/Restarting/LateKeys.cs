using System.Collections.Immutable;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Tests.Proxy.Restarting;

/// <summary>Keys that are known only after the bench that asks for them, and are others after each restart of it.
/// </summary>
internal sealed class LateKeys : IVolumeKeys
{
    public IVolumeKeys Inner { get; set; } = null!; // Set by the test before anything is asked.

    public Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop) =>
        Inner.RequestAsync(question, about, stop);

    public Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
        Inner.BindAsync(volume, nonce, header, stop);

    public Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) =>
        Inner.ReturnAsync(plan, volume, state, stop);

    public bool IsKept(EnforcedPlan plan, HeldVolume volume) => Inner.IsKept(plan, volume);
}
