using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Routes;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Keys;
using Bailiwick.Master.Api;
using Bailiwick.Master.Log;
using Bailiwick.Master.Placing;
using Bailiwick.Master.Settings;
using Bailiwick.Master.Store;

namespace Bailiwick.Master;

/// <summary>
/// The bulletin board as a running whole. It holds the log's key and its own channel key, and no key of any tenant's:
/// it can refuse service, and nothing else.
/// </summary>
public sealed class MasterProcess : IAsyncDisposable
{
    // Disposed of in the order of this list's end to its start: first whoever calls, last what is called.
    private readonly Stack<object> _parts = new();
    private readonly ChannelServer _server;
    private readonly BoardWriter _writer;

    private MasterProcess(Stack<object> parts, ChannelServer server, BoardWriter writer)
    {
        (_parts, _server, _writer) = (parts, server, writer);
    }

    /// <summary>Where it listens; a port 0 is the real one here.</summary>
    public IReadOnlyCollection<string> Urls => _server.Urls;

    /// <summary>Completes with the cause when the store has failed: the process must stop.</summary>
    public Task<Exception> Failed => _writer.Failed;

    /// <summary>Builds everything and serves. What it built is taken down again if a later part fails.</summary>
    /// <exception cref="StoreDamagedException">The store does not hold what the log committed to.</exception>
    /// <exception cref="ChannelIdentityException">A key file cannot be used.</exception>
    /// <exception cref="IOException">A file or an address cannot be used.</exception>
    public static async Task<MasterProcess> Serve(
        MasterSettings settings, TimeProvider time, ILoggerFactory failures, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var parts = new Stack<object>();
        try
        {
            var identity = Keep(parts, ChannelIdentity.FromPem(settings.File.TlsKey, time));
            var logKey = new EcdsaSigner(Keep(parts, PrivateKeyFile.Read(settings.File.LogKey)));
            var logIdentity = new LogIdentity(settings.LogName(logKey.PublicKey), logKey, settings.Datacentre);

            var directory = Keep(parts, PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, settings.File.Directory));
            var only = Keep(parts, directory.OpenFile("lock", DiskOpen.ReadWrite) ?? directory.CreateFile("lock"));
            only.Lock();
            var store = Keep(parts, BoardStore.Open(directory));
            var log = BoardLog.Open(store, logIdentity);
            var writer = Keep(parts, new BoardWriter(log, store, new AppendJudge(settings.Datacentre)));

            var reports = new ReportDesk(time);
            var trust = new TrustDesk(reports, time);
            var desk = Keep(parts, new PlacementDesk(
                log, writer, new PlacementRule(settings.Datacentre), trust, time,
                failures.CreateLogger("Bailiwick.Placing")));

            var description = new ApiDescription();
            var server = Keep(parts, await ChannelServer.Start(
                new ChannelListening(identity, settings.Listen, time),
                Routes(log, writer, desk, (reports, trust), time, description),
                key => log.State.Principals.Resolve(key),
                failures, ApiDescription.Add, cancel));
            description.Services = server.Services;
            return new MasterProcess(parts, server, writer);
        }
        catch
        {
            await TakeDown(parts);
            throw;
        }
    }

    /// <summary>Stops to listen, answers what waits, closes the store.</summary>
    public async ValueTask DisposeAsync() => await TakeDown(_parts);

    private static RouteMap Routes(
        BoardLog log, BoardWriter writer, PlacementDesk desk, (ReportDesk Reports, TrustDesk Trust) said,
        TimeProvider time, ApiDescription description)
    {
        var statements = new StatementHandlers(log, writer, new KeyChangeBudget(time));
        var orders = new OrderHandlers(log, writer, said.Reports, said.Trust);
        var status = new StatusHandler(log, desk, said.Reports, said.Trust);
        return new RouteMap(MasterRoutes.Table)
            .Handle<Channel.Board.PostedStatements, Channel.Board.PostedReceipts>(
                MasterRoutes.PostStatements, statements.Post)
            .Handle(MasterRoutes.GetEntries, statements.Entries)
            .HandleStream(
                MasterRoutes.Watch, "application/x-ndjson", new WatchHandler(log, desk, time).Watch)
            .Handle(MasterRoutes.GetCheckpoint, statements.Checkpoint)
            .Handle(MasterRoutes.GetInclusion, statements.Inclusion)
            .Handle(MasterRoutes.GetConsistency, statements.Consistency)
            .Handle(MasterRoutes.GetPlacements, status.Placements)
            .Handle<Channel.Board.PowerOrder, Nothing>(MasterRoutes.PutPower, orders.Power)
            .Handle<Channel.Board.DrainOrder, Nothing>(MasterRoutes.PutDrain, orders.Drain)
            .Handle<Channel.Board.HostReport, Nothing>(MasterRoutes.PostReport, orders.Report)
            .Handle<Channel.Board.LeaseReport, Nothing>(MasterRoutes.PostLeases, orders.Leases)
            .Handle(MasterRoutes.GetStatus, status.Status)
            .HandleStream(MasterRoutes.GetDescription, "application/json", description.Write);
    }

    private static T Keep<T>(Stack<object> parts, T part)
        where T : class
    {
        parts.Push(part);
        return part;
    }

    private static async Task TakeDown(Stack<object> parts)
    {
        while (parts.TryPop(out var part))
        {
            if (part is IAsyncDisposable slow)
            {
                await slow.DisposeAsync();
            }
            else if (part is IDisposable quick)
            {
                quick.Dispose();
            }
        }
    }
}
