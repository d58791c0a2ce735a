using System.Collections.Immutable;
using Bailiwick.Attestation.BootLog;

namespace Bailiwick.Attestation.Predicates;

/// <summary>Which log an outcome's events lie in. Closed.</summary>
public enum MeasurementSource
{
    /// <summary>The boot log.</summary>
    Boot = 1,

    /// <summary>The runtime log.</summary>
    Runtime,
}

/// <summary>How one predicate came out.</summary>
/// <param name="Predicate">The predicate.</param>
/// <param name="Satisfied">Whether it holds.</param>
/// <param name="Source">The log it was judged by.</param>
/// <param name="Events">The events, or entries, that satisfied or broke it, by number; empty where none is there.
/// </param>
/// <param name="Sentence">Why, for people.</param>
public sealed record PredicateOutcome(
    Predicate Predicate, bool Satisfied, MeasurementSource Source, ImmutableArray<long> Events, string Sentence);

/// <summary>Every predicate's outcome. Only <see cref="Appraisal"/> makes one.</summary>
public sealed class AppraisalReport
{
    internal AppraisalReport(
        ImmutableArray<PredicateOutcome> outcomes, ImmutableArray<string> reservations, BootFacts? boot)
    {
        Boot = boot;
        Outcomes = outcomes;
        Reservations = reservations;
    }

    /// <summary>The facts of the boot that were judged; null where there were none.</summary>
    internal BootFacts? Boot { get; }

    /// <summary>One for each predicate, in their order.</summary>
    public ImmutableArray<PredicateOutcome> Outcomes { get; }

    /// <summary>
    /// What makes the measurements as a whole worth nothing, one sentence each: SHA-1, or that nothing was demanded.
    /// </summary>
    public ImmutableArray<string> Reservations { get; }

    /// <summary>True if there is no reservation and every predicate is satisfied.</summary>
    public bool Holds => Reservations.IsEmpty && Outcomes.All(o => o.Satisfied);

    /// <summary>
    /// Whether it is on exactly these demands. They are nearly always the same objects; a policy that was read anew is
    /// compared by what it says.
    /// </summary>
    internal bool IsOn(IReadOnlyList<Predicate> demands)
    {
        if (demands.Count != Outcomes.Length)
        {
            return false;
        }

        for (int i = 0; i < demands.Count; i++)
        {
            if (!PredicateJson.AreEqual(Outcomes[i].Predicate, demands[i]))
            {
                return false;
            }
        }

        return true;
    }
}
