using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// The host's own write-only log of what it enforces. <see cref="Record"/> returns once the entry is durable; whoever
/// is about to change the world calls it before, so that every effect implies an earlier record. Where the host has a
/// TPM, the commitment to each entry is also extended into a register of it before <see cref="Record"/> returns: from
/// then on not even root can unsay it. What takes away (closes a port, ends a machine) uses
/// <see cref="RecordOrOwe"/>: a full disk must never keep a door open.
/// </summary>
public sealed class IntegrityManager : IDisposable
{
    private const string FileName = "integrity.log";
    private const int MaxDetailBytes = 256 * 1024;
    private const int MaxOpeningBytes = 2 * 1024 * 1024;
    private readonly Lock _lock = new();
    private readonly AppendLog _log;
    private readonly List<IntegrityLine> _lines;
    private readonly List<Owed> _owed = [];
    private readonly HostTpm? _tpm;
    private bool _unsettled;

    private IntegrityManager(AppendLog log, List<IntegrityLine> lines, Guid boot, HostTpm? tpm)
    {
        _log = log;
        _lines = lines;
        _tpm = tpm;
        Boot = boot;
    }

    /// <summary>The host's boot.</summary>
    public Guid Boot { get; }

    /// <summary>What the log comes down to now.</summary>
    public IntegrityHead Head
    {
        get
        {
            lock (_lock)
            {
                return HeadOf(_lines);
            }
        }
    }

    /// <summary>
    /// Opens the log, or begins one, and checks every entry against the chain. The first entry of a boot is its own.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// An entry is not the one that must follow: the log was changed, or is of an older form.
    /// </exception>
    /// <exception cref="DurableException">The disk refused, or another Proxy has the log.</exception>
    /// <exception cref="ConfigurationException">
    /// The TPM's register holds something else than this log says.
    /// </exception>
    public static IntegrityManager Open(PrivateDirectory directory, Guid boot, HostTpm? tpm = null)
    {
        List<IntegrityLine> lines = [];
        AppendLog log = AppendLog.Open(directory, FileName, record => lines.Add(
            IntegrityLine.Read(record.Payload.Span, HeadOf(lines)) ?? throw new InvalidDataException(
                $"Entry {lines.Count} of {FileName} is not the integrity entry that must follow: the file was changed, "
                + "or is of an older form. Keep it for an auditor, move it away and start the host anew.")));
        IntegrityManager manager = new(log, lines, boot, tpm);
        try
        {
            manager.Begin();
            return manager;
        }
        catch
        {
            manager.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks something while nothing is recorded; the head is that of the whole question, and what the TPM holds.
    /// </summary>
    /// <exception cref="WorldException">The TPM has not taken the last entry and still does not.</exception>
    public T WhileStill<T>(Func<IntegrityHead, T> question)
    {
        ArgumentNullException.ThrowIfNull(question);
        lock (_lock)
        {
            Settle();
            return question(HeadOf(_lines));
        }
    }

    /// <summary>
    /// Appends an entry; it is durable, and extended, when this returns. After a TPM that did not answer nothing more
    /// is appended until it holds the last entry, so that the register is never more than one entry behind.
    /// </summary>
    /// <param name="kind">What happens.</param>
    /// <param name="readers">Whom it concerns: they may read the entry, everybody else sees only a commitment.</param>
    /// <param name="subject">What it happens to; cut to the longest subject.</param>
    /// <param name="detail">What describes it in full; the entry carries a commitment to it.</param>
    /// <exception cref="WorldException">
    /// The disk or the TPM refused: what was to be recorded must not happen.
    /// </exception>
    public IntegrityEntry Record(IntegrityKind kind, IntegrityReaders readers, string subject, string detail)
    {
        ArgumentNullException.ThrowIfNull(readers);
        lock (_lock)
        {
            PayOwed();
            return Append(kind, readers, subject, detail);
        }
    }

    /// <summary>
    /// Records what takes away, before it does; if the disk or the TPM refuses, the entry is owed and written before
    /// any other, as soon as they take it. Until then nothing that gives can happen, because that needs a record.
    /// </summary>
    public void RecordOrOwe(IntegrityKind kind, IntegrityReaders readers, string subject, string detail)
    {
        lock (_lock)
        {
            int before = int.MaxValue;
            try
            {
                PayOwed();
                before = _lines.Count;
                Append(kind, readers, subject, detail);
            }
            catch (WorldException)
            {
                // Written and not extended is written: the register catches up before anything else is recorded.
                Owed owed = new(kind, readers, subject, detail);
                if (_lines.Count <= before && !_owed.Contains(owed))
                {
                    _owed.Add(owed);
                }
            }
        }
    }

    /// <summary>Whether an entry of this kind is there for the subject.</summary>
    public bool Has(IntegrityKind kind, string subject)
    {
        lock (_lock)
        {
            return _lines.Any(l => l.Entry.Kind == kind && l.Entry.Subject == subject);
        }
    }

    /// <summary>The newest entries that are asked for, newest first, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<IntegrityLine> Last(Func<IntegrityEntry, bool> wanted, int limit)
    {
        lock (_lock)
        {
            return [.. Enumerable.Reverse(_lines).Where(l => wanted(l.Entry)).Take(limit)];
        }
    }

    /// <summary>The kind of the newest entry about a subject among some kinds; null when there is none.</summary>
    public IntegrityKind? LastAbout(string subject, params IntegrityKind[] kinds)
    {
        lock (_lock)
        {
            return Enumerable.Reverse(_lines)
                .FirstOrDefault(l => l.Entry.Subject == subject && l.Entry.Kind is { } kind && kinds.Contains(kind))
                ?.Entry.Kind;
        }
    }

    /// <summary>Entries from a number on, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<IntegrityLine> Read(long from, int limit)
    {
        lock (_lock)
        {
            return from < 0 || from >= _lines.Count
                ? []
                : _lines.GetRange((int)from, Math.Min(limit, _lines.Count - (int)from));
        }
    }

    /// <summary>
    /// What a verifier is shown of the log up to a head that it has evidence of: all commitments, and openings of what
    /// concerns it.
    /// </summary>
    /// <param name="after">How far it says it followed the log; what is not true begins with the boot.</param>
    /// <param name="upTo">The head in the evidence.</param>
    /// <param name="reader">The tenant it verifies for; null for digests alone.</param>
    /// <returns>Null when there are more entries since the boot than one tail can have.</returns>
    public IntegrityTail? Tail(IntegrityPosition? after, IntegrityHead upTo, PartyId? reader)
    {
        ArgumentNullException.ThrowIfNull(upTo);
        lock (_lock)
        {
            int first = BootAt();
            int end = (int)upTo.Entries;
            bool goesOn = after is not null && after.Boot == Boot && after.First == first
                && after.Head.Entries > first && after.Head.Entries <= end
                && _lines[(int)after.Head.Entries - 1].Head == after.Head;
            int from = goesOn && after is not null ? (int)after.Head.Entries : first;
            if (end - from > IntegrityTail.MostEntries)
            {
                return null;
            }

            byte[] commitments = new byte[(end - from) * Digest32.Length];
            for (int number = from; number < end; number++)
            {
                _lines[number].Commitment.Bytes.CopyTo(commitments.AsSpan((number - from) * Digest32.Length));
            }

            return new IntegrityTail(
                goesOn ? after : null, commitments, reader is null ? [] : Openings(from, end, !goesOn, reader));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    /// <summary>The newest that the tenant may read, and always the boot's own entry where the chain begins.</summary>
    private ImmutableArray<IntegrityOpening> Openings(int from, int end, bool fromBoot, PartyId reader)
    {
        List<IntegrityOpening> newest = [];
        int bytes = 0;
        for (int number = end - 1; number >= from && newest.Count < IntegrityTail.MostOpenings - 1; number--)
        {
            if (!_lines[number].Entry.Readers.Include(reader) || (fromBoot && number == from))
            {
                continue;
            }

            bytes += _lines[number].Entry.Write().Length;
            if (bytes > MaxOpeningBytes)
            {
                break;
            }

            newest.Add(_lines[number].Opening);
        }

        newest.Reverse();
        return [.. fromBoot ? [_lines[from].Opening] : Array.Empty<IntegrityOpening>(), .. newest];
    }

    private void PayOwed()
    {
        Settle();
        while (_owed.Count > 0)
        {
            int before = _lines.Count;
            try
            {
                Append(_owed[0].Kind, _owed[0].Readers, _owed[0].Subject, _owed[0].Detail);
            }
            finally
            {
                if (_lines.Count > before)
                {
                    _owed.RemoveAt(0);
                }
            }
        }
    }

    private IntegrityEntry Append(IntegrityKind kind, IntegrityReaders readers, string subject, string detail)
    {
        IntegrityDetail said = new(RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes), detail);
        IntegrityEntry entry = new(_lines.Count, kind, readers, Shortened(subject), said.Digest());
        IntegrityOpening opening = new(RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes), entry);
        bool isKept = Encoding.UTF8.GetByteCount(detail) <= MaxDetailBytes;
        // The chain begins anew with each boot, as the register does.
        IntegrityHead before = kind == IntegrityKind.Boot
            ? HeadOf(_lines) with { Digest = IntegrityHead.Zero }
            : HeadOf(_lines);
        IntegrityLine line = new(opening, isKept ? said : said with { Text = "" }, before);
        try
        {
            _log.Append(line.Write());
        }
        catch (DurableException error)
        {
            throw new WorldException(
                ["record", kind.WireName(), "of", subject, "in the integrity log"], -1, error.Message);
        }

        _lines.Add(line);
        _unsettled = _tpm is not null;
        _tpm?.Extend(line.Commitment);
        _unsettled = false;
        return entry;
    }

    /// <summary>
    /// Begins the log of a new boot, or goes on with that of this one. A Proxy that died between writing an entry and
    /// extending it left the register one entry behind; the effect of that entry has not happened yet.
    /// </summary>
    private void Begin()
    {
        bool isNew = _tpm is null
            ? BootAt() is var at && (at < 0 || _lines[at].Entry.Subject != Boot.ToString("D"))
            : _tpm.ReadIntegrityRegister() == IntegrityHead.Zero;
        if (isNew)
        {
            IntegrityHead before = HeadOf(_lines);
            Append(IntegrityKind.Boot, IntegrityReaders.Everyone, Boot.ToString("D"), before.ToString());
            return;
        }

        if (_tpm is { } tpm && !GoOn(tpm, tpm.ReadIntegrityRegister()))
        {
            throw new ConfigurationException(
                $"The TPM's register {EvidenceRegisters.IntegrityLog} does not hold what {FileName} says of this boot: "
                + "one of them was changed by somebody else. Keep the file for an auditor, and start the host anew.");
        }
    }

    /// <summary>Extends the last entry if the register is without it; false when it holds anything else.</summary>
    private bool GoOn(HostTpm tpm, Digest32 register)
    {
        int begin = BootAt();
        if (begin < 0 || HeadOf(_lines).Digest == register)
        {
            return begin >= 0;
        }

        bool isOneBehind = begin == _lines.Count - 1
            ? register == IntegrityHead.Zero
            : _lines[^2].Head.Digest == register;
        if (isOneBehind)
        {
            tpm.Extend(_lines[^1].Commitment);
        }

        return isOneBehind;
    }

    private void Settle()
    {
        if (!_unsettled || _tpm is null)
        {
            return;
        }

        if (!GoOn(_tpm, _tpm.ReadIntegrityRegister()))
        {
            throw new WorldException(
                ["have the TPM", "hold the integrity log's last entry"], -1,
                $"register {EvidenceRegisters.IntegrityLog} holds something else than {FileName} says");
        }

        _unsettled = false;
    }

    private int BootAt() => _lines.FindLastIndex(line => line.Entry.Kind == IntegrityKind.Boot);

    private static IntegrityHead HeadOf(List<IntegrityLine> lines) =>
        lines.Count == 0 ? IntegrityHead.Empty : lines[^1].Head;

    private static string Shortened(string subject)
    {
        if (subject.Length <= IntegrityEntry.MaxSubjectLength)
        {
            return subject;
        }

        string cut = subject[..IntegrityEntry.MaxSubjectLength];
        return char.IsHighSurrogate(cut[^1]) ? cut[..^1] : cut;
    }

    private sealed record Owed(IntegrityKind Kind, IntegrityReaders Readers, string Subject, string Detail);
}
