using System.Globalization;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// The journal for people: one row for each release, header, return, takeover, rotation and destruction, with its
/// outcome. The newest rows are in memory. For one thread at a time.
/// </summary>
internal sealed class ReleaseLog
{
    private const int MostRows = 10_000;
    private readonly LinkedList<ReleaseLogRow> _rows = [];
    private readonly Dictionary<long, LinkedListNode<ReleaseLogRow>> _open = [];
    private readonly List<HeldSpan> _since = [];
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);

    /// <summary>Takes the next record.</summary>
    public void Take(long index, JournalRecord? record)
    {
        switch (record)
        {
            case JournalRecord.Intent intent:
                Add(new(index, intent.At, "release", intent.Volume, Whom(intent.Holder))
                {
                    Holder = intent.Holder,
                });
                _last[intent.Volume] = intent.Holder.Host;
                break;
            case JournalRecord.Cleared cleared:
                Add(new(index, cleared.At, "clear", cleared.Volume, cleared.Holder.Host)
                {
                    Outcome = cleared.Cause == ClearCause.Returned ? "returned" : "taken over",
                });
                _since.RemoveAll(one => one.Key == cleared.Volume && one.Holder.IsRelease(cleared.Holder));
                break;
            case JournalRecord.Bound bound:
                Add(new(index, bound.At, "header", bound.Volume, bound.Holder.Host) { Outcome = "bound" });
                break;
            case JournalRecord.TrustLost lost:
                Add(new(index, lost.At, "trust", lost.Volume, lost.Holder.Host) { Outcome = "lost" });
                break;
            case JournalRecord.Answered answered:
                Add(new(index, answered.At, "clear", answered.Volume, answered.Holder.Host) { Outcome = "answered" });
                break;
            case JournalRecord.Scrubbed scrubbed:
                Add(new(index, scrubbed.At, "scrub", scrubbed.Key, scrubbed.Host) { Outcome = scrubbed.Outcome });
                break;
            case JournalRecord.Change change:
                _since.RemoveAll(one => one.Key == change.Subject);
                Add(new(index, change.At, WireName(change.What), change.Subject, ""));
                break;
            case JournalRecord.Completed completed:
                Close(completed.Of, "done");
                break;
            case JournalRecord.Abandoned abandoned:
                Close(abandoned.Of, "abandoned");
                break;
            default:
                break;
        }
    }

    /// <summary>Since when a machine on a host has a key; empty when it has not.</summary>
    public string HeldSince(string key, VaultHolder holder) =>
        _since.Find(one => one.Key == key && one.Holder.IsInPlaceOf(holder))?.At ?? "";

    /// <summary>The host that a key was last given to; empty when it was given to none.</summary>
    public string LastHost(string key) => _last.GetValueOrDefault(key, "");

    /// <summary>The newest rows before an index, the newest last.</summary>
    public IReadOnlyList<ReleaseLogRow> Before(long before, int most) =>
        [.. _rows.Reverse().SkipWhile(row => row.Index >= before).Take(most).Reverse()];

    private void Add(ReleaseLogRow row)
    {
        LinkedListNode<ReleaseLogRow> node = _rows.AddLast(row);
        if (row.Outcome == ReleaseLogRow.UnderWay)
        {
            _open[row.Index] = node;
        }

        if (_rows.Count > MostRows && _rows.First is { } oldest)
        {
            _open.Remove(oldest.Value.Index);
            _rows.RemoveFirst();
        }
    }

    private void Close(long of, string outcome)
    {
        if (_open.Remove(of, out var node))
        {
            node.Value = node.Value with { Outcome = outcome };
            if (node.Value.Holder is { } holder && outcome == "done")
            {
                Hold(node.Value.Subject, holder, node.Value.At);
            }
        }
    }

    /// <summary>A machine that asks again has the key since it asked first.</summary>
    private void Hold(string key, VaultHolder holder, string at)
    {
        int before = _since.FindIndex(one => one.Key == key && one.Holder.IsInPlaceOf(holder));
        if (before < 0)
        {
            _since.Add(new HeldSpan(key, holder, at));
        }
        else
        {
            _since[before] = _since[before] with { Holder = holder };
        }
    }

    private static string Whom(VaultHolder holder) =>
        $"{holder.Host} for {holder.Compartment}" + (holder.Access.Length == 0 ? "" : $" to {holder.Access}");

    private static string WireName(ChangeKind kind) => kind switch
    {
        ChangeKind.RotateMaster => "rotate master",
        ChangeKind.RotateDomain => "rotate domain",
        ChangeKind.DestroyKey => "destroy key",
        ChangeKind.DestroyDomain => "destroy domain",
        ChangeKind.DestroyAll => "destroy all",
        ChangeKind.LoadKeys => "load keys",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>One thing that was done with keys.</summary>
/// <param name="Index">The journal's record.</param>
/// <param name="At">When, by the key service's own clock.</param>
/// <param name="What">Release, header, clear, rotation or destruction.</param>
/// <param name="Subject">The volume, the TPM, the domain or the tenant.</param>
/// <param name="Whom">The host, and the machine; empty for a rotation or a destruction.</param>
public sealed record ReleaseLogRow(long Index, string At, string What, string Subject, string Whom)
{
    internal const string UnderWay = "under way";

    /// <summary>Of a release: who holds the key by it.</summary>
    internal VaultHolder? Holder { get; init; }

    /// <summary>What became of it.</summary>
    public string Outcome { get; init; } = UnderWay;
}

/// <summary>Since when somebody holds a key.</summary>
internal sealed record HeldSpan(string Key, VaultHolder Holder, string At);

/// <summary>Dates as records have them.</summary>
internal static class Dates
{
    public static string Text(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
