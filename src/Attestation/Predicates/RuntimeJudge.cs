using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Attestation.RuntimeLog;

namespace Bailiwick.Attestation.Predicates;

/// <summary>Judges one predicate by a piece of the runtime log.</summary>
internal sealed class RuntimeJudge
{
    private const int MostNamed = 20;
    private readonly Predicate _predicate;
    private readonly ExplainedRuntime _runtime;
    private readonly List<long> _events = [];
    private string? _first;
    private long _bad;

    private RuntimeJudge(Predicate predicate, ExplainedRuntime runtime)
    {
        _predicate = predicate;
        _runtime = runtime;
    }

    private delegate string? EntryFault(in RuntimeEntry entry, long number);

    internal static PredicateOutcome Judge(Predicate predicate, ExplainedRuntime? runtime, AppraisalReport? earlier)
    {
        if (runtime is null)
        {
            return new PredicateOutcome(predicate, false, MeasurementSource.Runtime, [],
                "There is no runtime log that explains the quoted PCR 10.");
        }

        if (runtime.Before.Count.Entries > 0 && earlier is null)
        {
            return new PredicateOutcome(predicate, false, MeasurementSource.Runtime, [],
                "The runtime log is judged from its middle, and no report says that its beginning held.");
        }

        var judge = new RuntimeJudge(predicate, runtime);
        return predicate switch
        {
            Predicate.RuntimeFiles one => judge.Files(one),
            Predicate.NoViolations => judge.Violations(),
            Predicate.Program one => judge.Program(one, earlier),
            Predicate.CryptoAgile or Predicate.SecureBoot or Predicate.SecureBootKeys or Predicate.FirmwareVersion
                or Predicate.BootApplications or Predicate.Kernel or Predicate.Initrd or Predicate.BootFiles
                or Predicate.CommandLine or Predicate.CommandLineWords or Predicate.Pcr or Predicate.BootEvents
                or Predicate.ExitBootServices => throw new UnreachableException(),
            _ => throw new UnreachableException(),
        };
    }

    private PredicateOutcome Files(Predicate.RuntimeFiles wanted)
    {
        byte[]? path = wanted.Path is { } text ? Encoding.UTF8.GetBytes(text) : null;
        Each((in RuntimeEntry entry, long number) => FileFault(entry, number, wanted, path));
        return Outcome(true, "Every measured file is accepted.", "a file is not accepted");
    }

    private static string? FileFault(
        in RuntimeEntry entry, long number, Predicate.RuntimeFiles wanted, byte[]? path)
    {
        if (RuntimeTemplate.Of(entry.TemplateName) is not { } template)
        {
            return $"has the unknown template '{Shown(entry.TemplateName)}'";
        }

        if (!template.HasFile)
        {
            return null;
        }

        if (entry.IsViolation || !entry.TryReadFile(out RuntimeFile file))
        {
            return entry.IsViolation ? null : "is malformed";
        }

        // The first entry is no file: it binds the list to the boot's PCRs.
        if ((number == 0 && file.Path.SequenceEqual("boot_aggregate"u8))
            || (path is not null && !Fits(file.Path, path)))
        {
            return null;
        }

        return Accepts(wanted, file) ? null
            : $"'{Shown(file.Path)}' has the digest {Convert.ToHexStringLower(file.Digest)}";
    }

    private static bool Accepts(Predicate.RuntimeFiles wanted, in RuntimeFile file)
    {
        if (wanted.Digests is { } set && set.Accepts(file.Digest) && !IsSha1(file))
        {
            return true;
        }

        foreach (RuntimeSigner signer in wanted.Signers)
        {
            if (signer.Signed(file.Algorithm, file.Digest, file.Signature))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsSha1(in RuntimeFile file) => file.Digest.Length <= RuntimeLogLimits.DigestBytes;

    private PredicateOutcome Violations()
    {
        if (_runtime.After.Count.Violations == 0)
        {
            return Outcome(true, "IMA has seen no violation since the boot.", "");
        }

        Each(static (in RuntimeEntry entry, long _) => entry.IsViolation
            ? entry.TryReadFile(out RuntimeFile file) ? $"is a violation, of '{Shown(file.Path)}' as the log says"
                : "is a violation"
            : null);
        return _bad > 0
            ? Outcome(true, "", "")
            : Decide(false, $"IMA has seen {_runtime.After.Count.Violations} violations since the boot.");
    }

    private PredicateOutcome Program(Predicate.Program wanted, AppraisalReport? earlier)
    {
        byte[] path = Encoding.UTF8.GetBytes(wanted.Path);
        var good = new List<long>();
        Each((in RuntimeEntry entry, long number) =>
        {
            if (entry.IsViolation || !entry.TryReadFile(out RuntimeFile file) || !file.Path.SequenceEqual(path))
            {
                return null;
            }

            if (!wanted.Digests.Accepts(file.Digest) || IsSha1(file))
            {
                return $"'{wanted.Path}' has the digest {Convert.ToHexStringLower(file.Digest)}";
            }

            if (good.Count < MostNamed)
            {
                good.Add(number);
            }

            return null;
        });
        if (_bad == 0 && good.Count > 0)
        {
            _events.AddRange(good);
            return Decide(true, $"'{wanted.Path}' was measured and is accepted.");
        }

        PredicateOutcome? before = earlier?.Outcomes.FirstOrDefault(
            o => o.Satisfied && PredicateJson.AreEqual(o.Predicate, wanted));
        return _bad == 0 && before is not null
            ? before with { Predicate = wanted }
            : Outcome(false, $"'{wanted.Path}' was not measured.", "");
    }

    private void Each(EntryFault faultOf)
    {
        RuntimeLogReader reader = _runtime.Read();
        for (long number = _runtime.Before.Count.Entries; reader.TryRead(out RuntimeEntry entry); number++)
        {
            // What another PCR vouches for, nobody quoted.
            if (entry.Pcr != RuntimeLogLimits.Pcr || faultOf(entry, number) is not { } fault)
            {
                continue;
            }

            _bad++;
            _first ??= string.Create(CultureInfo.InvariantCulture, $"Entry {number} {fault}");
            if (_events.Count < MostNamed)
            {
                _events.Add(number);
            }
        }
    }

    /// <summary>Broken by what was found, if anything was.</summary>
    private PredicateOutcome Outcome(bool otherwise, string sentence, string what) => _bad == 0
        ? Decide(otherwise, sentence)
        : Decide(false, string.Create(CultureInfo.InvariantCulture,
            $"{_first}{(what.Length > 0 ? ": " + what : "")}{(_bad > 1 ? $"; so {_bad} entries in all" : "")}."));

    private PredicateOutcome Decide(bool satisfied, string sentence) =>
        new(_predicate, satisfied, MeasurementSource.Runtime, [.. _events], sentence);

    /// <summary>Bytes that a host chose, as text that a sentence can hold.</summary>
    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        const int Longest = 200;
        string text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, Longest)]);
        return string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }

    private static bool Fits(ReadOnlySpan<byte> path, ReadOnlySpan<byte> pattern) =>
        pattern.EndsWith("*"u8) ? path.StartsWith(pattern[..^1]) : path.SequenceEqual(pattern);
}
