using System.Collections.Immutable;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;

namespace Bailiwick.Channel.Listening;

/// <summary>Where and as whom a server of ours listens.</summary>
/// <param name="Identity">The server's key.</param>
/// <param name="Addresses">Where; at least one.</param>
/// <param name="Time">The clock for certificates and rates.</param>
public sealed record ChannelListening(
    ChannelIdentity Identity, ImmutableArray<ChannelAddress> Addresses, TimeProvider Time)
{
    /// <summary>How long callers may take; only a test has another.</summary>
    internal ChannelPatience Patience { get; init; } = ChannelPatience.Usual;
}

/// <summary>How long callers may take.</summary>
/// <param name="Body">How long a body may come slower than <see cref="ChannelLimits.BodyBytesPerSecond"/>.</param>
/// <param name="Request">How long a request that is not a stream may take, however fast it comes.</param>
internal sealed record ChannelPatience(TimeSpan Body, TimeSpan Request)
{
    /// <summary>As <see cref="ChannelLimits"/> say.</summary>
    public static ChannelPatience Usual { get; } = new(
        TimeSpan.FromSeconds(ChannelLimits.BodySeconds), TimeSpan.FromSeconds(ChannelLimits.RequestSeconds));
}
