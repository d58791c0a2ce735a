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

    /// <summary>Takes the next record.</summary>
    public void Take(LogRecord record)
    {
        switch (JournalRecord.Read(record.Payload.Span))
        {
            case JournalRecord.Intent intent:
                VolumeHistory history = Of(intent.Volume);
                history.Pending = intent.Holder;
                history.PendingMark = intent.Mark;
                history.Intent = record.Index;
                _open[record.Index] = history;
                break;
            case JournalRecord.Completed completed when _open.Remove(completed.Of, out var volume):
                volume.Settled = volume.Pending;
                volume.MarkBefore = volume.Mark = volume.PendingMark;
                volume.HasKey = true;
                volume.Pending = null;
                break;
            case JournalRecord.Abandoned abandoned when _open.Remove(abandoned.Of, out var volume):
                volume.Pending = null;
                break;
            case JournalRecord.Cleared cleared:
                VolumeHistory ended = Of(cleared.Volume);
                ended.Settled = null;
                ended.LastCleared = cleared.Holder;
                (ended.MarkBefore, ended.Mark) = (ended.Mark, cleared.Mark);
                break;
            default:
                throw new CustodyException(
                    $"Record {record.Index} of the release journal is none of ours. Restore it from a copy.");
        }
    }

    /// <summary>Holds the journal against the store and settles what was under way.</summary>
    public void Settle(KeyStore store, AppendLog journal)
    {
        Dictionary<string, VaultHolder?> kept = store.Keys();
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
            Redo(volume, history, kept.GetValueOrDefault(volume), store, journal);
        }
    }

    private static void Check(
        string volume, VolumeHistory history, Dictionary<string, VaultHolder?> kept, string? mark)
    {
        VaultHolder? held = kept.GetValueOrDefault(volume);
        if (history.HasKey && !kept.ContainsKey(volume))
        {
            throw Disagree(volume, "its key was released and is not in the store");
        }

        bool isExpected = held == history.Settled
            || (history.Pending is not null && held == history.Pending)
            || (history.Settled is null && history.LastCleared is not null && held == history.LastCleared);
        if (!isExpected)
        {
            throw Disagree(volume, $"the store names the holder {held?.Host ?? "nobody"}, and the journal another");
        }

        // A mark is stored in one transaction with the holder that belongs to it.
        string expected = history.Pending is not null && held == history.Pending ? history.PendingMark
            : history.Settled is null && held is not null ? history.MarkBefore
            : history.Mark;
        if (mark is not null && mark != expected)
        {
            throw Disagree(volume, $"the store knows its state as '{mark}', and the journal as '{expected}'");
        }
    }

    private static void Redo(
        string volume, VolumeHistory history, VaultHolder? held, KeyStore store, AppendLog journal)
    {
        if (history.Pending is not null)
        {
            // The holder is stored before the key is opened: without it, the key never left.
            JournalRecord outcome = held == history.Pending
                ? new JournalRecord.Completed(history.Intent)
                : new JournalRecord.Abandoned(history.Intent);
            journal.Append(outcome.Write());
        }
        else if (held is not null && history.Settled is null)
        {
            store.Clear(volume, history.Mark);
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
        public VaultHolder? Settled { get; set; }

        public VaultHolder? Pending { get; set; }

        public VaultHolder? LastCleared { get; set; }

        public string Mark { get; set; } = "";

        public string MarkBefore { get; set; } = "";

        public string PendingMark { get; set; } = "";

        public long Intent { get; set; }

        public bool HasKey { get; set; }
    }
}
