using Bailiwick.Channel.Board;
using Bailiwick.KeyService.Following;

namespace Bailiwick.KeyService.Hierarchy;

/// <summary>Publishes what <see cref="PostedChanges"/> has not seen in the ledger, again and again.</summary>
internal sealed class ChangePoster(PostedChanges changes, IBoard board, Func<PolicySnapshot?> policy, TimeProvider time)
{
    private const int MostAtOnce = 32;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1), Impatience = TimeSpan.FromSeconds(15);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using PeriodicTimer timer = new(Period, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            ReadOnlyMemory<byte>[] next = [.. changes.Unposted.Take(MostAtOnce)];
            if (next.Length == 0 || policy() is null)
            {
                continue;
            }

            try
            {
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                limit.CancelAfter(Impatience);
                await board.Publish(next, limit.Token);
            }
            catch (Exception error) when (error is BoardException or IOException or HttpRequestException
                || (error is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                // The board is away, or refuses: what is not seen in the ledger is tried again.
            }
        }
    }
}
