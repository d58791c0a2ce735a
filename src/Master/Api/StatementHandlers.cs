using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Master.Log;

namespace Bailiwick.Master.Api;

/// <summary>Publishing and reading the log.</summary>
internal sealed class StatementHandlers(BoardLog log, BoardWriter writer, KeyChangeBudget budget)
{
    public async Task<RouteAnswer<PostedReceipts>> Post(RouteCall call, PostedStatements body)
    {
        if (body.Envelopes.IsDefaultOrEmpty || body.Envelopes.Length > MasterLimits.BatchStatements)
        {
            return new RouteAnswer<PostedReceipts>.Refused(MasterProblems.BadBatch);
        }

        if (call.Caller is { Kind: PrincipalKind.KeyService, Party: { } tenant }
            && !budget.Take(tenant, body.Envelopes.Length))
        {
            return new RouteAnswer<PostedReceipts>.Refused(MasterProblems.TooManyKeyChanges);
        }

        var envelopes = new List<ReadOnlyMemory<byte>>();
        foreach (var envelope in body.Envelopes)
        {
            envelopes.Add(Bytes(envelope));
        }

        try
        {
            return await writer.Append(call.Caller, envelopes, call.Cancel) switch
            {
                AppendOutcome.Appended appended => Receipts(appended),
                AppendOutcome.Refused refused => new RouteAnswer<PostedReceipts>.Refused(
                    MasterProblems.RefusedBatch(refused.Refusals)),
                _ => throw new UnreachableException(),
            };
        }
        catch (BoardBusyException)
        {
            return new RouteAnswer<PostedReceipts>.Refused(MasterProblems.Busy);
        }
        catch (BoardFailedException)
        {
            return new RouteAnswer<PostedReceipts>.Refused(MasterProblems.StoreFailed);
        }
    }

    public Task<RouteAnswer<EntriesPage>> Entries(RouteCall call)
    {
        var state = log.State;
        var from = call.Number("from");
        if (from > state.Size)
        {
            return Answer<EntriesPage>(MasterProblems.BeyondEnd);
        }

        var entries = ImmutableArray.CreateBuilder<BoardEntry>();
        var bytes = 0L;
        foreach (var entry in log.Range(from, Math.Min(state.Size, from + call.Number("limit"))))
        {
            entries.Add(EntryView.Of(log, call.Caller, entry));
            bytes += entry.Statement.EnvelopeBytes.Length;
            if (bytes > MasterLimits.PageBytes)
            {
                break;
            }
        }

        return Answer(new EntriesPage(entries.ToImmutable(), state.Note));
    }

    public Task<RouteAnswer<CheckpointNote>> Checkpoint(RouteCall call) =>
        Answer(new CheckpointNote(log.State.Note));

    public Task<RouteAnswer<ProofHashes>> Inclusion(RouteCall call)
    {
        var (index, size) = (call.Number("index"), call.Number("size"));
        return size > log.State.Size || index >= size
            ? Answer<ProofHashes>(MasterProblems.BadSizes)
            : Answer(Hashes(log.Inclusion(index, size).Path));
    }

    public Task<RouteAnswer<ProofHashes>> Consistency(RouteCall call)
    {
        var (first, second) = (call.Number("first"), call.Number("second"));
        return second > log.State.Size || first > second
            ? Answer<ProofHashes>(MasterProblems.BadSizes)
            : Answer(Hashes(log.Consistency(first, second).Path));
    }

    private RouteAnswer<PostedReceipts> Receipts(AppendOutcome.Appended appended)
    {
        var state = log.State;
        var receipts = ImmutableArray.CreateBuilder<PostedReceipt>();
        foreach (var statement in appended.Statements)
        {
            var entry = log.EntryOf(statement);
            receipts.Add(new PostedReceipt(
                statement.Hex, entry.Index, Convert.ToBase64String(entry.Salt.AsSpan()), state.Note,
                Hashes(log.Inclusion(entry.Index, state.Size).Path).Hashes));
        }

        return new RouteAnswer<PostedReceipts>.Recorded(
            new PostedReceipts(receipts.ToImmutable()),
            new RouteReceipt("log", receipts.Max(receipt => receipt.Index)));
    }

    /// <summary>The envelope's canonical bytes, or its text where it has none: the book says why not.</summary>
    private static byte[] Bytes(JsonElement envelope)
    {
        try
        {
            return CanonicalJson.Write(envelope);
        }
        catch (ArgumentException)
        {
            return System.Text.Encoding.UTF8.GetBytes(envelope.GetRawText());
        }
    }

    private static ProofHashes Hashes(ImmutableArray<Digest32> path) => new([.. path.Select(hash => hash.Base64)]);

    private static Task<RouteAnswer<T>> Answer<T>(T value) =>
        Task.FromResult<RouteAnswer<T>>(new RouteAnswer<T>.Ok(value));

    private static Task<RouteAnswer<T>> Answer<T>(RouteProblem problem) =>
        Task.FromResult<RouteAnswer<T>>(new RouteAnswer<T>.Refused(problem));
}

/// <summary>An entry as one caller sees it.</summary>
internal static class EntryView
{
    public static BoardEntry Of(BoardLog log, Channel.Principals.Principal caller, LogEntry entry) =>
        log.MayRead(caller, entry.Statement)
            ? new BoardEntry(
                entry.Index, entry.Commitment.Base64, Convert.ToBase64String(entry.Salt.AsSpan()),
                JsonElement.Parse(entry.Statement.EnvelopeBytes.Span))
            : new BoardEntry(entry.Index, entry.Commitment.Base64);
}
