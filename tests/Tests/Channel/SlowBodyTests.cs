using System.Diagnostics;
using System.Net;
using System.Text;
using Bailiwick.Channel;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Api;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Api;
using Bailiwick.Proxy.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Tests.Channel;

/// <summary>
/// Bodies that do not end (A05), at every route with a body of the Master, of a Proxy and of a key service: the real
/// tables behind real sockets, with limits of seconds.
/// </summary>
public sealed class SlowBodyTests
{
    private static readonly ChannelPatience Short = new(
        Body: TimeSpan.FromSeconds(2), Request: TimeSpan.FromSeconds(6));
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(20);
    private static readonly PartyId Party = PartyId.Unsigned("alpine");
    private static readonly StatementName Name = StatementName.Parse("host-1");

    public static TheoryData<string> Tables => ["Master", "Proxy", "key service"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Tables))]
    public async Task A_body_that_does_not_end_is_given_up_and_one_of_the_largest_size_is_taken_meanwhile(string table)
    {
        RouteRow[] rows = [.. TableOf(table).Rows.Where(row => row is { MaxBodyBytes: > 0, Streams: false })];
        Assert.NotEmpty(rows);
        await using var server = await Listener.Start(rows);
        var clock = Stopwatch.StartNew();
        Task<TimeSpan>[] slow =
        [
            .. rows.Select(row => GivenUp(server, row, SlowBody.Silent(row.MaxBodyBytes), clock)),
            .. rows.Select(row => GivenUp(server, row, SlowBody.Steady(row.MaxBodyBytes), clock)),
        ];
        foreach (RouteRow row in rows)
        {
            Assert.Equal(HttpStatusCode.OK, await Send(server, row, row.MaxBodyBytes));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await Send(server, row, row.MaxBodyBytes + 1));
        }

        // Only the honest bodies came as far as a handler.
        TimeSpan[] took = await Task.WhenAll(slow);
        Assert.Equal(rows.Length, server.Handled);
        Assert.All(took[..rows.Length], one => Assert.InRange(one, Short.Body, Short.Body + Slack));
        Assert.All(took[rows.Length..].Zip(rows), one => Assert.InRange(
            one.First, SlowBody.Rate(one.Second.MaxBodyBytes) > ChannelLimits.BodyBytesPerSecond
                ? Short.Request : Short.Body,
            Short.Request + Slack));
    }

    [Fact]
    public void The_usual_limits_are_those_of_the_table_of_limits()
    {
        using ChannelIdentity identity = EchoServer.NewIdentity();
        ChannelPatience usual = new ChannelListening(identity, [], TimeProvider.System).Patience;
        Assert.Equal((10, 30), (usual.Body.TotalSeconds, usual.Request.TotalSeconds));
    }

    private static RouteTable TableOf(string server) => server switch
    {
        "Master" => MasterRoutes.Table,
        "Proxy" => ProxyRoutes.Table,
        "key service" => KeyRoutes.Table,
        _ => throw new ArgumentOutOfRangeException(nameof(server)),
    };

    /// <summary>When the server ended a call whose body never ends.</summary>
    private static async Task<TimeSpan> GivenUp(Listener server, RouteRow row, SlowBody body, Stopwatch clock)
    {
        using HttpClient client = server.Client(row);
        using HttpRequestMessage request = Request(row, body);
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(request, Cancel).WaitAsync(Slack * 3, Cancel);
            Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The stream or the connection was ended, as it may be.
        }

        body.End();
        return clock.Elapsed;
    }

    private static async Task<HttpStatusCode> Send(Listener server, RouteRow row, int bytes)
    {
        using HttpClient client = server.Client(row);
        using HttpRequestMessage request = Request(row, new ByteArrayContent(SlowBody.Whole(bytes)));
        using HttpResponseMessage answer = await client.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private static HttpRequestMessage Request(RouteRow row, HttpContent body)
    {
        body.Headers.ContentType = new("application/json");
        string path = row.Template.Replace("{tenant}", $"{Party}", StringComparison.Ordinal)
            .Replace("{operator}", $"{Party}", StringComparison.Ordinal)
            .Replace("{name}", $"{Name}", StringComparison.Ordinal);
        return new HttpRequestMessage(new HttpMethod(row.Method), path)
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = body,
        };
    }

    /// <summary>A real listener for some rows of a real table; handlers only count.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly ChannelIdentity _identity = EchoServer.NewIdentity();
        private readonly Dictionary<KeyId, PrincipalKind> _kinds = [];
        private ChannelServer? _server;
        private int _handled;

        public int Handled => _handled;

        private ChannelAddress Address { get; set; } = ChannelAddress.Parse("127.0.0.1:0");

        public static async Task<Listener> Start(RouteRow[] rows)
        {
            Listener made = new();
            RouteMap map = new(new RouteTable([.. rows]));
            foreach (RouteRow row in rows)
            {
                map.Handle<EchoText, Nothing>(row, (_, _) => Task.FromResult(made.Answer(row)));
            }

            made._server = await ChannelServer.Start(
                new ChannelListening(made._identity, [made.Address], TimeProvider.System) { Patience = Short }, map,
                made.Who, NullLoggerFactory.Instance, cancel: Cancel);
            made.Address = ChannelAddress.Parse(new Uri(made._server.Urls.Single()).Authority);
            return made;
        }

        /// <summary>A new caller that may call the row.</summary>
        public HttpClient Client(RouteRow row)
        {
            ChannelIdentity caller = EchoServer.NewIdentity();
            PrincipalKind kind = row.Callers[^1];
            lock (_kinds)
            {
                _kinds[caller.Id] = kind;
            }

            return PinnedHandler.Create(caller, _identity.Id, Address);
        }

        public async ValueTask DisposeAsync()
        {
            await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
            _identity.Dispose();
        }

        private Principal Who(KeyId key)
        {
            lock (_kinds)
            {
                PrincipalKind kind = _kinds[key];
                return Principal.Of(kind, key, Party, kind == PrincipalKind.Host ? Name : null);
            }
        }

        private RouteAnswer<Nothing> Answer(RouteRow row)
        {
            long position = Interlocked.Increment(ref _handled);
            return row.Records is RecordDuty.Writes
                ? new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt("test", position))
                : new RouteAnswer<Nothing>.Ok(Nothing.Value);
        }
    }

    /// <summary>The beginning of a good body, and then next to nothing, for as long as anybody listens.</summary>
    private sealed class SlowBody(byte[] beginning, int perSecond) : HttpContent
    {
        private const int PartsPerSecond = 4;
        private readonly CancellationTokenSource _ended = new();

        /// <summary>Half of it, at most 64 KiB (the room that all bodies share has a test of its own), and nothing
        /// more.</summary>
        public static SlowBody Silent(int maxBytes) => new(Whole(maxBytes)[..Math.Min(maxBytes / 2, 65536)], 0);

        /// <summary>So fast that its rate is no reason against it, as long as there are bytes to send.</summary>
        public static SlowBody Steady(int maxBytes) => new(Encoding.ASCII.GetBytes("{"), Rate(maxBytes));

        /// <summary>Bytes per second of a steady body.</summary>
        public static int Rate(int maxBytes) => Math.Min(ChannelLimits.BodyBytesPerSecond * 4, maxBytes / 32);

        /// <summary>A body of exactly so many bytes that any handler here takes.</summary>
        public static byte[] Whole(int bytes) =>
            Encoding.ASCII.GetBytes($$"""{"text":"{{new string('x', bytes - """{"text":""}""".Length)}}"}""");

        public void End() => _ended.Cancel();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(beginning, _ended.Token);
            await stream.FlushAsync(_ended.Token);
            byte[] part = [.. Enumerable.Repeat((byte)' ', perSecond / PartsPerSecond)];
            while (!_ended.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromSeconds(1) / PartsPerSecond, _ended.Token);
                await stream.WriteAsync(part, _ended.Token);
                await stream.FlushAsync(_ended.Token);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
