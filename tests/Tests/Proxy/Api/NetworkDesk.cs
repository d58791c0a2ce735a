using System.Security.Cryptography;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Routes;
using Bailiwick.Proxy.Api;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Tests.Proxy.Api;

/// <summary>
/// The routes of a Proxy about networks and policies behind a real channel, over the statements of two tenants.
/// </summary>
internal sealed class NetworkDesk : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-desk-").FullName;
    private readonly ChannelIdentity _host = EchoServer.NewIdentity();
    private ChannelServer? _server;

    public ProxyBench Bench { get; } = ProxyBench.OfTwoTenants();

    public static async Task<NetworkDesk> Open(Func<ProxyBench, NetworkApi> make)
    {
        NetworkDesk desk = new();
        desk._server = await ChannelServer.Start(
            new ChannelListening(desk._host, [desk.Address], TimeProvider.System),
            make(desk.Bench).AddTo(new PolicyApi(desk.Bench.Plans, TimeProvider.System).AddTo(
                new RouteMap(new RouteTable(
                    [ProxyRoutes.Why, ProxyRoutes.DryRun, ProxyRoutes.Findings, .. ProxyRoutes.Network])))),
            new CallerRegister(desk.Bench.Plans, desk.Bench.Datacentre.Host(1)).Resolve,
            NullLoggerFactory.Instance);
        return desk;
    }

    /// <summary>One on which nobody captures anything or counts flows.</summary>
    public static Task<NetworkDesk> OpenIdle() =>
        Open(bench => new NetworkApi(bench.Plans, bench.Integrity, TimeProvider.System)
        {
            Flows = _ => null,
            Capture = new PortCapture(
                bench.Plans, bench.Integrity, new FakeFrames("none").Open, TimeProvider.System),
        });

    /// <summary>The key of somebody who asks, by what they are to the tenant whose network it is.</summary>
    public ECDsa KeyOf(string who) => who switch
    {
        "operator" => Bench.Datacentre.Operator.Admin,
        "operator's auditor" => Bench.Datacentre.Operator.Auditor,
        "auditor" => Bench.Datacentre.Acme.Auditor,
        "host" => Bench.Datacentre.HostKey(1),
        "stranger" => SignedParty.Key(),
        "other tenant" => Bench.Datacentre.Rival.Admin,
        _ => throw new ArgumentOutOfRangeException(nameof(who)),
    };

    public HttpClient Client(ECDsa key) => PinnedHandler.Create(
        ChannelIdentity.FromKey(ECDsa.Create(key.ExportParameters(true))), _host.Id, Address);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Bench.Dispose();
        _host.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private ChannelAddress Address => ChannelAddress.Parse("unix:" + Path.Combine(_directory, "desk.sock"));
}
