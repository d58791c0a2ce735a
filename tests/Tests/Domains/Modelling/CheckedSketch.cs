using System.Collections.Immutable;
using System.Text;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// What the product makes of a sketch that changes: documents read, checked and refined by what was found before.
/// A document that does not change is not read again.
/// </summary>
internal sealed class CheckedSketch
{
    private static readonly PartyNames Names =
        PartyNames.Unsigned(Enumerable.Range(0, 100).Select(number => $"t{number}").Append(Sketch.Operator));

    private RefinedDatacentre? _refined;
    private Dictionary<(string, string), ImmutableArray<PolicyDocument>> _read = [];

    /// <summary>The policies, as they are now.</summary>
    public CheckedDatacentre Datacentre { get; private set; } = PolicyCheck.Run([]).Datacentre;

    /// <summary>The plans of all hosts, as refinement gives them.</summary>
    public ImmutableArray<HostPlan> Refined { get; private set; } = [];

    /// <summary>The same without the hosts in doubt.</summary>
    public ImmutableArray<HostPlan> Plans { get; private set; } = [];

    /// <summary>What is proposed.</summary>
    public ImmutableArray<PlacementProposal> Proposals { get; private set; } = [];

    /// <summary>A sketch, seen for the first time.</summary>
    public static CheckedSketch Of(Sketch sketch)
    {
        var product = new CheckedSketch();
        product.Become(sketch);
        return product;
    }

    /// <summary>The same with plans that something is wrong with.</summary>
    public CheckedSketch With(Func<HostPlan, HostPlan> wrong)
    {
        (Refined, Plans) = ([.. Refined.Select(wrong)], [.. Plans.Select(wrong)]);
        return this;
    }

    /// <summary>The next state.</summary>
    public void Become(Sketch sketch)
    {
        var read = SketchText.Of(sketch).ToDictionary(file => file, Documents);
        _read = read;
        Datacentre = PolicyCheck.Run(read.Values.SelectMany(documents => documents), before: Datacentre).Datacentre;
        var before = Proposals;
        Proposals = [.. sketch.Places.Select(place => Proposal(place.Machine, place.Host))];
        // After the first, what a change does not touch is as it was.
        RefinedDatacentre refined = _refined = _refined?.After(
            Datacentre, [.. Proposals.Except(before)], [.. before.Except(Proposals)], Now)
            ?? Refine.Of(Datacentre, Proposals, Now);
        Refined = [.. sketch.Hosts.Keys.Select(host => refined.ForHost(Host(host)))];
        var doubts = sketch.Doubts.Select(doubt => (Host(doubt.Host), Domain(doubt.Domain))).ToHashSet();
        Plans = [.. Refined.Select(plan => TrustedPeers.Only(
            plan, (host, domain) => doubts.Contains((host, domain)) ? "It has not proven itself." : null))];
    }

    private ImmutableArray<PolicyDocument> Documents((string Path, string Text) file)
    {
        if (_read.TryGetValue(file, out var known))
        {
            return known;
        }

        PolicyReading reading = PolicyDocuments.ReadYaml(
            [(file.Path, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Text))], Names);
        // A sketch that cannot be read at all would agree with everything.
        Assert.True(reading.Findings.IsEmpty, $"{string.Join('\n', reading.Findings)}\n{file.Text}");
        return reading.Documents;
    }
}
