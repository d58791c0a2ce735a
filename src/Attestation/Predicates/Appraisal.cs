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

        LoaderFacts? loader = boot is null ? null : new LoaderFacts(boot, predicates);
        ImmutableArray<PredicateOutcome> outcomes =
        [
            .. predicates.Select(p => IsOfRuntime(p)
                ? RuntimeJudge.Judge(p, runtime, earlier?.Holds == true ? earlier : null)
                : BootJudge.Judge(p, loader)),
        ];
        return new AppraisalReport(outcomes, reservations.ToImmutable());
    }

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
