using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Log;

/// <summary>
/// How many statements each tenant's key service may publish now: an entry of the log stays for ever, and no person
/// signs these. Repeated ones count too. Safe for use from several threads.
/// </summary>
public sealed class KeyChangeBudget(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PartyId, (double Left, long At)> _left = [];

    /// <summary>Takes so many, or none and says no.</summary>
    public bool Take(PartyId tenant, int count)
    {
        lock (_gate)
        {
            (double left, long at) = _left.GetValueOrDefault(
                tenant, (MasterLimits.KeyChangesAtOnce, time.GetTimestamp()));
            left = Math.Min(
                MasterLimits.KeyChangesAtOnce,
                left + (time.GetElapsedTime(at).TotalSeconds / MasterLimits.KeyChangeSeconds));
            bool enough = count <= left;
            _left[tenant] = (enough ? left - count : left, time.GetTimestamp());
            return enough;
        }
    }
}
