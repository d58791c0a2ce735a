using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Tests.Domains;

namespace Bailiwick.Tests.Lab;

public sealed class GeneratedDatacentreTests
{
    [Fact]
    public void Equal_seeds_give_equal_datacentres_and_others_give_others()
    {
        var shape = new DatacentreShape(40, 300, 12, 12, Seed: 1);
        var one = new GeneratedDatacentre(shape);
        Assert.Equal(one.Files, new GeneratedDatacentre(shape).Files);
        Assert.NotEqual(one.Files, new GeneratedDatacentre(shape with { Seed = 2 }).Files);
    }

    [Theory]
    [InlineData(1, 20, 4, 6)]
    [InlineData(60, 500, 20, 30)]
    public void Nothing_in_it_is_wrong_but_terms_that_nobody_meets_and_every_machine_is_admitted(
        int domains, int machines, int hosts, int flows)
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(domains, machines, hosts, flows, Seed: 3));
        var result = PolicyCheck.Run(drawn.Read());
        Assert.DoesNotContain(
            result.Findings, one => one.Code is not (FindingCode.FlowNotAccepted or FindingCode.FlowNotGranted));
        Assert.Equal(domains > 1, FlowMatrix.Of(result.Datacentre).Open.Length > domains);
        var verdicts = AdmissionControl.DecideAll(result.Datacentre, drawn.Proposals, ExamplePlacements.Now);
        Assert.Equal(machines, verdicts.OfType<AdmissionVerdict.Admitted>().Count());
    }
}
