using System.Collections.Immutable;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>What two domains want to pass between them, and whether the answer informs the granting one too.</summary>
internal sealed record Wanted(string From, string To, bool IsMutual);

/// <summary>
/// Where information may come: of each demand the sentence of the book, tried with every way over a list of steps. A
/// flow is closed if one of its two ends demands what would not hold were it that domain's only flow.
/// </summary>
/// <param name="said">What is stated.</param>
/// <param name="wanted">The flows that would be open if nobody demanded anything.</param>
/// <param name="shared">The pairs of domains that one machine is in, each both ways.</param>
internal sealed class NaiveInformation(
    Sketch said, IReadOnlyCollection<Wanted> wanted, IReadOnlyCollection<(string From, string To)> shared)
{
    private readonly Dictionary<Wanted, bool> _closed = [];

    /// <summary>Whether a demand of one of its ends closes a flow.</summary>
    public bool Closes(Wanted flow)
    {
        if (!_closed.TryGetValue(flow, out bool closed))
        {
            _closed[flow] = closed = IsRefusedBy(flow.From, flow) || IsRefusedBy(flow.To, flow);
        }

        return closed;
    }

    private bool IsRefusedBy(string domain, Wanted flow) =>
        said.Domains.TryGetValue(domain, out var statement) && statement.Information is { } demand
        && IsViolated(domain, statement, demand,
        [
            .. Steps(flow),
            .. wanted.SelectMany(Steps).Concat(shared).Where(step => step.From != domain && step.To != domain),
        ]);

    private bool IsViolated(
        string domain, SketchedDomain statement, SketchedDemand demand, IReadOnlyCollection<(string, string)> steps)
    {
        HashSet<string> own = Reached([domain], demand.Keepers, steps);
        string[] rivals = [.. demand.Conflicts.SelectMany(rival => rival).Where(said.Domains.ContainsKey)];
        HashSet<string> theirs = Reached(rivals, demand.Keepers, steps);
        return theirs.Contains(domain) || own.Where(one => one != domain).Any(one =>
            demand.NotTo.Contains(one) || IsOutside(one, statement)
            // Who keeps what it learns may know of both sides.
            || (theirs.Contains(one) && !demand.Keepers.Contains(one)));
    }

    private bool IsOutside(string domain, SketchedDomain statement) => statement.MayBeKnownIn is { } countries
        && said.Domains[domain] is var other
        && !(countries.Contains(other.Owner) && other.Countries.All(countries.Contains));

    /// <summary>Whom some domains' information reaches, themselves among them: it goes on from all but keepers.
    /// </summary>
    private static HashSet<string> Reached(
        string[] from, ImmutableSortedSet<string> keepers, IReadOnlyCollection<(string From, string To)> steps)
    {
        HashSet<string> reached = [.. from];
        while (steps.Where(step => reached.Contains(step.From) && !reached.Contains(step.To)
            && (from.Contains(step.From) || !keepers.Contains(step.From))).Select(step => step.To).ToArray() is
            { Length: > 0 } more)
        {
            reached.UnionWith(more);
        }

        return reached;
    }

    private static IEnumerable<(string From, string To)> Steps(Wanted flow) =>
        flow.IsMutual ? [(flow.From, flow.To), (flow.To, flow.From)] : [(flow.From, flow.To)];
}
