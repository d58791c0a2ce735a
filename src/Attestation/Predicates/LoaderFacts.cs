using System.Collections.Immutable;
using Bailiwick.Attestation.BootLog;

namespace Bailiwick.Attestation.Predicates;

/// <summary>
/// What boot loaders measured. Their events have no name that a digest covers, so a host could call the file it booted
/// something else, and measure the accepted one later: these facts hold only if each event of their PCRs is accounted
/// for.
/// </summary>
internal sealed class LoaderFacts
{
    // GRUB measures command lines into 8, Linux's EFI stub into 9, systemd-stub into 12.
    private static readonly ImmutableArray<int> LinePcrs = [8, 9, 12];

    internal LoaderFacts(BootFacts facts, IReadOnlyList<Predicate> all)
    {
        Facts = facts;
        ReferenceSet[] known =
        [
            .. all.Select(p => p switch
            {
                Predicate.Kernel one => one.Digests,
                Predicate.Initrd one => one.Digests,
                Predicate.BootFiles one => one.Digests,
                _ => null,
            }).OfType<ReferenceSet>(),
        ];
        Unaccounted =
        [
            .. facts.In(9).Where(f => f is BootFact.Variable
                || (f is BootFact.Content one && !known.Any(set => set.Accepts(one.Hex)))),
        ];
        CommandLines = [.. facts.All.OfType<BootFact.Phrase>().Where(IsCommandLine)];
    }

    /// <summary>Everything that the boot proves.</summary>
    internal BootFacts Facts { get; }

    /// <summary>Events of PCR 9 that no reference set of the predicates names.</summary>
    internal ImmutableArray<BootFact> Unaccounted { get; }

    /// <summary>Every text that can be a kernel's command line.</summary>
    internal ImmutableArray<BootFact.Phrase> CommandLines { get; }

    /// <summary>Why there may be a command line that is not seen.</summary>
    internal (IEnumerable<BootFact> Events, string Sentence)? CommandLineDoubt()
    {
        int[] missing = [.. LinePcrs.Where(pcr => !Facts.Boot.Pcrs.Contains(pcr))];
        if (missing.Length > 0)
        {
            return ([], $"PCR {string.Join(", ", missing)} was not quoted, or the log does not explain it; a command "
                + "line may hide there.");
        }

        BootFact[] hidden = [.. Facts.All.Where(f => f.Pcr is 8 or 12 && f is BootFact.Content)];
        if (hidden.Length > 0)
        {
            return (hidden, $"Event {hidden[0].Event} of PCR {hidden[0].Pcr} has a digest that is not that of its "
                + "text; it may be a command line.");
        }

        return Unaccounted.Length > 0
            ? (Unaccounted, $"Event {Unaccounted[0].Event} of PCR 9 is accounted for by no predicate; it may be a "
                + "command line.")
            : null;
    }

    /// <summary>
    /// By what was measured and never by what the log calls it: GRUB's line begins with the kernel's path, which no
    /// command of GRUB does; EFI programs measure theirs in UTF-16; and a claimed line is one.
    /// </summary>
    private static bool IsCommandLine(BootFact.Phrase phrase) => phrase.Pcr switch
    {
        8 => phrase.Form is PhraseForm.Wide or PhraseForm.Claimed
            || phrase.Text is ['/' or '(', ..] || phrase.Text.StartsWith("BOOT_IMAGE=", StringComparison.Ordinal),
        9 or 12 => true,
        _ => false,
    };
}
