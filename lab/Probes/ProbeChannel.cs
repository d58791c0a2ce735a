using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Probes;

/// <summary>
/// Talks to the probe of one guest over the socket of its second serial line; the protocol is described at the top of
/// Guests/probe.c. One command at a time; answers are read strictly: an unknown or missing member is an error.
/// </summary>
public sealed class ProbeChannel : IAsyncDisposable
{
    private const int LineLimit = 128 << 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly Socket _socket;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly byte[] _buffer = new byte[LineLimit];
    private int _filled;
    private int _lastId;

    private ProbeChannel(Socket socket, string machine)
    {
        _socket = socket;
        Machine = machine;
    }

    /// <summary>Whom this channel expects at the other end.</summary>
    public string Machine { get; }

    /// <summary>What the machine said of itself when the channel was opened.</summary>
    public ProbeHello Hello { get; private set; } = new("", 0, "-", []);

    /// <summary>
    /// Connects as soon as the socket is there, and waits until the machine answers; another identity than the expected
    /// one is an error.
    /// </summary>
    public static async Task<ProbeChannel> Open(
        string socketPath, string machine, TimeSpan limit, CancellationToken cancellation = default)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(limit);
        try
        {
            while (true)
            {
                if (await Met(socketPath, machine, bound.Token).ConfigureAwait(false) is { } channel)
                {
                    return channel;
                }

                await Task.Delay(Pause, bound.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new LabException(
                $"{machine} does not answer within {limit.TotalSeconds:0} s", socketPath, "read its console log");
        }
    }

    /// <summary>
    /// Null when the machine ended before it answered: it is started again by its host, and the next socket is another.
    /// </summary>
    private static async Task<ProbeChannel?> Met(string socketPath, string machine, CancellationToken cancellation)
    {
        var channel = new ProbeChannel(await Connect(socketPath, cancellation).ConfigureAwait(false), machine);
        try
        {
            await channel.Greet(cancellation).ConfigureAwait(false);
            return channel;
        }
        catch (Exception failure)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            if (failure is SocketException or EndOfStreamException)
            {
                return null;
            }

            throw;
        }
    }

    /// <summary>Lets the machine answer on a TCP port, on all its addresses.</summary>
    public Task ListenTcp(int port, CancellationToken cancellation = default) => Listen("tcp", port, cancellation);

    /// <summary>Lets the machine answer on a UDP port, on all its addresses.</summary>
    public Task ListenUdp(int port, CancellationToken cancellation = default) => Listen("udp", port, cancellation);

    /// <summary>Asks everything at once; the answers in the order of the questions.</summary>
    /// <param name="questions">1 to 512.</param>
    /// <param name="timeout">For each attempt, 1 ms to 30 s.</param>
    /// <param name="attempts">1 to 10; asked again only after a timeout.</param>
    /// <param name="cancellation">Gives up; the channel is then of no more use.</param>
    public async Task<IReadOnlyList<ProbeAnswer>> Sweep(
        IReadOnlyList<ProbeQuestion> questions,
        TimeSpan timeout,
        int attempts = 2,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var words = string.Join(' ', questions.Select(question => question.Text()));
        var command = string.Create(
            CultureInfo.InvariantCulture, $"sweep {timeout.TotalMilliseconds:0} {attempts} {words}");
        var answer = await Ask<SweepAnswer>(command, timeout * attempts, cancellation).ConfigureAwait(false);
        return answer.Results.Count == questions.Count
            ? answer.Results
            : throw Wrong($"{answer.Results.Count} results to {questions.Count} questions");
    }

    /// <summary>Asks one question, as <see cref="Sweep"/> does.</summary>
    public async Task<ProbeAnswer> Ask(
        ProbeQuestion question, TimeSpan timeout, int attempts = 2, CancellationToken cancellation = default) =>
        (await Sweep([question], timeout, attempts, cancellation).ConfigureAwait(false))[0];

    /// <summary>Has the machine's own DHCP client give back what it was told, and ask anew.</summary>
    public Task AskAnew(CancellationToken cancellation = default) =>
        Ask<DoneAnswer>("ask", TimeSpan.Zero, cancellation);

    /// <summary>Asks the server that the machine was told of who has a name.</summary>
    /// <param name="name">1 to 48 of A-Z a-z 0-9 . _ -</param>
    /// <param name="timeout">How long an answer may take.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ProbeName> Resolve(string name, TimeSpan timeout, CancellationToken cancellation = default) =>
        Ask<ProbeName>(
            string.Create(CultureInfo.InvariantCulture, $"resolve {name} {timeout.TotalMilliseconds:0}"), timeout,
            cancellation);

    /// <summary>Opens a session that stays until <see cref="Release"/>: TCP, UDP, or echoes of one identifier.
    /// </summary>
    /// <param name="kind">Ping, Tcp or Udp.</param>
    /// <param name="address">Whom.</param>
    /// <param name="port">The listener's; 0 for echoes.</param>
    /// <param name="timeout">How long a connection may take.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Its number, from 0.</returns>
    /// <exception cref="LabException">It does not open.</exception>
    public async Task<int> Hold(
        ProbeKind kind, IPAddress address, int port, TimeSpan timeout, CancellationToken cancellation = default)
    {
        var word = string.Create(
            CultureInfo.InvariantCulture, $"hold {ProbeQuestion.Word(kind)} {address} {port} "
            + $"{timeout.TotalMilliseconds:0}");
        return (await Ask<HoldAnswer>(word, timeout, cancellation).ConfigureAwait(false)).Session;
    }

    /// <summary>Asks one question in each session; whether each was answered in time, by number.</summary>
    public async Task<IReadOnlyList<bool>> Beat(
        string token, TimeSpan timeout, CancellationToken cancellation = default) =>
        (await Ask<BeatAnswer>(
            string.Create(CultureInfo.InvariantCulture, $"beat {timeout.TotalMilliseconds:0} {token}"), timeout,
            cancellation).ConfigureAwait(false)).Alive;

    /// <summary>Ends all sessions.</summary>
    public Task Release(CancellationToken cancellation = default) =>
        Ask<DoneAnswer>("release", TimeSpan.Zero, cancellation);

    /// <summary>Sends whole Ethernet frames of 14 to 1514 bytes; how many the kernel took.</summary>
    public async Task<int> SendRaw(
        string nic, ReadOnlyMemory<byte> frame, int count = 1, CancellationToken cancellation = default)
    {
        var command = string.Create(
            CultureInfo.InvariantCulture, $"raw {nic} {Convert.ToHexStringLower(frame.Span)} {count}");
        return (await Ask<SentAnswer>(command, TimeSpan.FromSeconds(20), cancellation).ConfigureAwait(false)).Sent;
    }

    /// <summary>Sends canaries in every way a frame reaches many, on every interface; how many were sent.</summary>
    public async Task<int> Shout(string token, CancellationToken cancellation = default) =>
        (await Ask<SentAnswer>($"shout {token}", TimeSpan.Zero, cancellation).ConfigureAwait(false)).Sent;

    /// <summary>What arrived at the machine since the last <see cref="Forget"/>.</summary>
    public Task<ProbeSeen> Seen(CancellationToken cancellation = default) =>
        Ask<ProbeSeen>("seen", TimeSpan.Zero, cancellation);

    public Task Forget(CancellationToken cancellation = default) =>
        Ask<DoneAnswer>("forget", TimeSpan.Zero, cancellation);

    /// <summary>
    /// How long so many operations on a whole disk take, one at a time and past the machine's caches. Writing destroys
    /// what is on it.
    /// </summary>
    /// <param name="load">What is done.</param>
    /// <param name="limit">The longest it may take.</param>
    /// <param name="cancellation">Gives up; the channel is then of no more use.</param>
    public async Task<TimeSpan> DiskIo(DiskLoad load, TimeSpan limit, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(load);
        IoAnswer answer = await Ask<IoAnswer>(load.Command(), limit, cancellation).ConfigureAwait(false);
        return TimeSpan.FromMicroseconds(answer.Us);
    }

    /// <summary>The first line of a disk of the machine, past the machine's own cache; empty when blank.</summary>
    /// <param name="disk"><c>vda</c> to <c>vdz</c>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="LabException">The machine has no such disk, or it cannot be read.</exception>
    public async Task<string> ReadLineOf(string disk, CancellationToken cancellation = default) =>
        (await Ask<DiskAnswer>($"disk read {disk}", TimeSpan.Zero, cancellation).ConfigureAwait(false)).Line;

    /// <summary>Writes the first line of a disk of the machine, and gives what is there then.</summary>
    /// <param name="disk"><c>vda</c> to <c>vdz</c>.</param>
    /// <param name="token">1 to 48 of A-Z a-z 0-9 . _ -</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="LabException">The machine has no such disk, or it cannot be written.</exception>
    public async Task<string> WriteLineOf(string disk, string token, CancellationToken cancellation = default) =>
        (await Ask<DiskAnswer>($"disk write {disk} {token}", TimeSpan.Zero, cancellation).ConfigureAwait(false)).Line;

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<Socket> Connect(string path, CancellationToken cancellation)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private Task<DoneAnswer> Listen(string kind, int port, CancellationToken cancellation) => Ask<DoneAnswer>(
        string.Create(CultureInfo.InvariantCulture, $"listen {kind} {port}"), TimeSpan.Zero, cancellation);

    /// <summary>
    /// The machine may still be starting: what is sent then is lost, so it is asked again and again. Once it answers,
    /// it answers all that was not lost, one after the other, and on a busy machine each late: any of these answers is
    /// one.
    /// </summary>
    private async Task Greet(CancellationToken cancellation)
    {
        var first = _lastId + 1;
        while (true)
        {
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            attempt.CancelAfter(TimeSpan.FromSeconds(1));
            try
            {
                Hello = await Exchange<ProbeHello>("hello", first, attempt.Token).ConfigureAwait(false);
                break;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Asked again.
            }
        }

        if (Hello.Machine != Machine)
        {
            throw Wrong($"the machine says it is '{Hello.Machine}'");
        }
    }

    private async Task<T> Ask<T>(string command, TimeSpan duration, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(duration + Margin);
        await _turn.WaitAsync(bound.Token).ConfigureAwait(false);
        try
        {
            return await Exchange<T>(command, _lastId + 1, bound.Token).ConfigureAwait(false);
        }
        catch (EndOfStreamException)
        {
            throw Wrong("the serial line was closed; has the machine ended?");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Wrong($"no answer to '{Short(command)}' within {(duration + Margin).TotalSeconds:0} s");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Asks, and takes the answer to this question or to one since <paramref name="first"/>.</summary>
    private async Task<T> Exchange<T>(string command, int first, CancellationToken cancellation)
    {
        var id = ++_lastId;
        var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n@{id} {command}\n"));
        for (var sent = 0; sent < line.Length;)
        {
            sent += await _socket.SendAsync(line.AsMemory(sent), cancellation).ConfigureAwait(false);
        }

        while (true)
        {
            var answer = await ReadLine(cancellation).ConfigureAwait(false);
            var space = answer.IndexOf(' ', StringComparison.Ordinal);
            if (space > 1 && answer[0] == '='
                && int.TryParse(answer[1..space], NumberStyles.None, CultureInfo.InvariantCulture, out var answered)
                && answered >= first && answered <= id)
            {
                return Parse<T>(answer[(space + 1)..], command);
            }
        }
    }

    private T Parse<T>(string json, string command)
    {
        try
        {
            if (json.StartsWith("{\"error\":", StringComparison.Ordinal))
            {
                var refused = JsonSerializer.Deserialize<ErrorAnswer>(json, Json);
                throw Wrong($"'{Short(command)}' was refused: {refused?.Error}");
            }

            return JsonSerializer.Deserialize<T>(json, Json) ?? throw Wrong($"'{Short(command)}' got null");
        }
        catch (JsonException failure)
        {
            throw Wrong($"the answer to '{Short(command)}' is not as agreed: {failure.Message}");
        }
    }

    private async Task<string> ReadLine(CancellationToken cancellation)
    {
        while (true)
        {
            var end = Array.IndexOf(_buffer, (byte)'\n', 0, _filled);
            if (end >= 0)
            {
                var line = Encoding.ASCII.GetString(_buffer, 0, end);
                Buffer.BlockCopy(_buffer, end + 1, _buffer, 0, _filled - end - 1);
                _filled -= end + 1;
                return line;
            }

            if (_filled == _buffer.Length)
            {
                throw Wrong("a line longer than 128 KiB");
            }

            var got = await _socket.ReceiveAsync(_buffer.AsMemory(_filled), cancellation).ConfigureAwait(false);
            _filled += got > 0 ? got : throw new EndOfStreamException();
        }
    }

    private static string Short(string command) => command.Length <= 60 ? command : command[..60] + "...";

    private LabException Wrong(string cause) => new(cause, $"the probe of {Machine}", "read its console log");

    private sealed record SweepAnswer(IReadOnlyList<ProbeAnswer> Results);

    private sealed record HoldAnswer(int Session);

    private sealed record BeatAnswer(IReadOnlyList<bool> Alive);

    private sealed record SentAnswer(int Sent);

    private sealed record DiskAnswer(string Line);

    private sealed record DoneAnswer(bool Ok);

    private sealed record IoAnswer(long Us);

    private sealed record ErrorAnswer(string Error);
}
