using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Peers;
using Bailiwick.Domains.Seeing;
using Bailiwick.Proxy.Api;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Api;

/// <summary>A host tells the flows of a domain to the domain's own tenant alone.</summary>
public sealed class FlowRouteTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("operator", "wrong-caller")]
    [InlineData("operator's auditor", "wrong-caller")]
    [InlineData("host", "wrong-caller")]
    [InlineData("stranger", "wrong-caller")]
    [InlineData("other tenant", "not-found")]
    public async Task Nobody_but_the_owner_is_told_who_spoke_with_whom(string who, string code)
    {
        await using NetworkDesk desk = await Desk();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        ECDsa key = desk.KeyOf(who);

        PeerException refused = await Assert.ThrowsAsync<PeerException>(
            () => Ask(desk, key, $"{datacentre.Acme.Id}/web"));

        Assert.Equal(code, refused.Problem?.Code);
        Assert.Empty(Reads(desk));
        FlowList told = await Ask(desk, datacentre.Acme.Admin, $"{datacentre.Acme.Id}/web");
        Assert.Equal(("host-1", false), (told.Host, told.More));
        Assert.Equal(
            ("acme/web-1", "in", "10.20.1.99", "tcp/80"),
            (told.Flows[0].Machine, told.Flows[0].Direction, told.Flows[0].Peer, told.Flows[0].Service));
        IntegrityEntry entry = Assert.Single(Reads(desk));
        Assert.True(entry.Readers.Name(datacentre.Acme.Id));
        Assert.False(entry.Readers.Include(datacentre.Rival.Id));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("web")]
    [InlineData("")]
    public async Task A_domain_that_is_not_here_has_no_flows(string name)
    {
        await using NetworkDesk desk = await Desk();
        SignedParty acme = desk.Bench.Datacentre.Acme;

        PeerException refused = await Assert.ThrowsAsync<PeerException>(
            () => Ask(desk, acme.Admin, name == "nowhere" ? $"{acme.Id}/nowhere" : name));

        Assert.Equal("not-found", refused.Problem?.Code);
    }

    private static IEnumerable<IntegrityEntry> Reads(NetworkDesk desk) => desk.Bench.Integrity.Read(0, 1000)
        .Where(line => line.Entry.Kind == IntegrityKind.ManagementRead
            && line.Detail.Text.StartsWith("The flows of acme/web, by ", StringComparison.Ordinal))
        .Select(line => line.Entry);

    private static Task<NetworkDesk> Desk() => NetworkDesk.Open(bench =>
        new NetworkApi(bench.Plans, bench.Integrity, TimeProvider.System)
        {
            Capture = new PortCapture(
                bench.Plans, bench.Integrity, new FakeFrames("none").Open, TimeProvider.System),
            Flows = domain => bench.Plans.Current.Domain(domain)?.Network.Ports[0] is not { } port ? null
                :
                [
                    new FlowRecord(
                        port.Device, port.Member.Ref.ToString(),
                        new FlowKey("10.20.1.99", port.Member.Ipv4 ?? "", "tcp", 80), Noon, Noon)
                    {
                        Got = new FlowTotal(1, 60),
                    },
                ],
        });

    private static async Task<FlowList> Ask(NetworkDesk desk, ECDsa key, string domain)
    {
        using HttpClient http = desk.Client(key);
        return await new PeerClient(http).Ask<AskedFlows, FlowList>(
            ProxyRoutes.Flows.Template, new AskedFlows(domain), Cancel);
    }
}
