using System.Security.Cryptography;
using Bailiwick.Channel.Peers;
using Bailiwick.Domains.Explaining;
using Bailiwick.Domains.Tracing;
using Bailiwick.Proxy.Api;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Api;

/// <summary>A host explains its tenants' packets to them, and to nobody else.</summary>
public sealed class TraceRouteTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_is_told_the_way_of_its_own_packets()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedParty acme = desk.Bench.Datacentre.Acme;

        TraceReport open = await Ask(desk, acme.Admin, $"{acme.Id}/web-1", $"{acme.Id}/web-2");

        Assert.True(open.Open);
        Assert.Equal(("acme/web-1", "acme/web-2"), (open.From, open.To));
        Assert.All(open.Steps, step => Assert.Equal("host-1", step.Host));
        Assert.True((await Ask(desk, acme.Auditor, $"{acme.Id}/web-1", $"{acme.Id}/web-2")).Open);
    }

    [Fact]
    public async Task A_strangers_part_of_a_way_is_not_told()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedParty acme = desk.Bench.Datacentre.Acme, rival = desk.Bench.Datacentre.Rival;

        TraceReport closed = await Ask(desk, acme.Admin, $"{rival.Id}/vault-1", $"{acme.Id}/web-1");

        Assert.False(closed.Open);
        Assert.All(closed.Steps, step => Assert.Equal(TraceReport.NotYours, step.Sentence));
    }

    [Theory]
    [InlineData("operator", "wrong-caller")]
    [InlineData("operator's auditor", "wrong-caller")]
    [InlineData("host", "wrong-caller")]
    [InlineData("stranger", "wrong-caller")]
    [InlineData("other tenant", "not-yours")]
    public async Task Nobody_else_is_told(string who, string code)
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        ECDsa key = desk.KeyOf(who);
        string from = $"{datacentre.Acme.Id}/web-1", to = $"{datacentre.Acme.Id}/web-2";

        PeerException refused = await Assert.ThrowsAsync<PeerException>(() => Ask(desk, key, from, to));

        Assert.Equal(code, refused.Problem?.Code);
        Assert.True((await Ask(desk, datacentre.Acme.Admin, from, to)).Open);
    }

    [Theory]
    [InlineData("web-1", "tcp/80")]
    [InlineData("acme/web-1", "tcp/80")]
    [InlineData(null, "tcp/0")]
    [InlineData(null, "")]
    public async Task What_is_no_question_is_refused(string? from, string service)
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedParty acme = desk.Bench.Datacentre.Acme;

        PeerException refused = await Assert.ThrowsAsync<PeerException>(
            () => Ask(desk, acme.Admin, from ?? $"{acme.Id}/web-1", $"{acme.Id}/web-2", service));

        Assert.Equal("bad-question", refused.Problem?.Code);
    }

    [Fact]
    public async Task A_tenant_is_told_why_its_machine_may_run_here_and_nobody_else_is()
    {
        await using NetworkDesk desk = await NetworkDesk.OpenIdle();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        AskedWhy place = new(
            AskedWhy.PlaceForm, $"{datacentre.Acme.Id}/web-1", $"{datacentre.Operator.Id}/host-1", "");

        Explanation told = await Why(desk, datacentre.Acme.Admin, place);
        Assert.True(told.Yes, string.Join(' ', told.Chain));
        Assert.StartsWith("Compartment acme/web-1", told.Chain[0].Statement, StringComparison.Ordinal);
        foreach ((string who, string code) in new[]
        {
            ("operator", "wrong-caller"), ("host", "wrong-caller"), ("stranger", "wrong-caller"),
            ("other tenant", "not-yours"),
        })
        {
            PeerException refused = await Assert.ThrowsAsync<PeerException>(() => Why(desk, desk.KeyOf(who), place));
            Assert.Equal(code, refused.Problem?.Code);
        }

        PeerException none = await Assert.ThrowsAsync<PeerException>(
            () => Why(desk, datacentre.Acme.Admin, place with { Form = "door" }));
        Assert.Equal("bad-question", none.Problem?.Code);
    }

    private static async Task<Explanation> Why(NetworkDesk desk, ECDsa key, AskedWhy asked)
    {
        using HttpClient http = desk.Client(key);
        return await new PeerClient(http).Ask<AskedWhy, Explanation>(ProxyRoutes.Why.Template, asked, Cancel);
    }

    private static async Task<TraceReport> Ask(
        NetworkDesk desk, ECDsa key, string from, string to, string service = "tcp/80")
    {
        using HttpClient http = desk.Client(key);
        return await new PeerClient(http).Ask<AskedTrace, TraceReport>(
            ProxyRoutes.Trace.Template, new AskedTrace(from, to, service, Ipv6: false), Cancel);
    }
}
