using System.IO.Pipelines;
using System.Net;
using System.Text;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;

namespace Bailiwick.Tests.Channel.Wire;

public sealed class JsonExchangeTests
{
    private const string Hello = """{"text":"hello"}""";
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_an_answer_of_the_largest_size_and_none_that_is_larger()
    {
        using HttpClient http = Answering(HttpStatusCode.OK, Bytes(Hello));
        Assert.Equal("hello", await Ask(http, Hello.Length));
        var refused = await Assert.ThrowsAsync<FailedException>(() => Ask(http, Hello.Length - 1));
        Assert.Contains($"more than {Hello.Length - 1} bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.Accepted)]
    [InlineData(HttpStatusCode.Redirect)]
    public async Task Whatever_is_not_OK_is_a_refusal_with_its_reason(HttpStatusCode status)
    {
        byte[] problem = StrictJson.Write(new ProblemBody((int)status, "why", "Because.", "Stop."));
        using HttpClient http = Answering(status, () => new MemoryStream(problem));
        Assert.Equal("why", (await Assert.ThrowsAsync<RefusedException>(() => Ask(http))).Message);
        var stream = await Assert.ThrowsAsync<RefusedException>(() => Of(http).Open("/v1/echo", Cancel));
        Assert.Equal("why", stream.Message);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, "{}")]
    [InlineData(HttpStatusCode.OK, """{"text":"hello","more":1}""")]
    [InlineData(HttpStatusCode.OK, """{"text":"hello"}x""")]
    [InlineData(HttpStatusCode.OK, "")]
    [InlineData(HttpStatusCode.Forbidden, """{"text":"hello"}""")]
    public async Task An_answer_of_another_shape_is_no_answer(HttpStatusCode status, string body)
    {
        using HttpClient http = Answering(status, Bytes(body));
        var failed = await Assert.ThrowsAsync<FailedException>(() => Ask(http));
        Assert.Contains("cannot be read", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task An_answer_that_does_not_end_is_given_up_within_the_clients_time(HttpStatusCode status)
    {
        Pipe endless = new();
        await endless.Writer.WriteAsync(Encoding.UTF8.GetBytes(Hello), Cancel);
        using HttpClient http = Answering(status, () => endless.Reader.AsStream());
        http.Timeout = TimeSpan.FromMilliseconds(200);
        var failed = await Assert.ThrowsAsync<FailedException>(
            () => Ask(http).WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.Contains("cannot be asked", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Giving_up_is_no_failure_of_the_server()
    {
        using HttpClient http = Answering(HttpStatusCode.OK, () => new Pipe().Reader.AsStream());
        using var given = new CancellationTokenSource();
        Task<EchoText> asked = Of(http).Ask<EchoText>(HttpMethod.Get, "/v1/echo", null, given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => asked.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
    }

    [Fact]
    public async Task A_server_that_is_not_there_cannot_be_asked()
    {
        await using var server = await new EchoServer().Start();
        using HttpClient http = server.Client();
        Assert.Equal("hello", await Ask(http, method: HttpMethod.Post));
        using HttpClient wrong = server.Client(pin: EchoServer.NewIdentity().Id);
        var failed = await Assert.ThrowsAsync<FailedException>(() => Ask(wrong, method: HttpMethod.Post));
        Assert.Contains("cannot be asked", failed.Message, StringComparison.Ordinal);
    }

    private static async Task<string> Ask(HttpClient http, int maxBytes = 1024, HttpMethod? method = null) =>
        (await Of(http, maxBytes).Ask<EchoText>(
            method ?? HttpMethod.Get, "/v1/echo", method is null ? null : Encoding.UTF8.GetBytes(Hello), Cancel)).Text;

    private static JsonExchange Of(HttpClient http, int maxBytes = 1024) => new(
        http, maxBytes, problem => new RefusedException(problem.Code),
        (phrase, error) => new FailedException(phrase, error));

    private static HttpClient Answering(HttpStatusCode status, Func<Stream> body) =>
        new(new OneAnswer(status, body)) { BaseAddress = new Uri("https://bailiwick") };

    private static Func<Stream> Bytes(string text) => () => new MemoryStream(Encoding.UTF8.GetBytes(text));

    private sealed class OneAnswer(HttpStatusCode status, Func<Stream> body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StreamContent(body()) });
    }

    private sealed class RefusedException(string code) : Exception(code);

    private sealed class FailedException(string phrase, Exception? inner) : Exception(phrase, inner);
}
