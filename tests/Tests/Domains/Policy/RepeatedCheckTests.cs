using System.Collections.Immutable;
using System.Text;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

public sealed class RepeatedCheckTests
{
    [Fact]
    public void A_check_that_knows_the_one_before_finds_what_a_check_of_everything_finds()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(30, 120, 8, 20, Seed: 11));
        var documents = drawn.Read().Documents.ToDictionary(Subject);
        var random = new Random(5);
        var before = PolicyCheck.Run(documents.Values).Datacentre;
        var (removed, texts) = (new Stack<PolicyDocument>(), new HashSet<string>());
        for (var step = 0; step < 60; step++)
        {
            Change(random, drawn, documents, removed);
            var known = PolicyCheck.Run(documents.Values, before: before);
            var anew = PolicyCheck.Run(documents.Values);
            Assert.Equal(Text(anew), Text(known));
            texts.Add(Text(known));
            before = known.Datacentre;
        }

        Assert.True(texts.Count > 50, $"only {texts.Count} of 60 changes changed anything");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void After_any_sequence_of_changes_the_changed_statements_alone_give_what_a_check_of_everything_gives(
        int seed)
    {
        var random = new RandomStatements(seed);
        var documents = RandomStatements.Subjects.ToDictionary(subject => subject, random.Statement);
        var (known, told) = (PolicyCheck.Run(documents.Values), PolicyCheck.Run(documents.Values));
        var (codes, again) = (new HashSet<FindingCode>(), 0);
        for (var step = 0; step < 400; step++)
        {
            var subject = random.Subject();
            documents.Remove(subject, out var gone);
            PolicyDocument? come = null;
            if (!random.Removes())
            {
                documents[subject] = come = random.Statement(subject);
            }

            again += PolicyCheck.IsPartEnough(told.Datacentre, Changed(come), Removed(come, gone)) ? 1 : 0;
            known = PolicyCheck.Run(documents.Values, before: known.Datacentre);
            told = PolicyCheck.After(told.Datacentre, Changed(come), Removed(come, gone));
            var anew = PolicyCheck.Run(documents.Values);
            Assert.Equal(Text(anew), Text(known));
            Assert.Equal(Text(anew), Text(told));
            codes.UnionWith(anew.Findings.Select(finding => finding.Code));
        }

        Assert.True(codes.Count > 25, $"only {codes.Count} kinds of findings: {string.Join(", ", codes)}");
        Assert.True(again > 200, $"only {again} of 400 checks looked at a part");
    }

    [Fact]
    public void What_a_change_does_not_touch_is_not_computed_again()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(30, 120, 8, 20, Seed: 11));
        var documents = drawn.Read().Documents.ToDictionary(Subject);
        var before = PolicyCheck.Run(documents.Values).Datacentre;
        var changed = drawn.WithFlow(0, 1, 1);
        documents[Subject(changed)] = changed;
        var after = PolicyCheck.Run(documents.Values, before: before).Datacentre;
        var flows = FlowMatrix.Of(after).Open;
        var kept = flows.Intersect(FlowMatrix.Of(before).Open, ReferenceEqualityComparer.Instance).Count();
        Assert.InRange(kept, flows.Length / 2, flows.Length - 1);
    }

    private static PolicyDocument[] Changed(PolicyDocument? come) => come is null ? [] : [come];

    private static PolicyDocument[] Removed(PolicyDocument? come, PolicyDocument? gone) =>
        come is null && gone is not null ? [gone] : [];

    private static void Change(
        Random random, GeneratedDatacentre drawn, Dictionary<string, PolicyDocument> documents,
        Stack<PolicyDocument> removed)
    {
        var (domain, peer) = (random.Next(30), random.Next(30));
        var added = random.Next(6) switch
        {
            0 => drawn.WithFlow(domain, peer, random.Next(1, 65_536)),
            1 => drawn.WithAccepted(domain, peer, random.Next(1, 65_536)),
            2 => drawn.OneMore(domain, random.Next(20)).Statement,
            3 when removed.Count > 0 => removed.Pop(),
            _ => null,
        };
        if (added is not null)
        {
            documents[Subject(added)] = added;
            return;
        }

        var gone = documents.Values.Where(one => !one.Origin.Kind.IsRoot())
            .ElementAt(random.Next(documents.Count / 2));
        documents.Remove(Subject(gone));
        removed.Push(gone);
    }

    private static string Subject(PolicyDocument document) =>
        $"{document.Origin.Kind} {document.Origin.Owner}/{document.Origin.Name}";

    private static string Text(PolicyCheckResult result)
    {
        var text = new StringBuilder();
        var matrix = FlowMatrix.Of(result.Datacentre);
        text.AppendJoin('\n', result.Findings)
            .AppendJoin('\n', result.Datacentre.Domains.Keys)
            .AppendJoin('\n', result.Datacentre.Machinery.Compartments.Keys)
            .AppendJoin('\n', result.Datacentre.Machinery.Volumes.Values)
            .AppendJoin('\n', result.Datacentre.Machinery.Images.Keys)
            .AppendJoin('\n', matrix.Open.Select(flow =>
                $"{flow.From} {flow.To} {Words(flow.Resource)} {Names(flow.Senders)} {Names(flow.Receivers)}"))
            .AppendJoin('\n', matrix.Conflicts.Select(one => one.Sentence))
            .AppendJoin('\n', matrix.Unmet.Select(one => $"{one.Domain.Ref} {one.Term.Pointer}"));
        return text.ToString();
    }

    private static string Words(FlowResource resource) => resource is FlowResource.Network network
        ? $"{network.Protocol} {string.Join(", ", network.Ports)}" : resource.ToString();

    private static string Names(ImmutableArray<CompartmentRef> machines) => string.Join(", ", machines);
}
