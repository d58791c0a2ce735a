using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;

namespace Bailiwick.Tests.Master;

/// <summary>Hostile bodies against the real server: refused within a second, and the server serves on.</summary>
public sealed class HostileBodyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, string> Bodies => new()
    {
        { "depth", 400, "bad-body" },
        { "members", 400, "bad-body" },
        { "duplicate", 400, "bad-body" },
        { "duplicate escaped", 400, "bad-body" },
        { "unknown member", 400, "bad-body" },
        { "comment", 400, "bad-body" },
        { "trailing", 400, "bad-body" },
        { "null", 400, "bad-body" },
        { "nothing", 400, "bad-body" },
        { "wrong type", 400, "bad-body" },
        { "half surrogate", 400, "bad-body" },
        { "type tag", 400, "bad-body" },
        { "too many", 400, "bad-batch" },
        { "gzip", 415, "encoded-body" },
        { "other type", 415, "not-json" },
        { "no type", 415, "not-json" },
        { "long string", 413, "too-large" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Refuses_within_a_second(string body, int status, string code)
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var http = world.Http(world.Bank.Admin);
        using var warm = await http.GetAsync("/v1/status", Cancel);

        // A machine that does other work besides makes one answer late, not each of three.
        var fastest = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 3 && fastest > Limit; attempt++)
        {
            using var content = Make(body);
            var before = Stopwatch.GetTimestamp();
            using var answer = await http.PostAsync("/v1/statements", content, Cancel);
            var taken = Stopwatch.GetElapsedTime(before);
            fastest = taken < fastest ? taken : fastest;
            Assert.Equal(status, (int)answer.StatusCode);
            var problem = StrictJson.Read<ProblemBody>(await answer.Content.ReadAsByteArrayAsync(Cancel));
            Assert.Equal(code, problem.Code);
        }

        Assert.InRange(fastest, TimeSpan.Zero, Limit);
        // The positive control: the same connection publishes.
        await world.Publish(world.Bank.Admin, world.Bank.Volume("data"));
    }

    [Fact]
    public async Task A_body_that_claims_little_and_sends_much_is_cut()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var http = world.Http(world.Bank.Admin);
        var source = new Torrent(1L << 30);
        using var content = new StreamContent(source, 1 << 16);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var before = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await http.PostAsync("/v1/statements", content, Cancel);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The server may also end the stream under a client that is still sending.
        }

        Assert.InRange(Stopwatch.GetElapsedTime(before), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.InRange(source.Taken, 1, 64L * 1024 * 1024);
        await world.Publish(world.Bank.Admin, world.Bank.Volume("data"));
    }

    [Theory]
    [InlineData("/v1/entries?from=-1")]
    [InlineData("/v1/entries?from=1&from=2")]
    [InlineData("/v1/entries?limit=0")]
    [InlineData("/v1/entries?limit=1001")]
    [InlineData("/v1/entries?from=99999999999999999999")]
    [InlineData("/v1/entries?from=0x1")]
    [InlineData("/v1/entries?form=1")]
    [InlineData("/v1/proofs/inclusion?index=0")]
    public async Task Refuses_a_query_that_is_not_of_its_row(string path)
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var http = world.Http(world.Bank.Admin);
        using var answer = await http.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var right = await http.GetAsync("/v1/entries?from=1&limit=2", Cancel);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    private static ByteArrayContent Make(string kind)
    {
        var text = kind switch
        {
            "depth" => "{\"envelopes\":" + new string('[', 100_000) + new string(']', 100_000) + "}",
            "members" => "{" + string.Join(",", Enumerable.Range(0, 500_000).Select(i => $"\"k{i}\":1")) + "}",
            "duplicate" => """{"envelopes":[],"envelopes":[]}""",
            "duplicate escaped" => """{"envelopes":[],"\u0065nvelopes":[]}""",
            "unknown member" => """{"envelopes":[],"force":true}""",
            "comment" => """{"envelopes":[]/*x*/}""",
            "trailing" => """{"envelopes":[]} {}""",
            "null" => "null",
            "nothing" => "",
            "wrong type" => """{"envelopes":{}}""",
            "half surrogate" => """{"envelopes":["\ud800"]}""",
            "type tag" => """{"$type":"System.Diagnostics.Process","envelopes":[]}""",
            "too many" => "{\"envelopes\":[" + string.Join(",", Enumerable.Repeat("1", 1001)) + "]}",
            "long string" => "{\"envelopes\":[\"" + new string('a', 32 * 1024 * 1024) + "\"]}",
            "gzip" or "other type" or "no type" => """{"envelopes":[]}""",
            _ => throw new UnreachableException(),
        };
        var bytes = Encoding.UTF8.GetBytes(text);
        var content = new ByteArrayContent(kind == "gzip" ? Zip(bytes) : bytes);
        content.Headers.ContentType = kind switch
        {
            "no type" => null,
            "other type" => new MediaTypeHeaderValue("application/x-yaml"),
            _ => new MediaTypeHeaderValue("application/json"),
        };
        if (kind == "gzip")
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        return content;
    }

    private static byte[] Zip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
    }

    /// <summary>A stream of one JSON string that does not end, without a length.</summary>
    private sealed class Torrent(long length) : Stream
    {
        public long Taken { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => Taken;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var taken = (int)Math.Min(count, length - Taken);
            buffer.AsSpan(offset, taken).Fill((byte)'"');
            Taken += taken;
            return taken;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
