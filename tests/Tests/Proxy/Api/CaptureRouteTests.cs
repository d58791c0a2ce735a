using System.Net;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Peers;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Seeing;
using Bailiwick.Proxy.Api;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Api;

/// <summary>A machine's port is captured for its own tenant alone, within limits, and never without a record.</summary>
public sealed class CaptureRouteTests : IDisposable
{
    private FakeFrames? _frames;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _frames?.Dispose();

    private FakeFrames Frames => _frames ?? throw new InvalidOperationException("no desk is open");

    [Theory]
    [InlineData("operator", "wrong-caller")]
    [InlineData("operator's auditor", "wrong-caller")]
    [InlineData("auditor", "wrong-caller")]
    [InlineData("host", "wrong-caller")]
    [InlineData("stranger", "wrong-caller")]
    [InlineData("other tenant", "not-found")]
    public async Task Nobody_but_the_owner_captures_a_port_and_the_log_says_that_it_was_done(string who, string code)
    {
        await using NetworkDesk desk = await Desk();
        SignedDatacentre datacentre = desk.Bench.Datacentre;
        ECDsa key = desk.KeyOf(who);
        PeerException refused = await Assert.ThrowsAsync<PeerException>(() => Open(desk, key, "web-1", "packets=1"));
        Assert.Equal((code, 0), (refused.Problem?.Code, Frames.Opened));
        Assert.Empty(Records(desk));

        Frames.Send(Frame(443));
        byte[] file = await Whole(await Open(desk, datacentre.Acme.Admin, "web-1", "packets=1"));
        Assert.Equal([.. PcapFormat.Header(), .. Frame(443)], Without(file));
        IntegrityEntry entry = Records(desk).First();
        Assert.True(entry.Readers.Name(datacentre.Acme.Id));
        Assert.False(entry.Readers.Include(datacentre.Rival.Id));
        await WholeEnd();
        Assert.Contains(desk.Bench.Integrity.Read(0, 1000), line => line.Entry.Readers.Name(datacentre.Acme.Id)
            && line.Detail.Text.EndsWith(" ended after 1 packets.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_the_frames_that_were_asked_for_and_no_more_than_that_are_sent()
    {
        await using NetworkDesk desk = await Desk();
        foreach (int port in new[] { 80, 443, 80, 443, 443 })
        {
            Frames.Send(Frame(port));
        }

        byte[] file = await Whole(await Open(
            desk, desk.Bench.Datacentre.Acme.Admin, "web-1", "packets=2&protocol=6&port=443"));

        Assert.Equal(PcapFormat.HeaderBytes + (2 * (PcapFormat.RecordBytes + Frame(443).Length)), file.Length);
        await WholeEnd();
    }

    [Fact]
    public async Task It_ends_when_the_time_is_over_though_nothing_came()
    {
        await using NetworkDesk desk = await Desk();

        byte[] file = await Whole(await Open(desk, desk.Bench.Datacentre.Acme.Admin, "web-1", "seconds=1"));

        Assert.Equal(PcapFormat.Header(), file);
        await WholeEnd();
    }

    [Fact]
    public async Task It_ends_when_the_machine_leaves_the_host()
    {
        await using NetworkDesk desk = await Desk();
        using HttpResponseMessage answer = await Open(
            desk, desk.Bench.Datacentre.Acme.Admin, "web-1", "seconds=300");
        await using Stream stream = await answer.Content.ReadAsStreamAsync(Cancel);
        await stream.ReadExactlyAsync(new byte[PcapFormat.HeaderBytes], Cancel);
        Assert.Equal(0, Frames.Closed);

        desk.Bench.Place((desk.Bench.Datacentre.Acme, "web-2"));
        Frames.Send(Frame(443));
        Frames.Send(Frame(443));

        using MemoryStream rest = new();
        await stream.CopyToAsync(rest, Cancel);
        Assert.Equal(0, rest.Length);
        await WholeEnd();
    }

    [Fact]
    public async Task A_port_is_captured_once_at_a_time_and_again_after_its_end()
    {
        await using NetworkDesk desk = await Desk();
        ECDsa key = desk.Bench.Datacentre.Acme.Admin;
        using HttpResponseMessage first = await Open(desk, key, "web-1", "packets=1");

        PeerException busy = await Assert.ThrowsAsync<PeerException>(() => Open(desk, key, "web-1", "packets=1"));
        Assert.Equal("capture-busy", busy.Problem?.Code);

        Frames.Send(Frame(80));
        await Whole(first);
        Frames.Send(Frame(80));
        Assert.NotEmpty(await Whole(await Open(desk, key, "web-1", "packets=1")));
    }

    [Theory]
    [InlineData("web-9", "packets=1", "not-found")]
    [InlineData("web-1", "nic=1", "not-found")]
    [InlineData("web-2", "packets=1", "no-capture")]
    [InlineData("web-1", "protocol=6", "bad-filter")]
    [InlineData("web-1", "port=443", "bad-filter")]
    [InlineData("web-1", "seconds=0", "bad-query")]
    [InlineData("web-1", "seconds=301", "bad-query")]
    [InlineData("web-1", "packets=100001", "bad-query")]
    [InlineData("web-1", "device=bwt0", "bad-query")]
    public async Task What_is_no_port_here_or_beyond_the_limits_is_refused(string machine, string query, string code)
    {
        await using NetworkDesk desk = await Desk();

        PeerException refused = await Assert.ThrowsAsync<PeerException>(
            () => Open(desk, desk.Bench.Datacentre.Acme.Admin, machine, query));

        Assert.Equal((code, 0), (refused.Problem?.Code, Frames.Opened));
    }

    private Task<NetworkDesk> Desk() => NetworkDesk.Open(bench =>
    {
        CompartmentRef machine = SignedDatacentre.Machine(bench.Datacentre.Acme, "web-1");
        _frames = new FakeFrames(bench.Plans.Current.Plan.Domains.SelectMany(domain => domain.Network.Ports)
            .Single(port => port.Member.Ref == machine).Device);
        return new NetworkApi(bench.Plans, bench.Integrity, TimeProvider.System)
        {
            Flows = _ => null,
            Capture = new PortCapture(bench.Plans, bench.Integrity, _frames.Open, TimeProvider.System),
        };
    });

    private static IEnumerable<IntegrityEntry> Records(NetworkDesk desk) => desk.Bench.Integrity.Read(0, 1000)
        .Where(line => line.Entry.Kind == IntegrityKind.ManagementRead
            && line.Detail.Text.StartsWith("What passes the port bwt", StringComparison.Ordinal))
        .Select(line => line.Entry);

    private static Task<HttpResponseMessage> Open(NetworkDesk desk, ECDsa key, string machine, string query) =>
        new PeerClient(desk.Client(key)).Open(
            $"/v1/compartments/{desk.Bench.Datacentre.Acme.Id}/{machine}/capture?{query}", Cancel);

    private static async Task<byte[]> Whole(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return await answer.Content.ReadAsByteArrayAsync(Cancel);
        }
    }

    /// <summary>The port is given back, soon after the caller has the end.</summary>
    private async Task WholeEnd()
    {
        for (int round = 0; round < 500 && Frames.Closed < Frames.Opened; round++)
        {
            await Task.Delay(10, Cancel);
        }

        Assert.Equal(Frames.Opened, Frames.Closed);
        await Task.Delay(100, Cancel);
    }

    private static byte[] Without(byte[] file) =>
    [
        .. file.AsSpan(0, PcapFormat.HeaderBytes), .. file.AsSpan(PcapFormat.HeaderBytes + PcapFormat.RecordBytes),
    ];

    private static byte[] Frame(int port) =>
    [
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        0x9c, 0x40, (byte)(port >> 8), (byte)port, 0, 0, 0, 0,
    ];
}
