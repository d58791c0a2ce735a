using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// The opening of one machine's TPM for one start: asks for its key with a state that this host has, and starts it.
/// Which of several states is the newest only the key service knows: an older one is refused, and the next is shown.
/// </summary>
internal sealed class TpmOpening(
    IVolumeKeys keys, HeldVolumes held, IntegrityManager integrity, MachineTpmKeeper tpms)
{
    private const string RolledBack = "[tpm-state-rolled-back]";

    /// <summary>Opens it; empty when it waits for the machine, else every reason against it.</summary>
    /// <exception cref="Host.WorldException">No answer, or the disk or a program refused.</exception>
    public async Task<ImmutableArray<string>> OpenAsync(
        EnforcedPlan plan, CompartmentPlan machine, CancellationToken stop)
    {
        KeySubject subject = new KeySubject.MachineTpm(machine.Ref);
        string name = subject.ToString();
        bool isHeld = held.All.Any(one => one.Volume == name);
        ImmutableArray<string> refusals = [];
        foreach (Digest32? state in tpms.Offers(machine.Ref, isHeld))
        {
            (VolumeKeyAnswer answer, _) = await keys.AskNotedAsync(
                held, new VolumeKeyQuestion(plan, subject, machine.Ref, state), machine, stop).ConfigureAwait(false);
            if (answer is VolumeKeyAnswer.Released released)
            {
                using SecretBytes key = released.Key;
                integrity.Record(
                    IntegrityKind.VolumeOpened, IntegrityReaders.Of(machine.Ref.Tenant), name,
                    $"For {machine.Ref}, in the state {state?.Hex ?? "blank"}.");
                tpms.Start(machine.Ref, key, state);
                return [];
            }

            refusals = ((VolumeKeyAnswer.Refused)answer).Reasons;
            if (!refusals.All(reason => reason.EndsWith(RolledBack, StringComparison.Ordinal)))
            {
                return refusals;
            }
        }

        return refusals;
    }
}
