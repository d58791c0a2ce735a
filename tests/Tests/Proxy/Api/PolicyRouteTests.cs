using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Peers;
using Bailiwick.Domains.DryRuns;
using Bailiwick.Domains.Policy;
using Bailiwick.Proxy.Api;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Api;

/// <summary>A tenant asks a host what is wrong with policies, and what its own would do before it publishes them.
/// </summary>
public sealed class PolicyRouteTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_is_told_what_its_own_statements_would_do_and_the_plan_stays()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        string plan = desk.Bench.Plans.Current.Digest;
        byte[] elsewhere = SignedDatacentre.Bound(datacentre.Acme, "web", "10.20.1.0/24", 1, "host-9");

        Assert.Empty((await Ask(desk, datacentre.Acme.Admin)).Machines);
        MachineChange change = Assert.Single((await Ask(desk, datacentre.Acme.Auditor, elsewhere)).Machines);

        Assert.Equal(("acme/web-1", MachineEffect.Stops), (change.Machine, change.Effect));
        desk.Bench.Plans.Recompute();
        Assert.Equal(plan, desk.Bench.Plans.Current.Digest);
    }

    [Fact]
    public async Task Nobody_asks_for_another_and_nothing_that_would_be_refused_is_considered()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        byte[] own = SignedDatacentre.Bound(datacentre.Acme, "web", "10.20.1.0/24", 1, "host-9");
        byte[] gap = SignedDatacentre.Bound(datacentre.Acme, "web", "10.20.1.0/24", 1, "host-1");
        foreach ((ECDsa key, byte[] asked, string code) in new[]
        {
            (desk.KeyOf("operator"), own, "wrong-caller"), (desk.KeyOf("host"), own, "wrong-caller"),
            (desk.KeyOf("stranger"), own, "wrong-caller"), (desk.KeyOf("other tenant"), own, "refused"),
            (datacentre.Acme.Admin, gap, "refused"), (datacentre.Acme.Admin, "{}"u8.ToArray(), "refused"),
        })
        {
            PeerException refused = await Assert.ThrowsAsync<PeerException>(() => Ask(desk, key, asked));
            Assert.Equal(code, refused.Problem?.Code);
        }

        Assert.NotEmpty((await Ask(desk, datacentre.Acme.Admin, own)).Machines);
    }

    [Fact]
    public async Task A_tenant_is_told_what_is_wrong_with_its_own_policies_and_another_is_not()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        Assert.DoesNotContain(
            await Check(desk, datacentre.Acme.Admin), one => one.Code == FindingCode.NoHostForMachine);

        datacentre.Envelopes.Add(SignedDatacentre.Bound(datacentre.Acme, "web", "10.20.1.0/24", 1, "host-9"));
        desk.Bench.Publish((datacentre.Acme, "web-1"));

        Finding found = Assert.Single(
            await Check(desk, datacentre.Acme.Auditor), one => one.Code == FindingCode.NoHostForMachine);
        Assert.Equal("Compartment acme/web-1 r2", found.File);
        Assert.DoesNotContain(
            await Check(desk, desk.KeyOf("other tenant")),
            one => one.ToString().Contains("acme", StringComparison.Ordinal));
        foreach (string who in new[] { "operator", "host", "stranger" })
        {
            PeerException refused = await Assert.ThrowsAsync<PeerException>(() => Check(desk, desk.KeyOf(who)));
            Assert.Equal("wrong-caller", refused.Problem?.Code);
        }
    }

    private static async Task<ImmutableArray<Finding>> Check(NetworkDesk desk, ECDsa key)
    {
        using HttpClient http = desk.Client(key);
        return (await new PeerClient(http).Ask<AskedFindings, ToldFindings>(
            ProxyRoutes.Findings.Template, new AskedFindings(DateTimeOffset.UtcNow), Cancel)).Read();
    }

    private static async Task<PolicyDryRun> Ask(NetworkDesk desk, ECDsa key, params byte[][] envelopes)
    {
        using HttpClient http = desk.Client(key);
        return await new PeerClient(http).Ask<AskedDryRun, PolicyDryRun>(
            ProxyRoutes.DryRun.Template, new AskedDryRun([.. envelopes.Select(one => JsonElement.Parse(one))]), Cancel);
    }
}
