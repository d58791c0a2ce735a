using System.Collections.Immutable;
using Bailiwick.Durable.Files;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// Reads the journal at the start and holds it against the store. The journal is always one step ahead: what it shows
/// as under way is completed or abandoned; any other difference means that one of the two was changed or exchanged
/// behind our back, and nothing is released.
/// </summary>
internal sealed class CustodyHistory
{
    private readonly Dictionary<string, VolumeHistory> _volumes = new(StringComparer.Ordinal);
    private readonly Dictionary<long, VolumeHistory> _open = [];
    private (long Index, JournalRecord.Change Change)? _pending;
    private long _changed = -1;

    /// <summary>Takes the next record.</summary>
    public void Take(LogRecord record)
    {
        switch (JournalRecord.Read(record.Payload.Span))
        {
            case JournalRecord.Intent intent:
                VolumeHistory history = Of(intent.Volume);
                history.Pending = intent.Holder;
                history.LastCleared = null;
                history.PendingMark = intent.Mark;
                history.IsBinding = false;
                history.Intent = record.Index;
                history.Domain = intent.Domain;
                _open[record.Index] = history;
                break;
            case JournalRecord.Completed completed when _open.Remove(completed.Of, out var volume):
                volume.Settled = volume.WithPending();
                volume.MarkBefore = volume.Mark = volume.PendingMark;
                volume.HasKey = true;
                volume.Pending = null;
                break;
            case JournalRecord.Abandoned abandoned when _open.Remove(abandoned.Of, out var volume):
                volume.Pending = null;
                break;
            case JournalRecord.Cleared cleared:
                VolumeHistory ended = Of(cleared.Volume);
                ended.LastCleared = ended.Settled.FirstOrDefault(cleared.Holder.IsRelease);
                ended.Settled = ended.Settled.RemoveAll(cleared.Holder.IsRelease);
                (ended.MarkBefore, ended.Mark) = (ended.Mark, cleared.Mark);
                ended.IsBinding = false;
                break;
            case JournalRecord.Bound bound:
                Note(bound.Volume, bound.Mark);
                break;
            case JournalRecord.TrustLost lost:
                Note(lost.Volume, lost.Mark);
                break;
            case JournalRecord.Answered answered:
                Note(answered.Volume, answered.Mark);
                break;
            case JournalRecord.Scrubbed:
                // It says what became of bytes; no key depends on it.
                break;
            case JournalRecord.Change change:
                _pending = (record.Index, change);
                break;
            case JournalRecord.Completed completed when _pending?.Index == completed.Of:
                Changed();
                break;
            case JournalRecord.Abandoned abandoned when _pending?.Index == abandoned.Of:
                _pending = null;
                break;
            default:
                throw new CustodyException(
                    $"Record {record.Index} of the release journal is none of ours. Restore it from a copy.");
        }
    }

    /// <summary>What changes the mark of a volume and nothing else.</summary>
    private void Note(string volume, string mark)
    {
        VolumeHistory named = Of(volume);
        (named.MarkBefore, named.Mark) = (named.Mark, mark);
        named.IsBinding = true;
        named.LastCleared = null;
    }

    /// <summary>Holds the journal against the store and settles what was under way.</summary>
    public void Settle(KeyStore store, Func<JournalRecord, long> append)
    {
        SettleChange(store, append);
        NameMachines(store);
        Dictionary<string, ImmutableArray<VaultHolder>> kept = store.Keys();
        foreach (var (volume, history) in _volumes)
        {
            Check(volume, history, kept, store.Key(volume)?.Mark);
        }

        foreach (string volume in kept.Keys.Where(volume => !_volumes.ContainsKey(volume)))
        {
            throw Disagree(volume, "the store has a key that the journal never released");
        }

        foreach (var (volume, history) in _volumes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Redo(volume, history, kept.GetValueOrDefault(volume, []), store, append);
        }
    }

    /// <summary>
    /// The store notes the record of its last change in the change's own transaction: what is under way took effect as
    /// a whole or not at all, and any other record is of a copy that was put back.
    /// </summary>
    private void SettleChange(KeyStore store, Func<JournalRecord, long> append)
    {
        long kept = store.LastChange();
        if (_pending is { Index: var index } && kept == index)
        {
            store.Scrub();
            append(new JournalRecord.Completed(index));
            Changed();
        }
        else if (kept != _changed)
        {
            throw new CustodyException(
                $"The store is of after the change {kept}, and the release journal of after the change {_changed}: one "
                + "of the two was put back. Keys that were destroyed or replaced since do not come back; restore both "
                + "from the newest copy.");
        }
        else if (_pending is not null)
        {
            append(new JournalRecord.Abandoned(_pending.Value.Index));
            _pending = null;
        }
    }

    private void Changed()
    {
        if (_pending is not var (index, change))
        {
            return;
        }

        foreach (string loaded in change.Keys)
        {
            VolumeHistory made = Of(loaded);
            (made.HasKey, made.Domain) = (true, change.Subject);
            made.Mark = made.MarkBefore = KeyStore.NewMark;
        }

        foreach (string gone in _volumes.Where(one => IsDestroyed(change, one.Key, one.Value.Domain))
            .Select(one => one.Key).ToArray())
        {
            _volumes.Remove(gone);
        }

        (_pending, _changed) = (null, index);
    }

    private static bool IsDestroyed(JournalRecord.Change change, string key, string domain) => change.What switch
    {
        ChangeKind.RotateMaster or ChangeKind.RotateDomain or ChangeKind.LoadKeys => false,
        ChangeKind.DestroyKey => key == change.Subject,
        ChangeKind.DestroyDomain => domain == change.Subject,
        ChangeKind.DestroyAll => true,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static void Check(
        string volume, VolumeHistory history, Dictionary<string, ImmutableArray<VaultHolder>> kept, string? mark)
    {
        ImmutableArray<VaultHolder> held = kept.GetValueOrDefault(volume, []);
        if (history.HasKey && !kept.ContainsKey(volume))
        {
            throw Disagree(volume, "its key was released and is not in the store");
        }

        if (!IsSame(held, history.Settled) && !IsPending(history, held) && !IsNotYetCleared(history, held))
        {
            string names = held.IsEmpty ? "nobody" : string.Join(", ", held.Select(one => one.Host));
            throw Disagree(volume, $"the store names the holder {names}, and the journal another");
        }

        // A mark is stored in one transaction with the holder that belongs to it.
        string expected = IsPending(history, held) ? history.PendingMark
            : IsNotYetCleared(history, held) ? history.MarkBefore
            : history.Mark;
        bool isUnderWay = history.IsBinding && mark == history.MarkBefore;
        if (mark is not null && mark != expected && !isUnderWay)
        {
            throw Disagree(volume, $"the store knows its state as '{mark}', and the journal as '{expected}'");
        }
    }

    private static void Redo(
        string volume, VolumeHistory history, ImmutableArray<VaultHolder> held, KeyStore store,
        Func<JournalRecord, long> append)
    {
        if (history.Pending is not null)
        {
            // The holder is stored before the key is opened: without it, the key never left.
            JournalRecord outcome = IsPending(history, held)
                ? new JournalRecord.Completed(history.Intent)
                : new JournalRecord.Abandoned(history.Intent);
            append(outcome);
        }
        else if (IsNotYetCleared(history, held) && history.LastCleared is { } cleared)
        {
            store.Clear(volume, cleared, history.Mark);
        }
        else if (history.IsBinding)
        {
            // Nothing was recorded of the volume since: the store may not have it yet.
            store.Mark(volume, history.Mark);
        }
    }

    /// <summary>The store has a release that is under way.</summary>
    private static bool IsPending(VolumeHistory history, ImmutableArray<VaultHolder> held) =>
        history.Pending is not null && IsSame(held, history.WithPending());

    /// <summary>The store has a holder still whose end is the last thing that was recorded.</summary>
    private static bool IsNotYetCleared(VolumeHistory history, ImmutableArray<VaultHolder> held) =>
        history.LastCleared is { } cleared && IsSame(held, history.Settled.Add(cleared));

    private static bool IsSame(ImmutableArray<VaultHolder> one, ImmutableArray<VaultHolder> other) =>
        one.ToHashSet().SetEquals(other);

    /// <summary>A store of before machines were noted gets their names from the journal, by host and nonce.</summary>
    private void NameMachines(KeyStore store)
    {
        foreach (var (key, held) in store.Keys())
        {
            foreach (VaultHolder nameless in held.Where(one => one.Compartment.Length == 0))
            {
                VolumeHistory? history = _volumes.GetValueOrDefault(key);
                VaultHolder? named = (history?.Settled ?? [])
                    .Append(history?.Pending).Append(history?.LastCleared).FirstOrDefault(nameless.IsRelease);
                if (named is not null)
                {
                    store.NoteMachine(key, named);
                }
            }
        }
    }

    private static CustodyException Disagree(string volume, string clause) => new(
        $"The store and the release journal disagree about {volume}: {clause}. Restore both from the same copy.");

    private VolumeHistory Of(string volume)
    {
        if (!_volumes.TryGetValue(volume, out var history))
        {
            _volumes[volume] = history = new VolumeHistory();
        }

        return history;
    }

    private sealed class VolumeHistory
    {
        public ImmutableArray<VaultHolder> Settled { get; set; } = [];

        public VaultHolder? Pending { get; set; }

        public VaultHolder? LastCleared { get; set; }

        public string Domain { get; set; } = "";

        public string Mark { get; set; } = "";

        public string MarkBefore { get; set; } = "";

        public string PendingMark { get; set; } = "";

        /// <summary>Whether the last record is one that changes the mark alone.</summary>
        public bool IsBinding { get; set; }

        public long Intent { get; set; }

        /// <summary>The holders once the release that is under way has taken effect.</summary>
        public ImmutableArray<VaultHolder> WithPending() => Pending is { } next
            ? Settled.RemoveAll(next.IsInPlaceOf).Add(next)
            : Settled;

        public bool HasKey { get; set; }
    }
}
