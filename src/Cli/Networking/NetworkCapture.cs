using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Seeing;
using Bailiwick.Domains.Tracing;

namespace Bailiwick.Cli.Networking;

/// <summary>
/// <c>bailiwick network capture</c>: the frames of a machine's port, straight from its host's Proxy into a file. The
/// host records it, and gives them to the machine's own tenant alone.
/// </summary>
internal static class NetworkCapture
{
    private const int MostSeconds = 300;

    internal static Command Create(Terminal terminal)
    {
        var machine = new Argument<string>("MACHINE") { Description = "like bank/web-1" };
        var output = new Option<string>("--out", "-o")
        {
            Description = "the capture file to write; it must not exist", Required = true,
        };
        var service = new Option<string?>("--port")
        {
            Description = "only this service, like tcp/443, udp/53 or icmp; without, all frames",
        };
        var time = new Option<string>("--for")
        {
            Description = "how long, like 30s or 2m, at most 5m", DefaultValueFactory = _ => "30s",
        };
        var packets = new Option<int>("--packets")
        {
            Description = "how many frames at most", DefaultValueFactory = _ => 10_000,
        };
        var nic = new Option<int>("--nic") { Description = "which of the machine's ports, from 0" };
        var command = new Command("capture",
            "Capture what passes a port of a machine of yours. The host records that it was done.\n"
            + "Example: bailiwick network capture bank/web-1 --port tcp/5432 --for 10s --out web.pcap --as bank")
        { machine, output, service, time, packets, nic };
        command.SetAction(async (parsed, cancellation) =>
        {
            string file = Path.GetFullPath(parsed.GetRequiredValue(output));
            if (File.Exists(file))
            {
                throw new CustodyException($"{file} is there already; name another file.");
            }

            FrameFilter filter = Filter(parsed.GetValue(service));
            int seconds = Seconds(parsed.GetRequiredValue(time));
            using BoardDesk desk = Desk.Open(parsed);
            (var book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            string? reference = BoardReader.Reference(book, parsed.GetRequiredValue(machine));
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            string host = status.Compartments.FirstOrDefault(c => c.Compartment == reference)?.Host
                ?? throw new CustodyException(
                    $"{parsed.GetValue(machine)} runs nowhere that is yours to see; `bailiwick status` says why.");
            using HttpClient client = desk.Host(host);
            client.Timeout = Timeout.InfiniteTimeSpan;
            string path = string.Create(
                CultureInfo.InvariantCulture,
                $"/v1/compartments/{reference}/capture?nic={parsed.GetValue(nic)}&protocol={filter.ProtocolNumber}"
                + $"&port={filter.Port}&seconds={seconds}&packets={parsed.GetValue(packets)}");
            using HttpResponseMessage answer = await new PeerClient(client).Open(path, cancellation)
                .ConfigureAwait(false);
            await using FileStream to = new(file, FileMode.CreateNew, FileAccess.Write);
            await using Stream from = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            int count = await Keep(from, to, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["file"] = file, ["packets"] = count });
            }
            else
            {
                terminal.Say($"{Terminal.Count(count, "packet")} in {file}.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>Keeps whole packets only: what ends within one is cut off there.</summary>
    internal static async Task<int> Keep(Stream from, Stream to, CancellationToken cancellation)
    {
        byte[] buffer = new byte[PcapFormat.RecordBytes + PcapFormat.SnapBytes];
        if (await from.ReadAtLeastAsync(
                buffer.AsMemory(0, PcapFormat.HeaderBytes), PcapFormat.HeaderBytes, false, cancellation)
                .ConfigureAwait(false) < PcapFormat.HeaderBytes
            || !PcapFormat.IsHeader(buffer))
        {
            throw new CustodyException("What the host sends is no capture.");
        }

        await to.WriteAsync(buffer.AsMemory(0, PcapFormat.HeaderBytes), cancellation).ConfigureAwait(false);
        for (int packets = 0; ; packets++)
        {
            Memory<byte> head = buffer.AsMemory(0, PcapFormat.RecordBytes);
            if (await from.ReadAtLeastAsync(head, head.Length, false, cancellation).ConfigureAwait(false)
                < head.Length)
            {
                return packets;
            }

            int length = PcapFormat.LengthOf(head.Span)
                ?? throw new CustodyException("What the host sends is no capture any more.");
            Memory<byte> packet = buffer.AsMemory(PcapFormat.RecordBytes, length);
            if (await from.ReadAtLeastAsync(packet, length, false, cancellation).ConfigureAwait(false) < length)
            {
                return packets;
            }

            await to.WriteAsync(buffer.AsMemory(0, PcapFormat.RecordBytes + length), cancellation)
                .ConfigureAwait(false);
        }
    }

    private static FrameFilter Filter(string? service) =>
        service is null ? FrameFilter.All
        : TraceQuestion.TryParseService(service, out FlowProtocol protocol, out int port)
            ? new FrameFilter(protocol, port)
            : throw new CustodyException($"'{service}' is no service: name tcp/443, udp/53 or icmp.");

    private static int Seconds(string text) =>
        text.Length is >= 2 and <= 4 && (text[^1] is 's' or 'm') && text[..^1].All(char.IsAsciiDigit)
        && int.Parse(text[..^1], CultureInfo.InvariantCulture) * (text[^1] == 'm' ? 60 : 1) is var seconds
        && seconds is >= 1 and <= MostSeconds
            ? seconds
            : throw new CustodyException($"'{text}' is no time of 1s to 5m.");
}
