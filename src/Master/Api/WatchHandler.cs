using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Master.Log;
using Bailiwick.Master.Placing;

namespace Bailiwick.Master.Api;

/// <summary>
/// The watch stream. A checkpoint is sent after exactly the entries that it covers. A slow reader holds up only itself:
/// a page is made when the page before it was taken.
/// </summary>
internal sealed class WatchHandler(BoardLog log, PlacementDesk desk, TimeProvider time)
{
    private const int Page = 256;

    public async Task<RouteProblem?> Watch(RouteCall call, RouteStreams streams)
    {
        var sent = call.Number("from");
        if (sent > log.State.Size)
        {
            return MasterProblems.BeyondEnd;
        }

        var note = "";
        ImmutableArray<PlacementRow>? placements = null;
        while (call.StillAdmitted())
        {
            var (logChanged, deskChanged, said) = (log.Changed, desk.Changed, false);
            var state = log.State;
            if (log.Opens(call.Caller, sent, state.Size))
            {
                // What was sent closed before is open now, and a follower judges statements in the log's order.
                sent = 0;
                await Send(call, streams, new WatchEvent.Reread());
            }

            while (sent < state.Size && call.StillAdmitted())
            {
                sent = await SendPage(call, streams, sent, state.Size);
            }

            if (note != state.Note && call.StillAdmitted())
            {
                (note, said) = (state.Note, true);
                await Send(call, streams, new WatchEvent.Checkpoint(note));
            }

            var rows = desk.RowsFor(call.Caller);
            if ((placements is null || !rows.SequenceEqual(placements.Value)) && call.StillAdmitted())
            {
                (placements, said) = (rows, true);
                await Send(call, streams, new WatchEvent.Placements(rows));
            }

            if (!said && call.StillAdmitted())
            {
                await Send(call, streams, new WatchEvent.Heartbeat());
            }

            await Wait(logChanged, deskChanged, call.Cancel);
        }

        return null;
    }

    private async Task<long> SendPage(RouteCall call, RouteStreams streams, long from, long size)
    {
        using var page = new MemoryStream();
        foreach (var entry in log.Range(from, Math.Min(size, from + Page)))
        {
            var view = EntryView.Of(log, call.Caller, entry);
            page.Write(StrictJson.Write<WatchEvent>(
                new WatchEvent.Entry(view.Index, view.Commitment, view.Salt, view.Envelope)));
            page.WriteByte((byte)'\n');
        }

        await streams.Output.WriteAsync(page.GetBuffer().AsMemory(0, (int)page.Length), call.Cancel);
        await streams.Output.FlushAsync(call.Cancel);
        return Math.Min(size, from + Page);
    }

    private static Task Send(RouteCall call, RouteStreams streams, WatchEvent line) =>
        JsonLines.Write(streams.Output, line, call.Cancel);

    private async Task Wait(Task logChanged, Task deskChanged, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var heartbeat = Task.Delay(TimeSpan.FromSeconds(MasterLimits.HeartbeatSeconds), time, limit.Token);
        await Task.WhenAny(logChanged, deskChanged, heartbeat);
        await limit.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }
}
