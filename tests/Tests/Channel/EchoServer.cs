using System.Security.Cryptography;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Ledger.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Tests.Channel;

/// <summary>A small server of three routes on a Unix socket and a loopback port, with real TLS.</summary>
public sealed class EchoServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-echo-").FullName;

    public static RouteRow Echo { get; } = new()
    {
        Method = "POST",
        Template = "/v1/echo",
        Summary = "Gives the text back.",
        Callers = [PrincipalKind.Anonymous],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it is a test"),
        MaxBodyBytes = 64 * 1024,
    };

    public static RouteRow Forgetful { get; } = new()
    {
        Method = "POST",
        Template = "/v1/forgetful",
        Summary = "Should record, and does not.",
        Callers = [PrincipalKind.Anonymous],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("nothing, wrongly"),
        MaxBodyBytes = 1024,
    };

    public static RouteRow OperatorsOnly { get; } = new()
    {
        Method = "GET",
        Template = "/v1/operators",
        Summary = "Is not for strangers.",
        Callers = [PrincipalKind.Operator],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it is a test"),
        Query = [new QueryNumber("from", 0, 10, 0)],
    };

    public ChannelIdentity Identity { get; } = NewIdentity();

    public string SocketPath => Path.Combine(_directory, "echo.sock");

    public ChannelAddress Socket => ChannelAddress.Parse("unix:" + SocketPath);

    public ChannelAddress Tcp { get; private set; } = ChannelAddress.Parse("127.0.0.1:0");

    public TimeProvider Time { get; init; } = TimeProvider.System;

    private ChannelServer? Server { get; set; }

    public static RouteMap Handlers => new RouteMap(new RouteTable(Echo, Forgetful, OperatorsOnly))
        .Handle<EchoText, EchoText>(Echo, (_, body) =>
            Task.FromResult<RouteAnswer<EchoText>>(new RouteAnswer<EchoText>.Ok(body)))
        .Handle<EchoText, EchoText>(Forgetful, (_, body) =>
            Task.FromResult<RouteAnswer<EchoText>>(new RouteAnswer<EchoText>.Ok(body)))
        .Handle(OperatorsOnly, call =>
            Task.FromResult<RouteAnswer<EchoText>>(
                new RouteAnswer<EchoText>.Ok(new EchoText($"{call.Number("from")}"))));

    public static ChannelIdentity NewIdentity(TimeProvider? time = null) =>
        ChannelIdentity.FromKey(ECDsa.Create(ECCurve.NamedCurves.nistP256), time);

    public async Task<EchoServer> Start()
    {
        Server = await ChannelServer.Start(
            new ChannelListening(Identity, [Socket, Tcp], Time), Handlers, Principal.Anonymous,
            NullLoggerFactory.Instance);
        var url = Server.Urls.Single(url => url.Contains("127.0.0.1", StringComparison.Ordinal));
        Tcp = ChannelAddress.Parse(new Uri(url).Authority);
        return this;
    }

    public HttpClient Client(ChannelIdentity? client = null, KeyId? pin = null) =>
        PinnedHandler.Create(client ?? NewIdentity(), pin ?? Identity.Id, Socket);

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        Identity.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

public sealed record EchoText(string Text);
