using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Lab.Demonstration;

/// <summary>What a lying Master is to serve, written by whoever stages it.</summary>
/// <param name="Address">Where the real Master listened.</param>
/// <param name="TlsKey">The real Master's TLS key file.</param>
/// <param name="LogKey">The real log's key file.</param>
/// <param name="Origin">The log's origin.</param>
/// <param name="Entries">All leaves of the real log, and after them whatever the operator likes.</param>
/// <param name="Placements">The suggestions, as the real Master made them.</param>
/// <param name="Reports">Directory for what the hosts say to it.</param>
public sealed record LyingScript(
    string Address, string TlsKey, string LogKey, string Origin, ImmutableArray<BoardEntry> Entries,
    ImmutableArray<PlacementRow> Placements, string Reports);

/// <summary>
/// A Master as an operator with root could run it in place of the real one: it has every key the Master has, signs a
/// true root over whatever leaves it likes, and checks nothing. It shows what such an operator can achieve.
/// </summary>
public sealed class LyingBoard
{
    private static readonly RouteRow Watch = Row("GET", "/v1/watch") with
    {
        Query = [new QueryNumber("from", 0, long.MaxValue, 0)], Streams = true,
    };

    private static readonly RouteRow Newest = Row("GET", "/v1/checkpoint");

    private static readonly RouteRow Report = Row("POST", "/v1/hosts/{operator}/{name}/reports") with
    {
        Scope = RouteScope.OwnHost("operator", "name"), MaxBodyBytes = 1 << 20,
    };

    private readonly LyingScript _script;
    private readonly string _note;
    private readonly ConcurrentDictionary<string, bool> _heard = new();

    private LyingBoard(LyingScript script, string note)
    {
        _script = script;
        _note = note;
    }

    /// <summary>Serves until it is ended. Prints <c>ready</c> when it listens.</summary>
    public static async Task Serve(string scriptFile, CancellationToken cancellation)
    {
        LyingScript script = StrictJson.Read<LyingScript>(
            await File.ReadAllBytesAsync(scriptFile, cancellation).ConfigureAwait(false), 64 << 20);
        using ChannelIdentity tls = ChannelIdentity.FromPem(script.TlsKey);
        using ChannelIdentity log = ChannelIdentity.FromPem(script.LogKey);
        CompactRange range = CompactRange.Empty;
        StatementBook book = StatementBook.Empty;
        foreach (BoardEntry entry in script.Entries)
        {
            range = range.Append(MerkleTree.LeafHash(Convert.FromBase64String(entry.Commitment)), out _);
            if (entry.Envelope is { } envelope
                && book.Consider(CanonicalJson.Write(envelope)) is StatementVerdict.Accepted accepted)
            {
                book = accepted.Next;
            }
        }

        byte[] note = new Checkpoint(script.Origin, range.Size, range.Root(), [])
            .Sign(NoteKey.Of(script.Origin, log.Key), log.Signer);
        var board = new LyingBoard(script, Encoding.UTF8.GetString(note));
        PrincipalRegister hosts = PrincipalRegister.Of(
            book, book.Current(StatementKind.Datacentre).Single().Owner);
        var routes = new RouteMap(new RouteTable(Newest, Watch, Report))
            .Handle<CheckpointNote>(Newest, _ => Task.FromResult<RouteAnswer<CheckpointNote>>(
                new RouteAnswer<CheckpointNote>.Ok(new CheckpointNote(board._note))))
            .HandleStream(Watch, "application/x-ndjson", board.Tell)
            .Handle<HostReport, Nothing>(Report, board.Hear);
        await using ChannelServer server = await ChannelServer.Start(
            new ChannelListening(tls, [ChannelAddress.Parse(script.Address)], TimeProvider.System), routes,
            key => hosts.Resolve(key), NullLoggerFactory.Instance, null, cancellation).ConfigureAwait(false);
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
    }

    private async Task<RouteProblem?> Tell(RouteCall call, RouteStreams streams)
    {
        foreach (BoardEntry entry in _script.Entries.Where(e => e.Index >= call.Number("from")))
        {
            await Say(new WatchEvent.Entry(entry.Index, entry.Commitment, entry.Salt, entry.Envelope))
                .ConfigureAwait(false);
        }

        await Say(new WatchEvent.Checkpoint(_note)).ConfigureAwait(false);
        await Say(new WatchEvent.Placements(_script.Placements)).ConfigureAwait(false);
        while (call.StillAdmitted())
        {
            await Say(new WatchEvent.Heartbeat()).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(1), call.Cancel).ConfigureAwait(false);
        }

        return null;

        Task Say(WatchEvent line) => JsonLines.Write(streams.Output, line, call.Cancel);
    }

    private async Task<RouteAnswer<Nothing>> Hear(RouteCall call, HostReport report)
    {
        string host = call.Values.Name("name")?.Text ?? "nobody";
        if (report.RefusedStatements.Length > 0 && _heard.TryAdd(host, true))
        {
            string path = Path.Combine(_script.Reports, host + ".json");
            await File.WriteAllBytesAsync(path + ".new", StrictJson.Write(report), call.Cancel).ConfigureAwait(false);
            File.Move(path + ".new", path, overwrite: true);
        }

        return new RouteAnswer<Nothing>.Ok(Nothing.Value);
    }

    private static RouteRow Row(string method, string template) => new()
    {
        Method = method, Template = template, Summary = "as the real Master's", Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller, Records = new RecordDuty.Nothing("it is a liar's"),
    };
}
