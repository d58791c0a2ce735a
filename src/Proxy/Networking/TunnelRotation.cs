using System.Collections.Immutable;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Which of a switch's two key pairs stand, are named to peers, and are sent by: the new one stands before the old one
/// goes. Pure; moments are of one clock that never goes back.
/// </summary>
/// <param name="Current">The newest pair's number, 0 or 1.</param>
/// <param name="Since">When it was made.</param>
/// <param name="HasFormer">Whether the other pair stands still.</param>
public sealed record TunnelRotation(int Current, TimeSpan Since, bool HasFormer)
{
    /// <summary>How long a pair is used at most.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>For how long both are named: as long as a host is lent trust, so whoever is trusted asked.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromSeconds(60);

    /// <summary>For how long the former still takes what is sent to it after it is no longer named.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    /// <summary>The pairs that stand.</summary>
    public ImmutableArray<int> Standing => HasFormer ? [0, 1] : [Current];

    /// <summary>The former pair's number, while it stands.</summary>
    public int? Former => HasFormer ? 1 - Current : null;

    /// <summary>The pairs that are named to peers.</summary>
    public ImmutableArray<int> Named(TimeSpan now) => IsChanging(now) ? [0, 1] : [Current];

    /// <summary>By which pair a peer is sent to.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="heard">Whether the peer has answered to the newest.</param>
    public int SendBy(TimeSpan now, bool heard) => IsChanging(now) && !heard ? 1 - Current : Current;

    /// <summary>Whether the next pair is due.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="left">Whether somebody left who knew the switch's keys.</param>
    public bool IsDue(TimeSpan now, bool left) => !HasFormer && (left || now - Since >= Lifetime);

    /// <summary>With the next pair; only while there is no former.</summary>
    public TunnelRotation Next(TimeSpan now) => new(1 - Current, now, HasFormer: true);

    /// <summary>
    /// With the former alone, because the newest does not stand; the next is due at once. Only while there is a former.
    /// </summary>
    public TunnelRotation Failed(TimeSpan now) => new(1 - Current, now - Lifetime, HasFormer: false);

    /// <summary>Without the former once nobody sends to it any more.</summary>
    public TunnelRotation Settled(TimeSpan now) =>
        HasFormer && now - Since >= Overlap + Grace ? this with { HasFormer = false } : this;

    private bool IsChanging(TimeSpan now) => HasFormer && now - Since < Overlap;
}
