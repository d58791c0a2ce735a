using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Hierarchy;

/// <summary>
/// The tenant's chain of <see cref="KeyChangeNotice"/>, as this key service wrote it, held against what the ledger
/// shows. A store that was put back whole, with its sealed master key and its journal, knows fewer revisions than the
/// ledger: then nothing is released any more. Safe for use from several threads.
/// </summary>
public sealed class PostedChanges
{
    private const string FileName = "changes.json";
    private const int MostUnposted = 1024;
    private const int MaxBytes = 8 << 20;
    private readonly Lock _gate = new();
    private readonly PrivateDirectory _directory;
    private readonly PartyId _tenant;
    private readonly ISigner _signer;
    private readonly TimeProvider _time;
    private Kept _kept;
    private long _seen;
    private string? _rolledBack;
    private bool _agrees;

    private PostedChanges(
        PrivateDirectory directory, PartyId tenant, ISigner signer, TimeProvider time, Kept kept)
    {
        _directory = directory;
        _tenant = tenant;
        _signer = signer;
        _time = time;
        _kept = kept;
    }

    /// <summary>Reads what a predecessor wrote; an empty chain if there is none.</summary>
    /// <exception cref="CustodyException">The file is damaged.</exception>
    public static PostedChanges Open(PrivateDirectory directory, PartyId tenant, ISigner signer, TimeProvider time)
    {
        byte[]? text = DurableFile.Read(directory, FileName, MaxBytes);
        try
        {
            Kept kept = text is null
                ? new Kept(0, "", -1, [])
                : JsonSerializer.Deserialize<Kept>(text, JsonSerializerOptions.Strict)
                    ?? throw new JsonException("it is null");
            return new PostedChanges(directory, tenant, signer, time, kept);
        }
        catch (JsonException error)
        {
            throw new CustodyException(
                $"{FileName} is damaged ({error.Message}); restore the whole directory from its newest copy.");
        }
    }

    /// <summary>The journal's record of the newest change that is noted; -1 for none.</summary>
    public long Record
    {
        get
        {
            lock (_gate)
            {
                return _kept.Record;
            }
        }
    }

    /// <summary>What is not yet seen in the ledger, in the order in which it must be published.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Unposted
    {
        get
        {
            lock (_gate)
            {
                return [.. _kept.Unposted.Select(one => new ReadOnlyMemory<byte>(one.Envelope))];
            }
        }
    }

    /// <summary>Whether another change can be noted: the board may be away for long, and not for ever.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _kept.Unposted.Length < MostUnposted;
            }
        }
    }

    /// <summary>Writes the next revision, durably. It is published until the ledger shows it.</summary>
    /// <exception cref="CustodyException">There is no room: nothing was noted.</exception>
    public void Note(KeyChangeNotice notice)
    {
        ArgumentNullException.ThrowIfNull(notice);
        lock (_gate)
        {
            if (!HasRoom)
            {
                throw new CustodyException(
                    $"{MostUnposted} changes of keys wait for the board; bring it back before the next.");
            }

            long revision = _kept.Revision + 1;
            Digest32? previous = Digest32.TryParse(_kept.Digest, out Digest32? digest) ? digest : null;
            byte[] envelope = notice.Write(_tenant, revision, previous, _time.GetUtcNow(), _signer);
            Digest32 made = Envelope.Read(envelope) is EnvelopeReading.Read { Envelope: var read }
                ? Digest32.Of(read.Payload)
                : throw new InvalidOperationException("a statement of our own cannot be read");
            Keep(new Kept(
                revision, made.Hex, notice.Record,
                [.. _kept.Unposted, new Unseen(revision, _kept.Digest, envelope)]));
        }
    }

    /// <summary>Why nothing may be released, as the ledger stands; null when store and ledger agree.</summary>
    /// <param name="shown">The tenant's newest key change in the ledger; null when there is none.</param>
    /// <param name="isNew">Whether the store never held a key: then there is nothing old to come back.</param>
    public ChangesDoubt? Compare(VerifiedStatement? shown, bool isNew)
    {
        lock (_gate)
        {
            long revision = shown?.Revision ?? 0;
            if (_rolledBack is null && revision >= _seen)
            {
                _seen = revision;
                Judge(revision, shown?.Digest.Hex ?? "", isNew);
            }

            return _rolledBack is { } sentence ? new ChangesDoubt(true, sentence)
                : _agrees ? null
                : new ChangesDoubt(
                    false,
                    $"The board shows {revision} changes of this tenant's keys, and has shown {_kept.Revision} before: "
                    + "nothing is released until it shows them again.");
        }
    }

    private void Judge(long shown, string digest, bool isNew)
    {
        if (isNew && _kept.Revision == 0 && shown > 0)
        {
            Keep(new Kept(shown, digest, -1, []));
        }

        if (shown > _kept.Revision)
        {
            _rolledBack =
                $"The ledger has {shown} changes of this tenant's keys, and this store only {_kept.Revision}: an older "
                + "copy was put back. Keys that were destroyed or replaced since do not come back; put the newest copy "
                + "in its place.";
            return;
        }

        int at = Array.FindIndex(_kept.Unposted, one => one.Revision == shown + 1);
        string expected = shown == _kept.Revision ? _kept.Digest : at >= 0 ? _kept.Unposted[at].Previous : "?";
        if (expected == "?")
        {
            _agrees = false;
        }
        else if (expected != digest)
        {
            _rolledBack =
                $"Change {shown} of this tenant's keys is another in the ledger than in this store: an older copy was "
                + "put back and went on by itself. Put the newest copy in its place.";
        }
        else
        {
            _agrees = true;
            Unseen[] left = [.. _kept.Unposted.Where(one => one.Revision > shown)];
            if (left.Length < _kept.Unposted.Length)
            {
                Keep(_kept with { Unposted = left });
            }
        }
    }

    private void Keep(Kept next)
    {
        DurableFile.Replace(_directory, FileName, JsonSerializer.SerializeToUtf8Bytes(next));
        _kept = next;
    }

    private sealed record Kept(long Revision, string Digest, long Record, Unseen[] Unposted);

    private sealed record Unseen(long Revision, string Previous, byte[] Envelope);
}

/// <summary>Why a key service releases nothing, though it runs.</summary>
/// <param name="IsRolledBack">Whether an older store was put back; else the board is waited for.</param>
/// <param name="Sentence">Why, and what to do.</param>
public sealed record ChangesDoubt(bool IsRolledBack, string Sentence);
