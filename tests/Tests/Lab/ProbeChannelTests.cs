using System.Net.Sockets;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Tests.Lab;

/// <summary>Whoever waits for a guest to answer waits for a slow one, and for one that is started again.</summary>
public sealed class ProbeChannelTests : IDisposable
{
    private const string Machine = "bank/web-2";
    private const string Hello = """{"machine":"bank/web-2","boot":1,"found":"-","nics":[]}""";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A unix socket's path has at most 107 bytes, so this is short.
    private readonly string _directory = Directory.CreateTempSubdirectory("bwp").FullName;

    private string Path => System.IO.Path.Combine(_directory, "probe.sock");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_guest_whose_every_answer_takes_longer_than_the_next_question_is_met()
    {
        Task<ProbeChannel> met = ProbeChannel.Open(Path, Machine, Limit, Stop);
        using Socket line = await Serve();
        using StreamReader questions = new(new NetworkStream(line));
        string first = await Question(questions);
        string second = await Question(questions);
        Assert.NotEqual(first, second);
        await Say(line, $"\n={first} {Hello}\n");
        await using ProbeChannel channel = await met;
        Assert.Equal(Machine, channel.Hello.Machine);

        // The answer to the second comes later still, and is nobody's; the control is that the right one is taken.
        Task<int> shouted = channel.Shout("t", Stop);
        string third = await Question(questions);
        await Say(line, $"\n={second} {Hello}\n\n={third} {"{\"sent\":5}"}\n");
        Assert.Equal(5, await shouted);
    }

    [Fact]
    public async Task A_guest_that_ends_before_it_answers_is_met_when_it_is_started_again()
    {
        Task<ProbeChannel> met = ProbeChannel.Open(Path, Machine, Limit, Stop);
        using (Socket ended = await Serve())
        {
            using StreamReader questions = new(new NetworkStream(ended));
            await Question(questions);
            // All was read, so that the other side sees an orderly end and no reset.
            ended.Shutdown(SocketShutdown.Both);
        }

        File.Delete(Path);
        using Socket line = await Serve();
        using StreamReader again = new(new NetworkStream(line));
        await Say(line, $"\n={await Question(again)} {Hello}\n");
        await using ProbeChannel channel = await met;
        Assert.Equal(1, channel.Hello.Boot);
    }

    [Fact]
    public async Task Another_machine_than_the_expected_one_is_an_error_at_once()
    {
        Task<ProbeChannel> met = ProbeChannel.Open(Path, "bank/web-1", Limit, Stop);
        using Socket line = await Serve();
        using StreamReader questions = new(new NetworkStream(line));
        await Say(line, $"\n={await Question(questions)} {Hello}\n");
        var wrong = await Assert.ThrowsAsync<LabException>(() => met);
        Assert.Contains(Machine, wrong.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_that_never_answers_is_told_of_after_the_limit()
    {
        Task<ProbeChannel> met = ProbeChannel.Open(Path, Machine, TimeSpan.FromSeconds(2), Stop);
        using Socket line = await Serve();
        var silent = await Assert.ThrowsAsync<LabException>(() => met);
        Assert.Contains("does not answer within 2 s", silent.Cause, StringComparison.Ordinal);
    }

    /// <summary>As QEMU: one listener, and the first who comes.</summary>
    private async Task<Socket> Serve()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen(1);
        return await listener.AcceptAsync(Stop);
    }

    /// <summary>The number of the next question.</summary>
    private static async Task<string> Question(StreamReader questions)
    {
        while (await questions.ReadLineAsync(Stop) is { } line)
        {
            if (line.StartsWith('@'))
            {
                return line[1..].Split(' ')[0];
            }
        }

        throw new EndOfStreamException();
    }

    private static async Task Say(Socket line, string text) =>
        await line.SendAsync(System.Text.Encoding.ASCII.GetBytes(text), Stop);
}
