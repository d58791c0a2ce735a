using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Predicates;

/// <summary>
/// Judges predicates by what quotes vouch for. Everything fails closed: a fact that is missing, doubtful or ambiguous
/// breaks the predicate that needs it.
/// </summary>
public static class Appraisal
{
    /// <summary>Judges all predicates and says of each why.</summary>
    /// <param name="predicates">What is demanded.</param>
    /// <param name="boot">What the boot proves; null where it proves nothing, which breaks all that need it.</param>
    /// <param name="runtime">The piece of the runtime log that the quote vouches for; null where there is none.</param>
    /// <param name="earlier">
    /// The report over the pieces before this one, of the same boot and under the same predicates, if they all held: a
    /// program that was measured then need not be again. After a change of predicates the log is judged from its
    /// beginning.
    /// </param>
    public static AppraisalReport Judge(
        IReadOnlyList<Predicate> predicates, BootFacts? boot, ExplainedRuntime? runtime,
        AppraisalReport? earlier = null)
    {
        ArgumentNullException.ThrowIfNull(predicates);
        var reservations = ImmutableArray.CreateBuilder<string>();
        if (predicates.Count == 0)
        {
            reservations.Add("Nothing is demanded, and what demands nothing accepts nothing.");
        }

        if (boot?.Boot.Quoted.Bank == TpmHash.Sha1 || runtime?.Bank == TpmHash.Sha1)
        {
            reservations.Add("The quote is over SHA-1, whose collisions can be bought; another bank must be quoted.");
        }

        AppraisalReport? held = earlier?.Holds == true ? earlier : null;
        BootFacts? same = held is not null && Unchanged(held, predicates, boot) ? held.Boot : null;
        LoaderFacts? loader = null;
        var outcomes = ImmutableArray.CreateBuilder<PredicateOutcome>(predicates.Count);
        foreach (Predicate one in predicates)
        {
            outcomes.Add(IsOfRuntime(one) ? RuntimeJudge.Judge(one, runtime, held)
                : held is not null && boot is not null && same is not null && RestsOnTheSame(one, boot, same)
                    ? held.Outcomes[outcomes.Count]
                    : BootJudge.Judge(one, boot is null ? null : loader ??= new LoaderFacts(boot, predicates)));
        }

        return new AppraisalReport(outcomes.MoveToImmutable(), reservations.ToImmutable(), boot);
    }

    /// <summary>
    /// Whether a report was on these very predicates (each is judged beside all others) and on the very facts of the
    /// boot: then what it says of the boot is still so, but for registers' values.
    /// </summary>
    private static bool Unchanged(AppraisalReport held, IReadOnlyList<Predicate> predicates, BootFacts? boot) =>
        boot is not null && held.Boot is { } before && boot.IsSameAs(before)
        && held.Outcomes.Length == predicates.Count
        && held.Outcomes.Select(outcome => outcome.Predicate).SequenceEqual(
            predicates, ReferenceEqualityComparer.Instance);

    /// <summary>A register's value is of the quote and not of the log; everything else is of the facts.</summary>
    private static bool RestsOnTheSame(Predicate predicate, BootFacts now, BootFacts before) =>
        predicate is not Predicate.Pcr { Number: var pcr }
        || now.Boot.Quoted.Value(pcr).SequenceEqual(before.Boot.Quoted.Value(pcr));

    /// <summary>Every measured text that can be a kernel's command line, to be shown to people; no verdict.</summary>
    public static ImmutableArray<BootFact.Phrase> CommandLines(BootFacts boot)
    {
        ArgumentNullException.ThrowIfNull(boot);
        return new LoaderFacts(boot, []).CommandLines;
    }

    private static bool IsOfRuntime(Predicate predicate) => predicate switch
    {
        Predicate.RuntimeFiles or Predicate.NoViolations or Predicate.Program => true,
        Predicate.CryptoAgile or Predicate.SecureBoot or Predicate.SecureBootKeys or Predicate.FirmwareVersion
            or Predicate.BootApplications or Predicate.Kernel or Predicate.Initrd or Predicate.BootFiles
            or Predicate.CommandLine or Predicate.CommandLineWords or Predicate.Pcr or Predicate.BootEvents
            or Predicate.ExitBootServices => false,
        _ => throw new UnreachableException(),
    };
}
