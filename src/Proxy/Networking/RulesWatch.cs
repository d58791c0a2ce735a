using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Knows by the kernel's count of transactions whether anybody else has changed rules of the host's own network
/// namespace, so that a large table need not be read to know that it is as it was.
/// </summary>
/// <remarks>
/// A transaction of ours that changes nothing is not counted by the kernel and would hide one of somebody else's until
/// the tables are compared again, which is why they still are, once in a while.
/// </remarks>
public sealed class RulesWatch(IHost host)
{
    private readonly Lock _turn = new();
    private uint _expected;
    private uint _running;
    private long _period;

    /// <summary>
    /// The number of the present period: it ends when a transaction is seen that is not ours. What was as it should be
    /// at some moment of a period is so, but for what we did ourselves, until its end.
    /// </summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public long Period()
    {
        lock (_turn)
        {
            uint seen = host.RulesGeneration();
            // One of ours that is under way may be counted already or not yet.
            if (_period == 0 || unchecked(seen - _expected) > _running)
            {
                _period++;
                _expected = seen;
            }

            return _period;
        }
    }

    /// <summary>Runs a transaction of ours.</summary>
    public void Transact(Action transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        lock (_turn)
        {
            _running++;
        }

        uint counted = 0;
        try
        {
            transaction();
            counted = 1;
        }
        finally
        {
            lock (_turn)
            {
                _running--;
                _expected = unchecked(_expected + counted);
            }
        }
    }
}
