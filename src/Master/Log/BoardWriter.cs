using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Bailiwick.Channel.Principals;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Log;

/// <summary>
/// The only one who writes: calls that wait together are judged one after the other and committed in one transaction,
/// with the checkpoint over all of them. A call is answered after the commit, never before.
/// </summary>
/// <remarks>
/// When the store fails, nobody knows what it holds: every waiting call gets the failure, no further call is taken, and
/// <see cref="Failed"/> completes so that the process can stop and read the store anew.
/// </remarks>
public sealed class BoardWriter : IAsyncDisposable
{
    private readonly BoardLog _log;
    private readonly BoardStore _store;
    private readonly AppendJudge _judge;
    private readonly Channel<Call> _calls = System.Threading.Channels.Channel.CreateBounded<Call>(
        new BoundedChannelOptions(MasterLimits.WaitingCalls) { SingleReader = true });

    private readonly TaskCompletionSource<Exception> _failed = new();
    private readonly Task _loop;

    /// <summary>Starts to take calls. The store belongs to the writer from now on.</summary>
    public BoardWriter(BoardLog log, BoardStore store, AppendJudge judge)
    {
        _log = log;
        _store = store;
        _judge = judge;
        _loop = Task.Run(Run);
    }

    /// <summary>Completes with the cause when the store has failed.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>Appends a batch, all or nothing; durable when it returns.</summary>
    public Task<AppendOutcome> Append(
        Principal caller, IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel) =>
        Enqueue(new AppendCall(caller, envelopes), cancel);

    /// <summary>Records an order; durable when it returns. One that changes nothing is not written again.</summary>
    /// <returns>The position of the order that is in force; 0 if none is needed.</returns>
    public Task<long> Order(
        OrderKind kind, string subject, bool value, KeyId caller, CancellationToken cancel) =>
        Enqueue(new OrderCall(new StoredOrder(0, kind, subject, value, caller.ToString())), cancel);

    /// <summary>Keeps where machines are suggested to run over a restart; durable when it returns.</summary>
    /// <returns>The number of places.</returns>
    public Task<long> Keep(IReadOnlyCollection<StoredPlace> places, CancellationToken cancel) =>
        Enqueue(new PlacesCall(places), cancel);

    /// <summary>Answers what waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _calls.Writer.TryComplete();
        await _loop;
    }

    private async Task<T> Enqueue<T>(Call<T> call, CancellationToken cancel)
    {
        if (!_calls.Writer.TryWrite(call))
        {
            throw new BoardBusyException();
        }

        return await call.Answer.Task.WaitAsync(cancel);
    }

    private async Task Run()
    {
        var calls = new List<Call>();
        while (await _calls.Reader.WaitToReadAsync())
        {
            calls.Clear();
            var statements = 0;
            while (statements < MasterLimits.CommitStatements && _calls.Reader.TryRead(out var call))
            {
                calls.Add(call);
                statements += call.Statements;
            }

            try
            {
                Commit(calls);
            }
            catch (Exception error)
            {
                _failed.TrySetResult(error);
                _calls.Writer.TryComplete();
                while (_calls.Reader.TryRead(out var late))
                {
                    calls.Add(late);
                }

                calls.ForEach(call => call.Fail(error));
                return;
            }
        }
    }

    private void Commit(List<Call> calls)
    {
        using var batch = _store.Begin();
        var draft = new Draft(_log.State, _log.Resume());
        foreach (var call in calls)
        {
            switch (call)
            {
                case AppendCall append:
                    Judge(append, draft, batch);
                    break;
                case OrderCall order:
                    Judge(order, draft, batch);
                    break;
                case PlacesCall places:
                    batch.SetPlaces(places.Places);
                    places.Outcome = places.Places.Count;
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        var state = draft.Added.Count > 0 ? Sign(draft, batch) : draft.State;
        batch.Commit();
        if (!ReferenceEquals(state, _log.State))
        {
            _log.Advance(draft.Added, state);
        }

        calls.ForEach(call => call.Succeed());
    }

    private void Judge(AppendCall call, Draft draft, StoreBatch batch)
    {
        var judged = _judge.Judge(
            draft.State.Book, call.Caller, call.Envelopes, digest => draft.Holds(digest) || _log.Holds(digest));
        if (judged is not AppendVerdict.Acceptable acceptable)
        {
            call.Outcome = new AppendOutcome.Refused(((AppendVerdict.Refused)judged).Refusals);
            return;
        }

        foreach (var statement in acceptable.Statements)
        {
            var salt = RandomNumberGenerator.GetBytes(LedgerLimits.SaltBytes);
            var index = draft.Range.Size;
            var leaf = batch.Insert(index, salt, statement.EnvelopeBytes.Span);
            draft.Range = draft.Range.Append(leaf, out var completed);
            foreach (var (address, hash) in completed)
            {
                batch.Insert(address, hash);
            }

            var commitment = LeafCommitment.Of(salt, statement.EnvelopeBytes.Span);
            draft.Add(new LogEntry(index, [.. salt], commitment, statement));
        }

        draft.State = draft.State with { Book = acceptable.Next };
        call.Outcome = new AppendOutcome.Appended(acceptable.Batch);
    }

    private static void Judge(OrderCall call, Draft draft, StoreBatch batch)
    {
        var key = (call.Order.Kind, call.Order.Subject);
        if (draft.State.Orders.TryGetValue(key, out var held) && held.Value == call.Order.Value)
        {
            call.Outcome = held.Position;
            return;
        }

        var last = draft.State.Orders.Values.Select(order => order.Position).DefaultIfEmpty(0).Max();
        var order = call.Order with { Position = last + 1 };
        batch.Insert(order);
        draft.State = draft.State with { Orders = draft.State.Orders.SetItem(key, order) };
        call.Outcome = order.Position;
    }

    private BoardState Sign(Draft draft, StoreBatch batch)
    {
        var identity = _log.Identity;
        var note = new Checkpoint(identity.Name.Name, draft.Range.Size, draft.Range.Root())
            .Sign(identity.Name, identity.Signer);
        batch.SetNote(note);
        return Checkpoint.Open(note, identity.Name, identity.Name.Name) is CheckpointVerdict.Opened opened
            ? draft.State with
            {
                Checkpoint = opened.Checkpoint,
                Note = Encoding.UTF8.GetString(note),
                Principals = PrincipalRegister.Of(draft.State.Book, identity.Datacentre),
            }
            : throw new InvalidOperationException("The checkpoint just signed does not open.");
    }

    private sealed class Draft(BoardState state, CompactRange range)
    {
        private readonly HashSet<Digest32> _added = [];

        public BoardState State { get; set; } = state;

        public CompactRange Range { get; set; } = range;

        public List<LogEntry> Added { get; } = [];

        public bool Holds(Digest32 statement) => _added.Contains(statement);

        public void Add(LogEntry entry)
        {
            Added.Add(entry);
            _added.Add(entry.Statement.Digest);
        }
    }

    private abstract class Call
    {
        public abstract int Statements { get; }

        public abstract void Succeed();

        public abstract void Fail(Exception error);
    }

    private abstract class Call<T> : Call
    {
        public TaskCompletionSource<T> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public T? Outcome { get; set; }

        public override void Succeed() =>
            Answer.TrySetResult(Outcome ?? throw new InvalidOperationException("A call was not judged."));

        public override void Fail(Exception error) => Answer.TrySetException(new BoardFailedException(error));
    }

    private sealed class AppendCall(Principal caller, IReadOnlyList<ReadOnlyMemory<byte>> envelopes)
        : Call<AppendOutcome>
    {
        public Principal Caller => caller;

        public IReadOnlyList<ReadOnlyMemory<byte>> Envelopes => envelopes;

        public override int Statements => envelopes.Count;
    }

    private sealed class PlacesCall(IReadOnlyCollection<StoredPlace> places) : Call<long>
    {
        public IReadOnlyCollection<StoredPlace> Places => places;

        public override int Statements => 1;
    }

    private sealed class OrderCall(StoredOrder order) : Call<long>
    {
        public StoredOrder Order => order;

        public override int Statements => 1;
    }
}

/// <summary>Too many calls wait for the store; nothing was done.</summary>
public sealed class BoardBusyException() : Exception("Too many calls wait for the store, or the board is stopping.");

/// <summary>The store failed; whether the call took effect will be known after a restart.</summary>
public sealed class BoardFailedException(Exception inner) : Exception("The store failed: " + inner.Message, inner);
