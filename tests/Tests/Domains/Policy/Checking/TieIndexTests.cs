using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Checking;
using Bailiwick.Lab.Datacentres;
using Subject = Bailiwick.Domains.Policy.Checking.Subject;

namespace Bailiwick.Tests.Domains.Policy.Checking;

/// <summary>What is only ever added to does not grow for ever.</summary>
public sealed class TieIndexTests
{
    [Fact]
    public void One_statement_that_changes_again_and_again_has_the_index_found_anew()
    {
        PolicyDocument[] documents =
            [.. new GeneratedDatacentre(new DatacentreShape(4, 12, 2, 3, Seed: 1)).Read().Documents];
        KeyValuePair<Subject, StatementEntry>[] entries =
        [
            .. documents.Select(one => KeyValuePair.Create(Subject.Of(one.Origin), new StatementEntry(one))),
        ];
        KeyValuePair<Subject, StatementEntry> machine = entries.First(one => one.Value.Model is CompartmentModel);
        Tie tie = Tie.RestsOn(machine.Value.Model).First();
        TieIndex? index = TieIndex.Of(entries);
        int named = index.On(tie).Count();
        Assert.Contains(machine.Key, index.On(tie));

        int changes = 0;
        for (; index is not null && changes < 10_000; changes++)
        {
            Assert.InRange(index.On(tie).Count(), named + changes, named + changes);
            index = index.With([machine]);
        }

        Assert.InRange(changes, 10, 5_000);
    }
}
