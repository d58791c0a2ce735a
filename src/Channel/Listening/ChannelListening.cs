using System.Collections.Immutable;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;

namespace Bailiwick.Channel.Listening;

/// <summary>Where and as whom a server of ours listens.</summary>
/// <param name="Identity">The server's key.</param>
/// <param name="Addresses">Where; at least one.</param>
/// <param name="Time">The clock for certificates and rates.</param>
public sealed record ChannelListening(
    ChannelIdentity Identity, ImmutableArray<ChannelAddress> Addresses, TimeProvider Time);
