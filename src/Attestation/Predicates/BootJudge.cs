using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Predicates;

/// <summary>Judges one predicate by the boot's facts.</summary>
internal sealed class BootJudge
{
    private static readonly Guid Global = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");
    private static readonly Guid ImageSecurity = new("d719b2cb-3d3a-4596-a3bc-dad00e67656f");

    // Actions that firmware measures into PCR 4 (Platform Firmware Profile 1.06, section 10.4.4).
    private static readonly ImmutableHashSet<string> BootActions =
    [
        "Calling EFI Application from Boot Option", "Returning from EFI Application from Boot Option",
        "Booting BCV Device", "Booting to ", "BOOT ATTEMPTS OMITTED",
    ];

    private readonly Predicate _predicate;
    private readonly BootFacts _facts;
    private readonly LoaderFacts _loader;

    private BootJudge(Predicate predicate, LoaderFacts loader)
    {
        _predicate = predicate;
        _facts = loader.Facts;
        _loader = loader;
    }

    /// <summary>Judges by what the boot measured; null where it proves nothing.</summary>
    internal static PredicateOutcome Judge(Predicate predicate, LoaderFacts? loader)
    {
        if (loader is null)
        {
            return new PredicateOutcome(predicate, false, MeasurementSource.Boot, [],
                "There is no boot log that explains the quoted PCRs.");
        }

        var judge = new BootJudge(predicate, loader);
        bool ofFirmware = predicate is not (Predicate.CryptoAgile or Predicate.Pcr);
        return (ofFirmware ? judge.SeparatorFault() : null) ?? judge.Run();
    }

    private PredicateOutcome Run() => _predicate switch
    {
        Predicate.CryptoAgile => _facts.Boot.Log.Format == BootLogFormat.CryptoAgile
            ? Holds([0], "The log has the crypto-agile form.")
            : Broken([0], "The log has the SHA-1 form of old firmware."),
        Predicate.SecureBoot one => SecureBoot(one),
        Predicate.SecureBootKeys one => Keys(one),
        Predicate.FirmwareVersion one => Version(one),
        Predicate.BootApplications one => Applications(one),
        Predicate.Kernel one => Loaded("kernel", ".linux", one.Digests),
        Predicate.Initrd one => Loaded("initial file system", ".initrd", one.Digests),
        Predicate.BootFiles => Files(),
        Predicate.CommandLine one => Lines(line => one.Lines.Contains(line) ? null : "is not one of the accepted"),
        Predicate.CommandLineWords one => Lines(line => WordFault(line, one)),
        Predicate.Pcr one => Value(one),
        Predicate.BootEvents one => AllOf(one),
        Predicate.ExitBootServices => Exit(),
        Predicate.RuntimeFiles or Predicate.NoViolations or Predicate.Program => throw new UnreachableException(),
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// What firmware measured counts only where it ended with a separator and without an error in each of its PCRs
    /// (Platform Firmware Profile 1.06, section 2.3.4).
    /// </summary>
    private PredicateOutcome? SeparatorFault()
    {
        var separators = _facts.All.OfType<BootFact.Separator>().Where(s => s.Pcr <= 7).ToLookup(s => s.Pcr);
        BootFact.Separator[] bad = [.. separators.SelectMany(s => s).Where(s => s.State != SeparatorState.Normal)];
        if (bad.Length > 0)
        {
            return Broken(Numbers(bad), "The firmware measured an error in place of a separator.");
        }

        int[] without = [.. Enumerable.Range(0, 8).Where(pcr => !separators.Contains(pcr))];
        return without.Length == 0 ? null : Broken([],
            $"No separator ends what the firmware measured into PCR {string.Join(", ", without)}; what came after it "
            + "cannot be told apart.");
    }

    private PredicateOutcome SecureBoot(Predicate.SecureBoot wanted)
    {
        BootFact[] debug = [.. _facts.In(7).OfType<BootFact.Phrase>().Where(p => p.Text == "UEFI Debug Mode")];
        if (wanted.On && debug.Length > 0)
        {
            return Broken(Numbers(debug), "The firmware was in debug mode, which secure boot does not survive.");
        }

        BootFact.Variable[] found = [.. _facts.Variables(Global, "SecureBoot")];

        // Firmware without secure boot measures the variable without a value.
        bool? on = found is [var state]
            ? state.Value.Span switch { [1] => true, [0] or [] => false, _ => null }
            : null;
        return on is { } known
            ? Decide(known == wanted.On, Numbers(found), $"Secure boot is {(known ? "on" : "off")}.")
            : Broken(Numbers(found), "The firmware did not measure the state of secure boot, or not clearly.");
    }

    private PredicateOutcome Keys(Predicate.SecureBootKeys wanted)
    {
        (Guid vendor, string name) = wanted.Database switch
        {
            KeyDatabase.PlatformKey => (Global, "PK"),
            KeyDatabase.KeyExchangeKeys => (Global, "KEK"),
            KeyDatabase.Allowed => (ImageSecurity, "db"),
            KeyDatabase.Forbidden => (ImageSecurity, "dbx"),
            _ => throw new UnreachableException(),
        };
        BootFact.Variable[] found = [.. _facts.Variables(vendor, name)];
        if (found is not [var variable] || SignatureDatabase.Read(variable.Value.Span) is not { Length: > 0 } entries)
        {
            return Broken(Numbers(found), $"The firmware did not measure {name}, or it is empty or malformed.");
        }

        SignatureEntry[] strangers =
        [
            .. entries.Where(e => (wanted.Owners is { } owners && !owners.Contains(e.Owner))
                || (wanted.Fingerprints is { } set && !set.Accepts(e.Fingerprint))),
        ];
        return Decide(strangers.Length == 0, [variable.Event], strangers.Length == 0
            ? $"All {entries.Length} entries of {name} are accepted."
            : $"{strangers.Length} of {entries.Length} entries of {name} are not accepted, the first "
                + $"{strangers[0].Fingerprint} of the owner {strangers[0].Owner} {strangers[0].Subject()}.");
    }

    private PredicateOutcome Version(Predicate.FirmwareVersion wanted)
    {
        BootFact.Phrase[] found =
        [
            .. _facts.In(0).OfType<BootFact.Phrase>()
                .Where(p => p is { Form: PhraseForm.Version, BeforeSeparator: true }),
        ];
        return Decide(found.Length > 0 && found.All(p => wanted.Versions.Contains(p.Text)), Numbers(found),
            found.Length == 0
                ? "The firmware's version was not measured."
                : $"The firmware's version is '{string.Join("', '", found.Select(p => p.Text))}'.");
    }

    private PredicateOutcome Applications(Predicate.BootApplications wanted)
    {
        BootFact[] images = [.. _facts.In(4).Where(f => f is not BootFact.Separator && !IsBootAction(f))];
        BootFact[] bad = [.. images.Where(f => f is not BootFact.Content one || !wanted.Digests.Accepts(one.Hex))];
        return bad.Length > 0
            ? Broken(Numbers(bad), $"PCR 4 has {Said(bad[0])}, which is no accepted boot application.")
            : Decide(images.Length > 0, Numbers(images), images.Length > 0
                ? $"All {images.Length} boot applications are accepted." : "No boot application was measured.");
    }

    private static bool IsBootAction(BootFact fact) =>
        fact is BootFact.Phrase phrase && BootActions.Contains(phrase.Text);

    /// <summary>
    /// A file counts by its digest: it was measured, each section of its kind is accepted, and nothing that could be
    /// another one is unaccounted for.
    /// </summary>
    private PredicateOutcome Loaded(string what, string section, ReferenceSet digests)
    {
        BootFact.Content[] wrong =
            [.. _facts.In(11).OfType<BootFact.Content>().Where(c => c.Section == section && !digests.Accepts(c.Hex))];
        if (wrong.Length > 0)
        {
            return Broken(Numbers(wrong), $"The unified kernel image has {Said(wrong[0])} as its {what}.");
        }

        BootFact.Content[] found =
        [
            .. _facts.All.OfType<BootFact.Content>()
                .Where(c => (c.Pcr == 9 || (c.Pcr == 11 && c.Section == section)) && digests.Accepts(c.Hex)),
        ];
        return found.Length == 0
            ? Broken([], $"No accepted {what} was measured into PCR 9 or 11.")
            : _loader.Unaccounted is [var first, ..] unknown
                ? Broken(Numbers(unknown), $"PCR 9 has {Said(first)}, which no predicate accounts for; it could be "
                    + $"another {what}.")
                : Holds(Numbers(found), $"The {what} is {found[0].Hex}.");
    }

    private PredicateOutcome Files() => _loader.Unaccounted is [var first, ..] unknown
        ? Broken(Numbers(unknown), $"PCR 9 has {Said(first)}, which no predicate accounts for.")
        : Decide(_facts.In(9).Any(), Numbers(_facts.In(9)), "All of PCR 9 is accounted for.");

    private PredicateOutcome Lines(Func<string, string?> faultOf)
    {
        if (_loader.CommandLineDoubt() is { } doubt)
        {
            return Broken(Numbers(doubt.Events), doubt.Sentence);
        }

        foreach (BootFact.Phrase line in _loader.CommandLines)
        {
            if (faultOf(line.Text) is { } fault)
            {
                return Broken([line.Event], $"The command line '{line.Text}' {fault}.");
            }
        }

        return Decide(_loader.CommandLines.Length > 0, Numbers(_loader.CommandLines),
            _loader.CommandLines.Length > 0
                ? $"The command line is '{_loader.CommandLines[0].Text}'." : "No command line was measured.");
    }

    private static string? WordFault(string line, Predicate.CommandLineWords wanted)
    {
        if (CommandLineReader.Words(line) is not { } words)
        {
            return "has a quotation mark that does not end";
        }

        string[] missing = [.. wanted.Required.Where(w => !words.Contains(w))];
        string[] present = [.. words.Where(w => wanted.Forbidden.Any(f => CommandLineReader.Sets(w, f)))];
        return missing.Length > 0 ? $"lacks {string.Join(", ", missing)}"
            : present.Length > 0 ? $"has {string.Join(", ", present)}"
            : wanted.Required.FirstOrDefault(w => CommandLineReader.Overrides(words, w)) is { } word
                ? $"sets the key of {word} to something else too" : null;
    }

    private PredicateOutcome Value(Predicate.Pcr wanted)
    {
        ReadOnlySpan<byte> value = _facts.Boot.Quoted.Value(wanted.Number);
        return value.IsEmpty
            ? Broken([], $"PCR {wanted.Number} was not quoted.")
            : Decide(wanted.Values.Accepts(value), Numbers(_facts.In(wanted.Number)),
                $"PCR {wanted.Number} is {Convert.ToHexStringLower(value)}.");
    }

    private PredicateOutcome AllOf(Predicate.BootEvents wanted)
    {
        if (!_facts.Boot.Pcrs.Contains(wanted.Number))
        {
            return Broken([], $"The log does not explain the quoted PCR {wanted.Number}.");
        }

        BootFact[] all = [.. _facts.In(wanted.Number).Where(f => f is not BootFact.Separator)];
        TpmHash bank = _facts.Boot.Quoted.Bank;
        BootFact[] bad = [.. all.Where(f => !wanted.Digests.Accepts(_facts.Boot.Log[f.Event].Digest(bank)))];
        return bad.Length > 0
            ? Broken(Numbers(bad), $"PCR {wanted.Number} has {Said(bad[0])}, which is not accepted.")
            : Decide(all.Length > 0, Numbers(all), all.Length > 0
                ? $"All {all.Length} events of PCR {wanted.Number} are accepted."
                : $"PCR {wanted.Number} has no event besides separators.");
    }

    private PredicateOutcome Exit()
    {
        BootFact.Phrase[] said =
        [
            .. _facts.In(5).OfType<BootFact.Phrase>()
                .Where(p => !p.BeforeSeparator && p.Text.StartsWith("Exit Boot Services ", StringComparison.Ordinal)),
        ];
        return Decide(
            said.Any(p => p.Text.EndsWith(" Invocation", StringComparison.Ordinal))
                && said is [.., { Text: "Exit Boot Services Returned with Success" }],
            Numbers(said), said.Length > 0 ? $"PCR 5 ends with '{said[^1].Text}'."
                : "Nothing says that the loader handed over to a kernel.");
    }

    private static string Said(BootFact fact) => fact switch
    {
        BootFact.Content one => $"event {one.Event}, digest {one.Hex}{(one.Label.Length > 0
            ? $", which the log calls '{one.Label}'" : "")}",
        BootFact.Phrase one => $"event {one.Event}, '{one.Text}'",
        BootFact.Variable one => $"event {one.Event}, the variable {one.Name}",
        BootFact.Separator one => $"event {one.Event}, a separator",
        _ => throw new UnreachableException(),
    };

    private PredicateOutcome Decide(bool satisfied, ImmutableArray<long> events, string sentence) =>
        new(_predicate, satisfied, MeasurementSource.Boot, events, sentence);

    private PredicateOutcome Holds(ImmutableArray<long> events, string sentence) => Decide(true, events, sentence);

    private PredicateOutcome Broken(ImmutableArray<long> events, string sentence) => Decide(false, events, sentence);

    private static ImmutableArray<long> Numbers(IEnumerable<BootFact> facts) => [.. facts.Select(f => (long)f.Event)];
}
