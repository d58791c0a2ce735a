using System.CommandLine;
using System.Net;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick machine console</c>: a machine's serial line, straight from its host's Proxy.</summary>
internal static class MachineConsole
{
    private const byte Escape = 0x1d;
    private const int MaximumProblemBytes = 65_536;

    internal static Command Create(Terminal terminal)
    {
        var machine = new Argument<string>("MACHINE") { Description = "like bank/web-1" };
        var command = new Command("console",
            "Open a machine's console; Ctrl-] ends it. The host records that it was opened.\n"
            + "Example: bailiwick machine console bank/web-1 --as bank") { machine };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (var book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            string? reference = BoardReader.Reference(book, parsed.GetRequiredValue(machine));
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            string? host = status.Compartments.FirstOrDefault(c => c.Compartment == reference)?.Host;
            if (reference is null || host is null)
            {
                terminal.Complain($"{parsed.GetValue(machine)} runs nowhere; `bailiwick status` says why.");
                return (int)ExitCode.No;
            }

            using HttpClient client = desk.Host(host);
            client.Timeout = Timeout.InfiniteTimeSpan;
            return (int)await Talk(terminal, client, reference, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<ExitCode> Talk(
        Terminal terminal, HttpClient client, string reference, CancellationToken cancellation)
    {
        using var typing = new KeyboardContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/compartments/{reference}/console")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = typing,
        };
        using HttpResponseMessage answer = await client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            await answer.Content.LoadIntoBufferAsync(MaximumProblemBytes, cancellation).ConfigureAwait(false);
            byte[] body = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            terminal.Complain(Refusal(answer.StatusCode, body));
            return ExitCode.No;
        }

        bool typed = !Console.IsInputRedirected;
        if (typed)
        {
            terminal.Aside.MarkupLine("The console is open; Ctrl-]] ends it.");
        }

        await using Stream screen = Console.OpenStandardOutput();
        await using Stream from = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using (RawTerminal.Enter())
        {
            typing.Begin();
            await Task.WhenAny(from.CopyToAsync(screen, cancellation), typing.Ended).ConfigureAwait(false);
        }

        if (typed)
        {
            // The machine left the cursor anywhere.
            terminal.Aside.WriteLine();
        }

        if (typing.Ended.IsCompleted)
        {
            return ExitCode.Done;
        }

        if (!cancellation.IsCancellationRequested)
        {
            terminal.Complain("The console ended: the machine or its host's Proxy did, or somebody else took it over.");
        }

        return ExitCode.No;
    }

    private static string Refusal(HttpStatusCode status, byte[] body)
    {
        try
        {
            ProblemBody problem = StrictJson.Read<ProblemBody>(body, MaximumProblemBytes);
            return $"The host refused ({problem.Code}): {problem.Detail} {problem.Next}";
        }
        catch (StrictJsonException)
        {
            return $"The host refused ({(int)status}) and does not say why.";
        }
    }

    /// <summary>Standard input as a request's body, from when the console is open until Ctrl-] or its end.</summary>
    private sealed class KeyboardContent : HttpContent
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Ended => _ended.Task;

        internal void Begin() => _open.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The question goes out before the first key; what is typed before the answer stays in the terminal.
            await stream.FlushAsync().ConfigureAwait(false);
            await _open.Task.ConfigureAwait(false);
            await using Stream keys = RawTerminal.Keys();
            byte[] buffer = new byte[256];
            for (int count; (count = await keys.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
            {
                int end = Array.IndexOf(buffer, Escape, 0, count);
                await stream.WriteAsync(buffer.AsMemory(0, end < 0 ? count : end)).ConfigureAwait(false);
                await stream.FlushAsync().ConfigureAwait(false);
                if (end >= 0)
                {
                    break;
                }
            }

            _ended.TrySetResult();
        }

        protected override void Dispose(bool disposing)
        {
            _open.TrySetCanceled();
            base.Dispose(disposing);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
