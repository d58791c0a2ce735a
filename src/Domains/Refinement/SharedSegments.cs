using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>The encrypted switches that a host shares with another: whose keys the other has a use for.</summary>
public static class SharedSegments
{
    /// <summary>Their names to each other, in order.</summary>
    /// <param name="plan">This host's plan.</param>
    /// <param name="common">The domains that the other has a part in, trusted or not: it may be on its way.</param>
    public static ImmutableArray<string> With(HostPlan plan, IReadOnlySet<DomainRef> common)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(common);
        var domains = plan.Domains.Where(domain => common.Contains(domain.Domain))
            .Select(domain => domain.Network.Encrypted);
        var passages = plan.Passages.Where(passage => passage.Between.Any(common.Contains))
            .Select(passage => passage.Network.Encrypted);
        return
        [
            .. domains.Concat(passages).OfType<EncryptedTunnels>().Select(tunnels => tunnels.Segment)
                .Order(StringComparer.Ordinal),
        ];
    }
}
