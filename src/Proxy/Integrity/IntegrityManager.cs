using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// The host's own write-only log of what it enforces. <see cref="Record"/> returns once the entry is durable; whoever
/// is about to change the world calls it before, so that every effect implies an earlier record. Each record on disk
/// is the canonical entry, a line break, and the text its digest is over. Where the host has a TPM, each entry is also
/// extended into a register of it before <see cref="Record"/> returns: from then on not even root can unsay it.
/// </summary>
public sealed class IntegrityManager : IDisposable
{
    private const string FileName = "integrity.log";
    private const int MaxDetailBytes = 256 * 1024;
    private readonly Lock _lock = new();
    private readonly AppendLog _log;
    private readonly List<IntegrityLine> _lines;
    private readonly HostTpm? _tpm;
    private bool _unsettled;

    private IntegrityManager(AppendLog log, List<IntegrityLine> lines, IntegrityHead head, HostTpm? tpm, Guid boot)
    {
        _log = log;
        _lines = lines;
        _tpm = tpm;
        Head = head;
        Boot = boot;
    }

    /// <summary>The host's boot.</summary>
    public Guid Boot { get; }

    /// <summary>What the log comes down to now.</summary>
    public IntegrityHead Head { get; private set; }

    /// <summary>Opens the log, or begins one, and checks every entry against the chain.</summary>
    /// <exception cref="InvalidDataException">
    /// An entry is not the one that must follow: the log was changed.
    /// </exception>
    /// <exception cref="DurableException">The disk refused, or another Proxy has the log.</exception>
    /// <exception cref="ConfigurationException">
    /// The TPM's register holds something else than this log says.
    /// </exception>
    public static IntegrityManager Open(PrivateDirectory directory, HostTpm? tpm = null, Guid boot = default)
    {
        List<IntegrityLine> lines = [];
        IntegrityHead head = IntegrityHead.Empty;
        AppendLog log = AppendLog.Open(directory, FileName, record =>
        {
            IntegrityLine line = IntegrityLine.Read(record.Payload.Span)
                ?? throw new InvalidDataException($"Entry {head.Entries} of {FileName} is not an integrity entry.");
            try
            {
                head = head.Extend(line.Entry);
            }
            catch (ArgumentException error)
            {
                throw new InvalidDataException($"{FileName}: {error.Message}", error);
            }

            lines.Add(line);
        });
        IntegrityManager manager = new(log, lines, head, tpm, boot);
        try
        {
            manager.MeetRegister();
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
    /// <exception cref="WorldException">The TPM does not answer, or is without the last entry.</exception>
    public T WhileStill<T>(Func<IntegrityHead, T> question)
    {
        ArgumentNullException.ThrowIfNull(question);
        lock (_lock)
        {
            Settle();
            return question(Head);
        }
    }

    /// <summary>
    /// Appends an entry; it is durable, and extended, when this returns. After a TPM that did not answer nothing more
    /// is appended until it holds the last entry, so that the register is never more than one entry behind.
    /// </summary>
    /// <param name="kind">What happens.</param>
    /// <param name="subject">What it happens to; cut to the longest subject.</param>
    /// <param name="detail">What describes it in full; the entry carries its digest.</param>
    /// <exception cref="WorldException">
    /// The disk or the TPM refused: what was to be recorded must not happen.
    /// </exception>
    public IntegrityEntry Record(IntegrityKind kind, string subject, string detail)
    {
        if (subject.Length > IntegrityEntry.MaxSubjectLength)
        {
            subject = subject[..IntegrityEntry.MaxSubjectLength];
        }

        byte[] text = Encoding.UTF8.GetBytes(detail);
        lock (_lock)
        {
            Settle();
            IntegrityEntry entry = new(Head.Entries, kind, subject, Digest32.Of(text));
            IntegrityLine line = new(entry, text.Length <= MaxDetailBytes ? detail : "");
            try
            {
                _log.Append(line.Write());
            }
            catch (DurableException error)
            {
                throw new WorldException(
                    ["record", kind.WireName(), "of", subject, "in the integrity log"], -1, error.Message);
            }

            Head = Head.Extend(entry);
            _lines.Add(line);
            _unsettled = _tpm is not null;
            _tpm?.Extend(IntegrityRegisterValue.DigestOf(entry));
            _unsettled = false;
            return entry;
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

    /// <summary>The newest entries of a kind, newest first, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<IntegrityLine> Last(IntegrityKind kind, int limit)
    {
        lock (_lock)
        {
            return [.. Enumerable.Reverse(_lines).Where(l => l.Entry.Kind == kind).Take(limit)];
        }
    }

    /// <summary>The kind of the newest entry about a subject among some kinds; null when there is none.</summary>
    public IntegrityKind? LastAbout(string subject, params IntegrityKind[] kinds)
    {
        lock (_lock)
        {
            return Enumerable.Reverse(_lines)
                .FirstOrDefault(l => l.Entry.Subject == subject && kinds.Contains(l.Entry.Kind))?.Entry.Kind;
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
    /// Begins the log of a new boot, or goes on with that of this one. A Proxy that died between writing an entry and
    /// extending it left the register one entry behind; the effect of that entry has not happened yet.
    /// </summary>
    private void MeetRegister()
    {
        if (_tpm is null)
        {
            return;
        }

        Digest32 register = _tpm.ReadIntegrityRegister();
        if (register == IntegrityRegisterValue.Zero)
        {
            Record(IntegrityKind.Boot, Boot.ToString("D"), "");
            return;
        }

        if (GoOn(_tpm, register))
        {
            return;
        }

        throw new ConfigurationException(
            $"The TPM's register {EvidenceRegisters.IntegrityLog} does not hold what {FileName} says of this boot: one "
            + "of them was changed by somebody else. Keep the file for an auditor, and start the host anew.");
    }

    /// <summary>Extends the last entry if the register is without it; false when it holds anything else.</summary>
    private bool GoOn(HostTpm tpm, Digest32 register)
    {
        int begin = _lines.FindLastIndex(line => line.Entry.Kind == IntegrityKind.Boot);
        IntegrityEntry[] entries = begin < 0 ? [] : [.. _lines[begin..].Select(line => line.Entry)];
        if (entries.Length == 0 || IntegrityRegisterValue.After(entries) == register)
        {
            return entries.Length > 0;
        }

        bool isOneBehind = IntegrityRegisterValue.After(entries[..^1]) == register;
        if (isOneBehind)
        {
            tpm.Extend(IntegrityRegisterValue.DigestOf(entries[^1]));
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

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();
}

/// <summary>An entry of the integrity log and the text its digest is over.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Detail">The text; empty when it was too long to keep.</param>
public sealed record IntegrityLine(IntegrityEntry Entry, string Detail)
{
    internal byte[] Write() => [.. Entry.Write(), (byte)'\n', .. Encoding.UTF8.GetBytes(Detail)];

    internal static IntegrityLine? Read(ReadOnlySpan<byte> payload)
    {
        int end = payload.IndexOf((byte)'\n');
        if (end < 0 || IntegrityEntry.Read(payload[..end]) is not { } entry)
        {
            return null;
        }

        string detail = Encoding.UTF8.GetString(payload[(end + 1)..]);
        return new IntegrityLine(entry, detail);
    }
}
