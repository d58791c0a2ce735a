using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What the key service keeps of a key against a request for it: its domain, its destruction, the state that it is for.
/// </summary>
internal sealed class KeptCase(ReleaseCase reasons)
{
    private KeyWish Wish => reasons.Wish;

    private KeyFacts Facts => reasons.Facts;

    /// <summary>Adds every reason.</summary>
    /// <param name="evidence">The evidence; null when none was verified, and then nothing is released anyway.</param>
    public void Check(VerifiedEvidence? evidence)
    {
        CheckColour();
        CheckDestroyed();
        CheckWithdrawn();
        CheckEvents(evidence);
        CheckState(evidence);
    }

    /// <summary>
    /// A key is of the domain of its first release: what was written under one domain's policy never opens under
    /// another's.
    /// </summary>
    private void CheckColour()
    {
        if (Facts.Colour is { } colour && reasons.Subject is { Domain: var domain } && domain.Ref != colour)
        {
            reasons.Add(
                KeyRefusalCode.ColourDiffers,
                $"The key of {Wish.Key} was made for the domain {colour.Name}, and is now stated to be of "
                + $"{domain.Ref.Name}. State {colour.Name} again, or make a new volume and copy what may be copied.",
                domain.Origin);
        }
    }

    /// <summary>A key that its tenant withdrew goes to nobody.</summary>
    private void CheckWithdrawn()
    {
        if (Facts.Withdrawn is { } since)
        {
            reasons.Add(
                KeyRefusalCode.KeyWithdrawn,
                $"The tenant withdrew the key of {Wish.Key} at {since:u}: it goes to no host until it is allowed "
                + "again.");
        }
    }

    /// <summary>How the last holds ended must be what the volume's own statement lists.</summary>
    /// <param name="evidence">The evidence; null when none was verified, and then nothing is released anyway.</param>
    private void CheckEvents(VerifiedEvidence? evidence)
    {
        if (Wish.Key is KeySubject.Volume { Ref: var asked }
            && reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(asked.ToString()) is { } volume
            && HoldEvents.Unlisted(volume, HoldEvents.Before(Wish, Facts, evidence?.Boot)) is { IsEmpty: false } all)
        {
            bool isHolder = Facts.Holders.All.Any(one => one.Host == Wish.Host && one.Machine == Wish.Compartment);
            reasons.Add(
                KeyRefusalCode.VolumeEventNotAllowed,
                HoldEvents.Sentence(volume, all, isHolder ? Wish.Host : Facts.Kept.Ended?.Host ?? Wish.Host),
                volume.Origin);
        }
    }

    /// <summary>A key that was destroyed is made anew only when its owner says so, by a newer statement.</summary>
    private void CheckDestroyed()
    {
        if (reasons.Subject is not { Domain: var domain } subject)
        {
            return;
        }

        if (Facts.Destroyed is { } revision && subject.Revision <= revision)
        {
            reasons.Add(
                KeyRefusalCode.KeyDestroyed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The key of {Wish.Key} was destroyed at revision {revision} of its statement, and what it "
                    + $"encrypted is lost. Publish a newer revision if a new, empty one is wanted."));
        }

        if (Facts.DomainDestroyed(domain.Ref) is { } domainRevision && domain.Origin.Revision <= domainRevision)
        {
            reasons.Add(
                KeyRefusalCode.KeyDestroyed,
                $"The keys of {domain.Origin} were destroyed. Publish a newer revision of the domain if it shall have "
                + "new ones.",
                domain.Origin);
        }
    }

    /// <summary>What the host has of what the key opens must be what it is to be.</summary>
    /// <param name="evidence">The evidence; null when none was verified, and then nothing is released anyway.</param>
    private void CheckState(VerifiedEvidence? evidence)
    {
        switch (Wish.Key)
        {
            case KeySubject.MachineTpm:
                CheckTpmState(evidence);
                break;
            case KeySubject.Volume:
                CheckHeader();
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// The state of a machine's TPM must be the one that was returned last. A host that has the key and asks again is
    /// in the same boot: what became of the state meanwhile is in nobody else's hands.
    /// </summary>
    private void CheckTpmState(VerifiedEvidence? evidence)
    {
        switch (Facts.Mark)
        {
            case TpmStateMark.New when Wish.State is { } stranger:
                reasons.Add(
                    KeyRefusalCode.TpmStateUnknown,
                    $"The host shows the state {stranger.Hex[..16]} of {Wish.Key}, for which no key was ever made.");
                break;
            case TpmStateMark.Returned returned when returned.State != Wish.State:
                reasons.Add(
                    KeyRefusalCode.TpmStateRolledBack,
                    $"{Wish.Key} was returned {Named(returned.State)}, and the host shows it "
                    + $"{Named(Wish.State)}: it is a copy or an older one. Put the newest back, or have root keys "
                    + "approve a takeover.");
                break;
            case TpmStateMark.Out { Boot: var boot } when evidence is not null && evidence.Boot != boot:
                reasons.Add(
                    KeyRefusalCode.TpmStateNotReturned,
                    $"{Wish.Key} was never returned from the boot {boot:D} of its holder, so nobody knows its "
                    + "newest state. Root keys of the tenant must approve a takeover.");
                break;
            case TpmStateMark.New or TpmStateMark.Returned or TpmStateMark.Out or TpmStateMark.Open:
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// A volume has the header that was made with it, and no other. What lies in the pool is nobody's evidence against
    /// the host that shows it.
    /// </summary>
    private void CheckHeader()
    {
        if (Wish.Copy is { } copy && Facts.Header is not VolumeHeaderMark.Bound)
        {
            reasons.Add(
                KeyRefusalCode.VolumeBlank,
                $"{Wish.Key} was not made yet, so {copy.Name} cannot be a copy of it. Start a machine that writes "
                + "it first.");
            return;
        }

        switch (Facts.Header, Wish.State)
        {
            case (VolumeHeaderMark.New, { } stranger):
                reasons.Add(
                    KeyRefusalCode.HeaderUnknown,
                    $"The host shows the header {stranger.Hex[..16]} of {Wish.Key}, for which no key was ever made. "
                    + "Take that file out of the pool.");
                break;
            case (VolumeHeaderMark.New or VolumeHeaderMark.Blank, _)
                when reasons.Subject?.Use is { Access: VolumeAccess.Read } && !IsFilledFor:
                reasons.Add(
                    KeyRefusalCode.VolumeBlank,
                    $"{Wish.Key} was not made yet, and {Wish.Compartment.Name} only reads it. Start a machine "
                    + "that writes it first.");
                break;
            case (VolumeHeaderMark.Blank, _)
                when reasons.Subject?.Use is { Sharing: not VolumeSharing.Exclusive } && Maker() is { } maker:
                reasons.Add(
                    KeyRefusalCode.VolumeBlank,
                    $"{maker.Machine.Name} on {maker.Host.Name} is making {Wish.Key}, and has not said yet which "
                    + "header it has. Wait until it has.");
                break;
            case (VolumeHeaderMark.Blank, { } early) when BeginsWithContent:
                reasons.Add(
                    KeyRefusalCode.ContentUnfinished,
                    $"{Wish.Key} begins with content, and nobody has confirmed that the file with the header "
                    + $"{early.Hex[..16]} has all of it. Take that file out of the pool.");
                break;
            case (VolumeHeaderMark.Bound bound, null):
                reasons.Add(
                    KeyRefusalCode.HeaderMissing,
                    $"{Wish.Key} has the header {bound.Header.Hex[..16]} since {bound.Since:u}, and the host finds "
                    + "no file of it. Put it back: no blank volume takes its place.");
                break;
            case (VolumeHeaderMark.Bound bound, { } shown) when bound.Header != shown:
                reasons.Add(
                    KeyRefusalCode.HeaderDiffers,
                    $"{Wish.Key} has the header {bound.Header.Hex[..16]} since {bound.Since:u}, and the host shows "
                    + $"{shown.Hex[..16]}: it is another volume's, an older one or damaged. Put the right file back.");
                break;
            case (VolumeHeaderMark.New or VolumeHeaderMark.Blank or VolumeHeaderMark.Bound, _):
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// A blank volume's first file counts as soon as it is shown, for there is nothing in it; one that is to be filled
    /// counts only when its host says that it is, which binds the header.
    /// </summary>
    private bool BeginsWithContent => Wish.Key is KeySubject.Volume volume
        && reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(volume.Ref.ToString()) is { BeginsWithContent: true };

    /// <summary>The host fills it before its first machine starts, so one of its tenant's may be a reader.</summary>
    private bool IsFilledFor => BeginsWithContent && Wish.Compartment.Tenant == Wish.Key.Tenant;

    private KeyHolder? Maker() => Facts.Holders.All.FirstOrDefault(
        one => one.Host != Wish.Host || one.Machine != Wish.Compartment);

    private static string Named(Digest32? state) => state is null ? "blank" : $"as {state.Hex[..16]}";
}
