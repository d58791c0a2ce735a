using System.Text.Json;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Keys;
using Bailiwick.Master;
using Bailiwick.Master.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>
/// One statement published to a whole Master over mutual TLS on a unix socket, receipt and proof included. Server and
/// client share this process; the bytes go through the kernel as between two.
/// </summary>
internal sealed class PostFigure(string directory, Effort effort)
{
    private static readonly Goal OverSqlite = new(10,
        "TLS, HTTP/2, the judging of a statement and a receipt with its proof, for people who publish by hand");

    internal async Task<IReadOnlyList<Figure>> Measure()
    {
        using var files = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, directory);
        using var bare = new BareStore(files);
        using var tls = SigningParty.NewKey();
        using var log = SigningParty.NewKey();
        using SigningParty tenant = new(), host = new();
        var tenantRoot = tenant.TenantRoot();
        var root = host.DatacentreRoot(BenchBoard.Origin, new EcdsaSigner(log).PublicKey, tenant.Id);
        DurableFile.Replace(files, "tls.pem", System.Text.Encoding.ASCII.GetBytes(tls.ExportPkcs8PrivateKeyPem()));
        DurableFile.Replace(files, "log.pem", System.Text.Encoding.ASCII.GetBytes(log.ExportPkcs8PrivateKeyPem()));
        var socket = "unix:" + Path.Combine(directory, "m.sock");
        DurableFile.Replace(files, "master.json", JsonSerializer.SerializeToUtf8Bytes(new
        {
            directory = Path.Combine(directory, "store"),
            listen = new[] { socket },
            tlsKey = Path.Combine(directory, "tls.pem"),
            logKey = Path.Combine(directory, "log.pem"),
            origin = BenchBoard.Origin,
            datacentre = host.Id.ToString(),
        }));
        await using var master = await MasterProcess.Serve(
            MasterSettings.Read(Path.Combine(directory, "master.json")), TimeProvider.System,
            NullLoggerFactory.Instance);
        using var operatorClient = Client(host.Admin, tls, socket);
        await Publish(new BoardClient(operatorClient), root);
        using var client = Client(tenant.Admin, tls, socket);
        var board = new BoardClient(client);
        await Publish(board, tenantRoot);
        return await Compare(board, bare, tenant);
    }

    private async Task<IReadOnlyList<Figure>> Compare(BoardClient board, BareStore bare, SigningParty tenant)
    {
        var count = effort.Count(100);
        byte[][][] rounds =
        [
            .. Enumerable.Range(0, effort.All)
                .Select(_ => Enumerable.Range(0, count).Select(_ => tenant.Volume()).ToArray()),
        ];
        var medians = await Race.Run(effort,
            Race.Timed(count, async round =>
            {
                foreach (var envelope in rounds[round])
                {
                    await Publish(board, envelope);
                }
            }),
            Race.Timed(count, round =>
            {
                foreach (var envelope in rounds[round])
                {
                    bare.Append(envelope);
                }
            }));
        return [Figure.Rate("ledger.post", medians[0], "SQLite, one row a commit", medians[1], OverSqlite)];
    }

    private static async Task Publish(BoardClient board, byte[] envelope)
    {
        if (await board.Publish([envelope]) is PostOutcome.Refused refused)
        {
            throw new BenchException("The Master refuses: " + string.Join("; ", refused.Refusals));
        }
    }

    private static HttpClient Client(
        ChannelIdentity caller, System.Security.Cryptography.ECDsa server, string socket) =>
        PinnedHandler.Create(caller, new EcdsaSigner(server).Id, ChannelAddress.Parse(socket));
}
