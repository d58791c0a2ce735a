namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Asks several parties at once, again and again, without one that is slow or silent delaying what the others' answers
/// lead to: a round waits a while for all, and whoever has not answered by then is not asked again before it has, or
/// has failed; its answer counts in the round in which it is there. For one thread at a time.
/// </summary>
/// <typeparam name="TParty">Who is asked; equal parties are one.</typeparam>
/// <typeparam name="TAnswer">What an answer is.</typeparam>
public sealed class AskingRound<TParty, TAnswer>(TimeProvider time)
    where TParty : notnull
{
    private readonly Dictionary<TParty, Task<TAnswer>> _underWay = [];

    /// <summary>One round.</summary>
    /// <param name="parties">Whom to ask.</param>
    /// <param name="ask">Asks one; what it throws, the round throws.</param>
    /// <param name="wait">How long to wait for all.</param>
    /// <returns>The answers that are there, of this round and of earlier ones.</returns>
    public async Task<IReadOnlyList<TAnswer>> AskAsync(
        IEnumerable<TParty> parties, Func<TParty, Task<TAnswer>> ask, TimeSpan wait)
    {
        ArgumentNullException.ThrowIfNull(parties);
        ArgumentNullException.ThrowIfNull(ask);
        foreach (TParty party in parties)
        {
            if (!_underWay.ContainsKey(party))
            {
                _underWay[party] = ask(party);
            }
        }

        using CancellationTokenSource enough = new();
        await Task.WhenAny(Task.WhenAll(_underWay.Values), Task.Delay(wait, time, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        List<TAnswer> answers = [];
        foreach (var (party, task) in _underWay.Where(pair => pair.Value.IsCompleted).ToArray())
        {
            _underWay.Remove(party);
            answers.Add(await task.ConfigureAwait(false));
        }

        return answers;
    }
}
