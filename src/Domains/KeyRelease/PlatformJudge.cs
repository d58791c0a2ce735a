using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>Whether what a host proved is what a domain demands of its hosts.</summary>
public static class PlatformJudge
{
    private const int MostEvents = 4;

    /// <summary>Everything that is missing, in sentences; empty when the host is good enough.</summary>
    public static ImmutableArray<string> Against(VerifiedEvidence evidence, DomainModel domain)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(domain);
        AssuranceLevel level = PlatformLevel.Of(evidence, domain);
        return domain.Hosts.Assurance.Contains(level)
            ? Unmet(evidence, domain)
            :
            [
                $"its evidence gives {WireText.Of(level)}, and "
                + $"{string.Join(" or ", domain.Hosts.Assurance.Select(WireText.Of))} is accepted.",
                .. Unmet(evidence, domain),
            ];
    }

    /// <summary>The demands on its logs that do not hold, in sentences.</summary>
    public static ImmutableArray<string> Unmet(VerifiedEvidence evidence, DomainModel domain)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(domain);
        if (domain.Hosts.Evidence.IsEmpty)
        {
            return [];
        }

        AppraisalReport report = evidence.Appraise(domain.Hosts.Evidence);
        return
        [
            .. report.Reservations,
            .. report.Outcomes.Where(outcome => !outcome.Satisfied).Select(Sentence),
        ];
    }

    /// <summary>
    /// What a sentence says of a boot log may stand there in several places; of the runtime log it names the entry.
    /// </summary>
    private static string Sentence(PredicateOutcome outcome) =>
        outcome.Source != MeasurementSource.Boot || outcome.Events.IsEmpty
            ? outcome.Sentence
            : $"{outcome.Sentence.TrimEnd('.')} (boot log, event {string.Join(", ", outcome.Events.Take(MostEvents))}"
                + $"{(outcome.Events.Length > MostEvents ? " and more" : "")}).";
}
