using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Tests.Channel;

public sealed class ChannelServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_over_a_Unix_socket_and_over_TCP()
    {
        await using var server = await new EchoServer().Start();
        foreach (var address in new[] { server.Socket, server.Tcp })
        {
            using var client = PinnedHandler.Create(EchoServer.NewIdentity(), server.Identity.Id, address);
            using var answer = await client.PostAsync("/v1/echo", Json("""{"text":"hello"}"""), Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(HttpVersion.Version20, answer.Version);
            Assert.Equal("""{"text":"hello"}""", await answer.Content.ReadAsStringAsync(Cancel));
        }
    }

    [Fact]
    public async Task Refuses_a_server_with_another_key()
    {
        await using var server = await new EchoServer().Start();
        using var right = server.Client();
        using var answer = await right.PostAsync("/v1/echo", Json("""{"text":"hello"}"""), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var other = EchoServer.NewIdentity();
        using var wrong = server.Client(pin: other.Id);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => wrong.PostAsync("/v1/echo", Json("""{"text":"hello"}"""), Cancel));
    }

    [Theory]
    [InlineData(SslProtocols.Tls13, true, true)]
    [InlineData(SslProtocols.Tls13, false, false)]
    [InlineData(SslProtocols.Tls12, true, false)]
    public async Task Accepts_only_TLS_13_with_a_certificate(SslProtocols version, bool certificate, bool accepted)
    {
        await using var server = await new EchoServer().Start();
        using var identity = EchoServer.NewIdentity();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(server.Socket.EndPoint, Cancel);
        await using var tls = new SslStream(new NetworkStream(socket), false);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "bailiwick",
            EnabledSslProtocols = version,
            ClientCertificates = certificate ? [identity.Certificate()] : [],
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, shown, _, _) => IsOf(shown, server.Identity),
        };
        Assert.Equal(accepted, await SpeaksAfterHandshake(tls, options));
    }

    [Fact]
    public async Task Never_resumes_a_session()
    {
        await using var server = await new EchoServer().Start();
        using var identity = EchoServer.NewIdentity();
        var seen = new List<X509Certificate?>();
        for (var i = 0; i < 3; i++)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(server.Socket.EndPoint, Cancel);
            await using var tls = new SslStream(new NetworkStream(socket), false);
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = "bailiwick",
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = true,
                ClientCertificates = [identity.Certificate()],
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                // A resumed session shows no certificate anew, so this callback would not be asked.
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    seen.Add(shown);
                    return IsOf(shown, server.Identity);
                },
            };
            Assert.True(await SpeaksAfterHandshake(tls, options));
        }

        Assert.Equal(3, seen.Count);
    }

    [Theory]
    [InlineData("GET", "/", 404, "not-found")]
    [InlineData("GET", "/v1/echo", 404, "not-found")]
    [InlineData("DELETE", "/v1/echo", 404, "not-found")]
    [InlineData("POST", "/v1/ECHO/x", 404, "not-found")]
    [InlineData("GET", "/v1/operators", 403, "wrong-caller")]
    [InlineData("POST", "/v1/forgetful", 500, "internal-error")]
    public async Task Refuses_what_the_table_does_not_allow(string method, string path, int status, string code)
    {
        await using var server = await new EchoServer().Start();
        using var client = server.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Version = HttpVersion.Version20 };
        request.Content = method == "GET" ? null : Json("""{"text":"x"}""");
        using var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = StrictJson.Read<ProblemBody>(await answer.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(code, problem.Code);
    }

    [Fact]
    public async Task An_expired_certificate_is_refused_on_an_open_connection()
    {
        var clock = new StoppedClock { Now = DateTimeOffset.UtcNow };
        await using var server = await new EchoServer { Time = clock }.Start();
        using var client = server.Client(EchoServer.NewIdentity());
        using var before = await client.PostAsync("/v1/echo", Json("""{"text":"x"}"""), Cancel);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        clock.Now += TimeSpan.FromDays(8);
        using var after = await client.PostAsync("/v1/echo", Json("""{"text":"x"}"""), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task A_handler_without_a_row_and_a_row_without_a_handler_stop_the_start()
    {
        var table = new RouteTable(EchoServer.Echo);
        Assert.Throws<InvalidOperationException>(() => new RouteMap(table).Handle(
            EchoServer.OperatorsOnly,
            _ => Task.FromResult<RouteAnswer<EchoText>>(new RouteAnswer<EchoText>.Ok(new EchoText("")))));
        using var identity = EchoServer.NewIdentity();
        await Assert.ThrowsAsync<InvalidOperationException>(() => ChannelServer.Start(
            new ChannelListening(identity, [ChannelAddress.Parse("127.0.0.1:0")], TimeProvider.System),
            new RouteMap(table), Principal.Anonymous, NullLoggerFactory.Instance, cancel: Cancel));
    }

    [Fact]
    public void A_row_whose_parameters_its_scope_never_admits_stops_the_start()
    {
        RouteRow row = EchoServer.Echo with { Template = "/v1/echo/{tenant}" };
        Assert.Throws<ArgumentException>(() => new RouteTable(row));
        Assert.NotNull(new RouteTable(row with { Scope = RouteScope.OwnParty("tenant") }));
    }

    [Fact]
    public async Task An_endpoint_that_went_past_the_table_stops_the_start()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.MapGet("/v1/hidden", () => "hello");
        var error = Assert.Throws<InvalidOperationException>(() => ChannelServer.Verify(app));
        Assert.Contains("/v1/hidden", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_the_socket_of_a_dead_predecessor_but_never_a_file_or_a_living_one()
    {
        await using var server = new EchoServer();
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(server.SocketPath + "x"));
            File.Move(server.SocketPath + "x", server.SocketPath);
        }

        Assert.True(File.Exists(server.SocketPath));
        await server.Start();
        using var identity = EchoServer.NewIdentity();
        await Assert.ThrowsAsync<IOException>(() => Listen(server.Socket));
        var file = server.SocketPath + ".txt";
        await File.WriteAllTextAsync(file, "precious", Cancel);
        await Assert.ThrowsAsync<IOException>(() => Listen(ChannelAddress.Parse("unix:" + file)));
        Assert.Equal("precious", await File.ReadAllTextAsync(file, Cancel));

        Task<ChannelServer> Listen(ChannelAddress address) => ChannelServer.Start(
            new ChannelListening(identity, [address], TimeProvider.System), EchoServer.Handlers,
            Principal.Anonymous, NullLoggerFactory.Instance, cancel: Cancel);
    }

    private static bool IsOf(X509Certificate? shown, ChannelIdentity identity) =>
        shown is X509Certificate2 certificate
        && PeerCertificate.TryRead(certificate, DateTimeOffset.UtcNow, out var key, out _) && key == identity.Id;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<bool> SpeaksAfterHandshake(SslStream tls, SslClientAuthenticationOptions options)
    {
        try
        {
            await tls.AuthenticateAsClientAsync(options, Cancel);
            // In TLS 1.3 the client is done before the server judged it; only an answer shows the verdict.
            await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray(), Cancel);
            return await tls.ReadAsync(new byte[9], Cancel) > 0;
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
