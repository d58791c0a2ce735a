using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Who may use which VXLAN network number. Two networks with one number would be one network, so of several claimants
/// exactly one has it, everywhere and wherever machines run: derived numbers go before chosen ones, then the tenant
/// that the datacentre's operator listed first, then the reference.
/// </summary>
internal sealed class NetworkNumbers
{
    private readonly Dictionary<int, string> _holders = [];

    private sealed record Claimant(string Reference, int Number, bool Chosen, int Rank);

    public static NetworkNumbers Of(CheckedDatacentre datacentre, ImmutableArray<FlowPair> pairs)
    {
        var claimants = datacentre.Domains.Values
            .Select(domain => new Claimant(domain.Ref.ToString(), DerivedNames.NetworkNumber(domain),
                domain.Network.Number is not null, Rank(datacentre, domain.Ref)))
            .Concat(pairs.Select(pair => new Claimant(pair.Reference, pair.Number,
                Chosen: false, Math.Max(Rank(datacentre, pair.First.Ref), Rank(datacentre, pair.Second.Ref)))));
        var numbers = new NetworkNumbers();
        foreach (var claimant in claimants
            .OrderBy(claimant => claimant.Chosen)
            .ThenBy(claimant => claimant.Rank)
            .ThenBy(claimant => claimant.Reference, StringComparer.Ordinal))
        {
            numbers._holders.TryAdd(claimant.Number, claimant.Reference);
        }

        return numbers;
    }

    /// <summary>True if the network with this reference holds the number.</summary>
    public bool Holds(int number, string reference) =>
        _holders.TryGetValue(number, out var holder) && string.Equals(holder, reference, StringComparison.Ordinal);

    /// <summary>Position of the domain's tenant in the operator's list; those not listed come last.</summary>
    public static int Rank(CheckedDatacentre datacentre, DomainRef domain) => datacentre.Index.Rank(domain.Tenant);
}
