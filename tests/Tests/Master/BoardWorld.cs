using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master;
using Bailiwick.Master.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Tests.Master;

/// <summary>An operator with two hosts, two tenants, and a real board over real TLS on a Unix socket.</summary>
internal sealed class BoardWorld : IAsyncDisposable
{
    public const string Origin = "board.example/log";
    private readonly List<HttpClient> _clients = [];
    private readonly ECDsa _logKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _tlsKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public BoardWorld()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("bw-board-").FullName;
        Log = NoteKey.Of(Origin, new EcdsaSigner(_logKey).PublicKey);
        BankRoot = Bank.TenantRoot();
        HospitalRoot = Hospital.TenantRoot();
        OperatorRoot = Operator.DatacentreRoot(Origin, Log.Key, Bank, Hospital);
        Write("tls.pem", _tlsKey.ExportPkcs8PrivateKeyPem());
        Write("log.pem", _logKey.ExportPkcs8PrivateKeyPem());
        Write("master.json", JsonSerializer.Serialize(new
        {
            directory = Path.Combine(Directory, "store"),
            listen = new[] { "unix:" + SocketPath },
            tlsKey = Path.Combine(Directory, "tls.pem"),
            logKey = Path.Combine(Directory, "log.pem"),
            origin = Origin,
            datacentre = Operator.Id.ToString(),
        }));
    }

    public string Directory { get; }

    public string ConfigPath => Path.Combine(Directory, "master.json");

    public string DatabasePath => Path.Combine(Directory, "store", "board.db");

    public string SocketPath => Path.Combine(Directory, "m.sock");

    public NoteKey Log { get; }

    public EcdsaSigner LogSigner => new(_logKey);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public PartyUnderTest Operator { get; } = new(StatementKind.Datacentre, "alpine");

    public PartyUnderTest Bank { get; } = new(StatementKind.Tenant, "bank");

    public PartyUnderTest Hospital { get; } = new(StatementKind.Tenant, "hospital");

    public ChannelIdentity Host1 { get; } = PartyUnderTest.NewIdentity();

    public ChannelIdentity Host2 { get; } = PartyUnderTest.NewIdentity();

    public byte[] BankRoot { get; }

    public byte[] HospitalRoot { get; }

    public byte[] OperatorRoot { get; }

    public MasterProcess? Master { get; private set; }

    public async Task<BoardWorld> Start()
    {
        Master = await MasterProcess.Serve(MasterSettings.Read(ConfigPath), Time, NullLoggerFactory.Instance);
        return this;
    }

    public async Task Stop()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        _clients.Clear();
        if (Master is not null)
        {
            await Master.DisposeAsync();
            Master = null;
        }
    }

    /// <summary>Publishes the roots, the hosts and a domain with a machine for each tenant.</summary>
    public async Task<BoardWorld> Settle()
    {
        await Publish(PartyUnderTest.NewIdentity(), OperatorRoot);
        await Publish(PartyUnderTest.NewIdentity(), BankRoot);
        await Publish(PartyUnderTest.NewIdentity(), HospitalRoot);
        await Publish(
            Operator.Admin, Operator.Host("host-1", Host1, "10.99.0.11"), Operator.Host("host-2", Host2, "10.99.0.12"));
        await Publish(Bank.Admin, Bank.Image(), Bank.Domain(Operator), Bank.Machine("web-1", "10.20.1.11"));
        await Publish(
            Hospital.Admin, Hospital.Image(), Hospital.Domain(Operator), Hospital.Machine("records-1", "10.20.1.11"));
        return this;
    }

    public HttpClient Http(ChannelIdentity caller)
    {
        var client = PinnedHandler.Create(
            caller, new EcdsaSigner(_tlsKey).Id, ChannelAddress.Parse("unix:" + SocketPath));
        client.Timeout = TimeSpan.FromSeconds(60);
        _clients.Add(client);
        return client;
    }

    public BoardClient Board(ChannelIdentity caller) => new(Http(caller));

    public async Task<IReadOnlyList<PostedReceipt>> Publish(ChannelIdentity caller, params byte[][] envelopes)
    {
        var outcome = await Board(caller).Publish([.. envelopes.Select(one => new ReadOnlyMemory<byte>(one))]);
        Assert.True(outcome is PostOutcome.Published, outcome.ToString() + Say(outcome));
        return ((PostOutcome.Published)outcome).Receipts;
    }

    public async Task<IReadOnlyList<string>> MustRefuse(ChannelIdentity caller, params byte[][] envelopes)
    {
        var outcome = await Board(caller).Publish([.. envelopes.Select(one => new ReadOnlyMemory<byte>(one))]);
        Assert.True(outcome is PostOutcome.Refused, outcome.ToString());
        return [.. ((PostOutcome.Refused)outcome).Refusals.Select(one => $"{one.Position} {one.Code}")];
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static string Say(PostOutcome outcome) => outcome is PostOutcome.Refused refused
        ? string.Join("; ", refused.Refusals)
        : "";

    private void Write(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
