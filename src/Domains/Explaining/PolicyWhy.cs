using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Explaining;

/// <summary>
/// Answers why something may be: the chain of statements that says so, or the missing one. It looks at statements
/// alone; where packets go on hosts is the <see cref="Tracer"/>'s to say.
/// </summary>
public static class PolicyWhy
{
    /// <summary>Answers a question, as far as the reader may see.</summary>
    /// <param name="datacentre">The checked policies.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="placed">What runs where, by the Master's word; asked only for a place.</param>
    /// <param name="reader">
    /// The tenant who reads: it sees its own statements, those of the operator, and those of domains with which the
    /// question's own side has an open flow. A stranger's machine or volume is told of as one that does not exist. Null
    /// for the whole.
    /// </param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <returns>Null where the question is about nothing of the reader's.</returns>
    public static Explanation? Answer(
        CheckedDatacentre datacentre, WhyQuestion question, IReadOnlyList<PlacementProposal> placed, PartyId? reader,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(placed);
        if (reader is not null && !question.Concerns(reader))
        {
            return null;
        }

        var matrix = FlowMatrix.Of(datacentre);
        var sight = new WhySight(datacentre, question, reader);
        if (!sight.SeesBothEnds)
        {
            return WithStranger(datacentre, question, sight);
        }

        var links = question switch
        {
            WhyQuestion.Flow flow => new FlowReasons(datacentre, matrix, flow.Connection, now).Links(),
            WhyQuestion.Disk disk => new DiskReasons(datacentre, matrix, disk, now).Links(),
            WhyQuestion.Place place => PlaceReasons.Links(datacentre, place, placed, now),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return new Explanation(
            sight.Text(), !links.IsEmpty && links.All(link => link.Holds),
            [.. links.Select(sight.Shown).Distinct()], Aside(question));
    }

    private static ImmutableArray<string> Aside(WhyQuestion question) => question switch
    {
        WhyQuestion.Flow => ["`bailiwick network trace` follows a packet through the hosts' rules."],
        WhyQuestion.Disk =>
            ["The volume's key goes only to a host that its owner's key service finds acceptable when it asks; "
                + "`bailiwick volume show` says which could have it now."],
        WhyQuestion.Place =>
            ["What a host must prove of its boot and its running is asked of it when it asks for keys; "
                + "`bailiwick evidence verify` says what it proves."],
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Nothing in it depends on the other end.</summary>
    private static Explanation WithStranger(CheckedDatacentre datacentre, WhyQuestion question, WhySight sight)
    {
        var own = sight.OwnMachine is { } machine
            ? datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString()) : null;
        var missing = (question, own) switch
        {
            (WhyQuestion.Flow flow, { } asking) => Needed(
                datacentre, asking, flow.Connection.From == asking.Ref, MissingTerms.Service(flow.Connection)),
            (WhyQuestion.Disk disk, { } asking) => Needed(
                datacentre, asking, isGrant: false, $"volume: {{name: {disk.Volume.Name}, access: read}}"),
            (_, null) => [new WhyLink(false, "No flow that opens it is stated on both sides.", null)],
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return new Explanation(sight.Text(), false, [.. missing.Select(sight.Shown)], [TraceReport.OthersPart]);
    }

    private static IEnumerable<WhyLink> Needed(
        CheckedDatacentre datacentre, CompartmentModel machine, bool isGrant, string resource) =>
        FlowMatrix.Domains(machine).Distinct()
            .Select(domain => datacentre.Domains.GetValueOrDefault(domain.ToString())).OfType<DomainModel>()
            .Select(domain => new WhyLink(
                false, MissingTerms.OfStranger(domain, isGrant, machine.Ref, resource), domain.Origin)
            {
                Domain = domain.Ref,
            });
}
