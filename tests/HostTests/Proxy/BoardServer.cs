using System.Collections.Concurrent;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.HostTests.Proxy;

/// <summary>
/// The smallest board a Proxy can follow, over real TLS; it serves whatever the test put into its log.
/// </summary>
internal sealed class BoardServer : IAsyncDisposable
{
    private readonly ChannelIdentity _identity;
    private readonly ChannelServer _server;

    private readonly ConcurrentQueue<HostReport> _reports;

    private BoardServer(ChannelIdentity identity, ChannelServer server, ConcurrentQueue<HostReport> reports) =>
        (_identity, _server, _reports) = (identity, server, reports);

    public string Key => _identity.Id.ToString();

    /// <summary>The newest report, or null.</summary>
    public HostReport? Newest => _reports.LastOrDefault();

    public static async Task<BoardServer> Start(string address, TestLog log, StatementBook book, PartyId datacentre)
    {
        ChannelIdentity identity = ChannelIdentity.FromKey(SignedParty.Key());
        RouteRow note = Get("/v1/checkpoint");
        RouteRow watch = Get("/v1/watch") with
        {
            Query = [new QueryNumber("from", 0, long.MaxValue, 0)], Streams = true,
        };
        RouteRow report = new()
        {
            Method = "POST",
            Template = "/v1/hosts/{operator}/{name}/reports",
            Summary = "Reports.",
            Callers = [PrincipalKind.Host],
            Scope = RouteScope.OwnHost("operator", "name"),
            Records = new RecordDuty.Nothing("it is a test"),
            MaxBodyBytes = 1 << 20,
        };
        ConcurrentQueue<HostReport> reports = new();
        RouteMap map = new RouteMap(new RouteTable(note, watch, report))
            .Handle(note, _ => Task.FromResult<RouteAnswer<CheckpointNote>>(
                new RouteAnswer<CheckpointNote>.Ok(new CheckpointNote(log.Note()))))
            .HandleStream(watch, "application/x-ndjson", (call, streams) => Watch(log, call, streams))
            .Handle<HostReport, Nothing>(report, (_, body) =>
            {
                reports.Enqueue(body);
                return Task.FromResult<RouteAnswer<Nothing>>(new RouteAnswer<Nothing>.Ok(Nothing.Value));
            });
        PrincipalRegister principals = PrincipalRegister.Of(book, datacentre);
        ChannelServer server = await ChannelServer.Start(
            new ChannelListening(identity, [ChannelAddress.Parse(address)], TimeProvider.System), map,
            principals.Resolve, NullLoggerFactory.Instance);
        return new BoardServer(identity, server, reports);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _identity.Dispose();
    }

    private static RouteRow Get(string template) => new()
    {
        Method = "GET",
        Template = template,
        Summary = "Reads.",
        Callers = [PrincipalKind.Host, PrincipalKind.KeyService],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it only reads"),
    };

    private static async Task<RouteProblem?> Watch(TestLog log, RouteCall call, RouteStreams streams)
    {
        long from = call.Number("from");
        while (!call.Cancel.IsCancellationRequested)
        {
            Task changed = log.Changed;
            long size = log.Size;
            foreach (WatchEvent told in log.Events(from))
            {
                await JsonLines.Write(streams.Output, told, call.Cancel);
            }

            from = size;
            await Task.WhenAny(changed, Task.Delay(2000, call.Cancel));
        }

        return null;
    }
}
