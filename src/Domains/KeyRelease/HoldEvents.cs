using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// After which events a volume may be opened again: what happened since the last opening, held against what the
/// volume's own statement lists. Whoever has the key and asks again in the same boot opens nothing anew.
/// </summary>
public static class HoldEvents
{
    /// <summary>What became of a host since it got a key.</summary>
    /// <param name="hold">What is remembered of it; null for nothing, and then nobody knows its boot.</param>
    /// <param name="boot">The host's boot now; null where it proved none.</param>
    public static ImmutableArray<MountEvent> Since(VolumeHold? hold, Guid? boot) =>
    [
        .. hold is { LostTrust: true } ? [MountEvent.LostTrust] : Array.Empty<MountEvent>(),
        .. boot is null || hold?.Boot == boot ? Array.Empty<MountEvent>() : [MountEvent.HostRestart],
    ];

    /// <summary>What stands between the last opening of a volume and a wish.</summary>
    /// <param name="wish">The wish.</param>
    /// <param name="facts">What the key service knows.</param>
    /// <param name="boot">The boot of the host that asks; null while it proved none.</param>
    internal static ImmutableArray<MountEvent> Before(KeyWish wish, KeyFacts facts, Guid? boot)
    {
        KeyHolder? own = facts.Holders.All.FirstOrDefault(
            one => one.Host == wish.Host && one.Machine == wish.Compartment);
        return own is null ? facts.Kept.Ended?.Events ?? [] : Since(facts.Kept.HoldOf(own.Nonce), boot);
    }

    /// <summary>Which of these a volume's statement does not list; none without such a condition.</summary>
    public static ImmutableArray<MountEvent> Unlisted(VolumeModel volume, ImmutableArray<MountEvent> events)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return volume.Mount?.After is { } after ? [.. events.Where(one => !after.Contains(one))] : [];
    }

    /// <summary>Why a volume is not opened after these.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="unlisted">What its statement does not list.</param>
    /// <param name="host">The host of which it is said.</param>
    internal static string Sentence(VolumeModel volume, ImmutableArray<MountEvent> unlisted, HostRef host)
    {
        ImmutableArray<MountEvent> after = volume.Mount?.After ?? [];
        string words = string.Join(" or ", after.Select(WireText.Of));
        string found = string.Join(", and ", unlisted.Select(one => $"{WireText.Of(one)}: {Words(one, host)}"));
        string next = after.Contains(MountEvent.Takeover) && !unlisted.Contains(MountEvent.Takeover)
            ? $"Let root keys approve it (`bailiwick volume takeover {volume.Ref.Name} --from {host.Name}`), or list "
                + "it in a newer revision of the volume."
            : "List it in a newer revision of the volume.";
        return $"{volume.Origin} is opened again after {words}, and what happened is {found}. {next}";
    }

    private static string Words(MountEvent one, HostRef host) => one switch
    {
        MountEvent.Returned => $"{host.Name} gave it back",
        MountEvent.Takeover => $"root keys took it from {host.Name}",
        MountEvent.LostTrust => $"{host.Name} was refused while it had the key",
        MountEvent.HostRestart => $"{host.Name} started anew while it had the key",
        _ => throw new UnreachableException(),
    };
}
