using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Everything that a key service remembers of a volume beside its key and its holders: the header that it has, in which
/// boot each holder got the key and whether its host lost the trust since, and how holds ended since the key went to
/// somebody last. Kept with the key, in one text. Immutable.
/// </summary>
public sealed record VolumeMark
{
    private const string HoldPrefix = "held ";
    private const string EndPrefix = "ended ";
    private const string PartSeparator = "; ";

    /// <summary>Nobody ever had the key.</summary>
    public static VolumeMark New { get; } = new();

    /// <summary>What is known of the header.</summary>
    public VolumeHeaderMark Header { get; init; } = new VolumeHeaderMark.New();

    /// <summary>The holds that were noted; one from before they were is not among them.</summary>
    public ImmutableArray<VolumeHold> Holds { get; private init; } = [];

    /// <summary>How holds ended since the key went to a new holder; null where none did.</summary>
    public HoldEnd? Ended { get; private init; }

    /// <summary>Its text: the header's, then a part for each hold and one for the end.</summary>
    public string Text => string.Join(
        PartSeparator,
        (string[])
        [
            Header.Text, .. Holds.Select(one => HoldPrefix + one.Text),
            .. Ended is { } end ? [EndPrefix + end.Text] : Array.Empty<string>(),
        ]);

    /// <summary>Reads the text that <see cref="Text"/> gives; null for any other.</summary>
    public static VolumeMark? Read(string? text)
    {
        string[] parts = text?.Split(PartSeparator) ?? [];
        if (parts.Length == 0 || VolumeHeaderMark.Read(parts[0]) is not { } header)
        {
            return null;
        }

        VolumeMark mark = new() { Header = header };
        foreach (string part in parts.Skip(1))
        {
            if (mark.Ended is null && part.StartsWith(HoldPrefix, StringComparison.Ordinal)
                && VolumeHold.Read(part[HoldPrefix.Length..]) is { } hold)
            {
                mark = mark with { Holds = mark.Holds.Add(hold) };
            }
            else if (mark.Ended is null && part.StartsWith(EndPrefix, StringComparison.Ordinal)
                && HoldEnd.Read(part[EndPrefix.Length..]) is { } end)
            {
                mark = mark with { Ended = end };
            }
            else
            {
                return null;
            }
        }

        return mark.Text == text ? mark : null;
    }

    /// <summary>The hold by a release; null where it was not noted.</summary>
    public VolumeHold? HoldOf(KeyNonce nonce) => Holds.FirstOrDefault(one => one.Nonce.Equals(nonce));

    /// <summary>What is known once the key was released.</summary>
    /// <param name="to">Who gets it.</param>
    /// <param name="boot">The boot of its host.</param>
    /// <param name="before">Who held it until now.</param>
    /// <param name="shown">The header that the host showed; null for none.</param>
    /// <param name="now">The time.</param>
    public VolumeMark Released(KeyHolder to, Guid boot, KeyHolders before, Digest32? shown, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(before);
        KeyHolder? same = before.All.FirstOrDefault(one => one.Host == to.Host && one.Machine == to.Machine);
        return this with
        {
            Header = Header.After(shown, now),
            Holds = Without(same?.Nonce).Add(new VolumeHold(to.Nonce, boot, LostTrust: false)),
            // What ended before was judged when it went to somebody new; a holder that asks again was not asked for it.
            Ended = same is null ? null : Ended,
        };
    }

    /// <summary>What is known once the host of a release lost the trust of a domain that counts for the key.</summary>
    public VolumeMark TrustLost(KeyNonce nonce) => this with
    {
        Holds = [.. Holds.Select(one => one.Nonce.Equals(nonce) ? one with { LostTrust = true } : one)],
    };

    /// <summary>What is known once a host gave the key back.</summary>
    /// <param name="host">The host.</param>
    /// <param name="nonce">The release that ends.</param>
    /// <param name="boot">The boot in which it says so.</param>
    public VolumeMark Returned(HostRef host, KeyNonce nonce, Guid boot)
    {
        VolumeHold? hold = HoldOf(nonce);
        ImmutableArray<MountEvent> events = HoldEvents.Since(hold, boot);
        return End(host, nonce, events.IsEmpty ? [MountEvent.Returned] : events);
    }

    /// <summary>What is known once root keys took the key from a host, whatever it did with it.</summary>
    public VolumeMark TakenOver(HostRef host, KeyNonce nonce) => End(host, nonce, [MountEvent.Takeover]);

    /// <summary>What is known once root keys answered for how holds had ended: the takeover is all that counts.
    /// </summary>
    public VolumeMark Approved(HostRef host, KeyNonce nonce) =>
        this with { Ended = new HoldEnd([MountEvent.Takeover], host, nonce) };

    private VolumeMark End(HostRef host, KeyNonce nonce, ImmutableArray<MountEvent> events) => this with
    {
        Holds = Without(nonce),
        Ended = new HoldEnd([.. events.Concat(Ended?.Events ?? []).Distinct().Order()], host, nonce),
    };

    private ImmutableArray<VolumeHold> Without(KeyNonce? nonce) =>
        nonce is null ? Holds : Holds.RemoveAll(one => one.Nonce.Equals(nonce));
}

/// <summary>What is remembered of one hold.</summary>
/// <param name="Nonce">The release by which it is.</param>
/// <param name="Boot">The boot of the host at the release.</param>
/// <param name="LostTrust">Whether a domain refused the host since.</param>
public sealed record VolumeHold(KeyNonce Nonce, Guid Boot, bool LostTrust)
{
    internal string Text => $"{Nonce.Base64} {Boot:D} {(LostTrust ? "refused" : "trusted")}";

    internal static VolumeHold? Read(string text) =>
        text.Split(' ') is [var nonce, var boot, var word] && KeyNonce.Read(nonce) is { } read
        && Guid.TryParseExact(boot, "D", out Guid id) && word is "refused" or "trusted"
            ? new VolumeHold(read, id, word == "refused")
            : null;
}

/// <summary>How holds on a volume ended since its key went to a new holder.</summary>
/// <param name="Events">What happened, each once, in the order of the words.</param>
/// <param name="Host">The host of the last that ended.</param>
/// <param name="Nonce">The release of the last that ended.</param>
public sealed record HoldEnd(ImmutableArray<MountEvent> Events, HostRef Host, KeyNonce Nonce)
{
    internal string Text => $"{string.Join(',', Events.Select(WireText.Of))} {Host} {Nonce.Base64}";

    internal static HoldEnd? Read(string text)
    {
        if (text.Split(' ') is not [var words, var host, var nonce] || KeyReferences.Host(host) is not { } from
            || KeyNonce.Read(nonce) is not { } read)
        {
            return null;
        }

        var events = ImmutableArray.CreateBuilder<MountEvent>();
        foreach (string word in words.Split(','))
        {
            if (!WireText.TryParse(word, out MountEvent one))
            {
                return null;
            }

            events.Add(one);
        }

        return new HoldEnd(events.ToImmutable(), from, read);
    }
}
