namespace Bailiwick.Channel.Wire;

/// <summary>
/// How many bytes of bodies one server holds at once. Each caller has a share; when all together hold the whole,
/// whoever holds most gives way to whoever holds less, so that bodies which never end cost their senders alone.
/// </summary>
/// <param name="total">Bytes of all bodies together.</param>
internal sealed class BodyBudget(long total)
{
    private readonly Lock _gate = new();
    private readonly HashSet<BodyLease> _leases = [];

    /// <summary>Opens an account for one body.</summary>
    /// <param name="owner">Whose share it counts against.</param>
    /// <param name="share">Most bytes of this owner's bodies together.</param>
    public BodyLease Open(string owner, long share)
    {
        BodyLease lease = new(this, owner, share);
        lock (_gate)
        {
            _leases.Add(lease);
        }

        return lease;
    }

    internal bool TryGrow(BodyLease lease, int bytes)
    {
        lock (_gate)
        {
            long own = HeldBy(lease.Owner) + bytes;
            if (lease.GaveWay || own > lease.Share)
            {
                return false;
            }

            if (_leases.Sum(one => one.Bytes) + bytes > total && !MakeRoom(own, bytes))
            {
                return false;
            }

            lease.Bytes += bytes;
            return true;
        }
    }

    internal void Close(BodyLease lease)
    {
        lock (_gate)
        {
            _leases.Remove(lease);
        }
    }

    /// <summary>Ends the largest body of whoever holds most, if that is more than the asking owner would.</summary>
    private bool MakeRoom(long own, int bytes)
    {
        string largest = _leases.GroupBy(one => one.Owner).MaxBy(group => group.Sum(one => one.Bytes))?.Key ?? "";
        if (HeldBy(largest) <= own)
        {
            return false;
        }

        BodyLease? victim = _leases.Where(one => one.Owner == largest).MaxBy(one => one.Bytes);
        bool isEnough = victim?.Bytes >= bytes;
        victim?.GiveWay();
        return isEnough;
    }

    private long HeldBy(string owner) => _leases.Where(one => one.Owner == owner).Sum(one => one.Bytes);
}

/// <summary>The account of one body; disposed when nothing of the body is needed any more.</summary>
internal sealed class BodyLease : IDisposable
{
    private readonly BodyBudget _budget;
    private readonly CancellationTokenSource _gaveWay = new();

    internal BodyLease(BodyBudget budget, string owner, long share)
    {
        _budget = budget;
        Owner = owner;
        Share = share;
    }

    /// <summary>Cancelled when the body has to give way to others'.</summary>
    public CancellationToken GivesWay => _gaveWay.Token;

    /// <summary>Whether it had to.</summary>
    public bool GaveWay => _gaveWay.IsCancellationRequested;

    internal string Owner { get; }

    internal long Share { get; }

    internal long Bytes { get; set; }

    /// <summary>Takes more bytes; false when there is no room, and the body must be refused.</summary>
    public bool TryGrow(int bytes) => _budget.TryGrow(this, bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        _budget.Close(this);
        _gaveWay.Dispose();
    }

    internal void GiveWay()
    {
        Bytes = 0;

        // Not under the caller's lock: what waits for the cancellation runs elsewhere.
        _ = _gaveWay.CancelAsync();
    }
}
