using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// Who keeps what two claim: the tenant that the datacentre lists earlier, and within one tenant the name that sorts
/// first. A tenant can therefore never take a number or a name from one that was there before it.
/// </summary>
internal sealed class TenantRanks(DatacentreModel? datacentre)
{
    private readonly ImmutableArray<PartyId> _tenants = datacentre?.Tenants ?? [];

    /// <summary>Smaller goes first.</summary>
    public int Of(PartyId tenant) => _tenants.IndexOf(tenant) is >= 0 and var rank ? rank : int.MaxValue;
}
