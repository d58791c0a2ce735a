using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Measured;
using Bailiwick.HostTests.Proxy;
using Bailiwick.HostTests.Whole;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Lab.Deployment;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.KeyServices;

/// <summary>
/// A board, the key services of two tenants as programs of their own, and the one host that all machines are on: its
/// evidence is its own word, which both tenants accept here, so that it can ask as often as it likes.
/// </summary>
internal sealed class TwoKeyServices : IAsyncDisposable
{
    private readonly SignedDatacentre _datacentre = new(
        Ledger.Digest32.Of("kernel"u8).Hex, Ledger.Digest32.Of("initrd"u8).Hex);
    private readonly TestLog _log;
    private readonly string _directory;
    private readonly ChannelIdentity _host;
    private readonly IntegrityOpening _boot = new(
        RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes),
        new IntegrityEntry(
            0, IntegrityKind.Boot, IntegrityReaders.Everyone, BootId.ToString("D"),
            Ledger.Digest32.Of("the boot"u8)));
    private readonly Dictionary<SignedParty, Service> _services = [];
    private BoardServer? _board;

    private TwoKeyServices(string directory)
    {
        _directory = directory;
        _log = new TestLog(_datacentre.LogKey);
        _host = ChannelIdentity.FromKey(_datacentre.HostKey(1));
    }

    internal SignedParty[] Tenants => [_datacentre.Acme, _datacentre.Rival];

    private static Guid BootId { get; } = Guid.NewGuid();

    private IntegrityHead Head => new IntegrityHead(0, IntegrityHead.Zero).Extend(_boot.Commitment());

    internal static async Task<TwoKeyServices> Up(string directory, int machines)
    {
        TwoKeyServices all = new(directory);
        SignedDatacentre datacentre = all._datacentre;
        foreach (SignedParty tenant in all.Tenants)
        {
            Service service = new(Path.Combine(directory, tenant.Id.Short), MeasuredTenant.FreePort());
            all._services[tenant] = service;
            datacentre.Envelopes.Add(tenant.SignRoot(new JsonObject
            {
                ["legalName"] = "A tenant",
                ["keyService"] = new JsonObject
                {
                    ["key"] = SignedParty.Base64(service.Key), ["address"] = $"127.0.0.1:{service.Port}",
                },
            }));
            string subnet = tenant == datacentre.Acme ? "10.20.1.0/24" : "10.20.2.0/24";
            datacentre.With(tenant, "web", subnet, machines, storage: "required");
            JsonObject body = datacentre.DomainBody(subnet, "required");
            body["quota"] = new JsonObject
            {
                ["machines"] = 64, ["cpus"] = 64, ["memoryMiB"] = 16384, ["storageMiB"] = 4096,
            };
            datacentre.Envelopes.Add(tenant.Sign(StatementKind.Domain, "web", body));
        }

        StatementBook book = StatementBook.Empty;
        foreach (byte[] envelope in datacentre.Envelopes)
        {
            book = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope)).Next;
        }

        Assert.Empty(PolicyCheck.Run(
            PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(book.Current)), datacentre.Operator.Id)
            .Findings.Select(one => one.Sentence));
        all._log.Append(datacentre.Envelopes);
        int port = MeasuredTenant.FreePort();
        all._board = await BoardServer.Start($"127.0.0.1:{port}", all._log, book, datacentre.Operator.Id);
        foreach (SignedParty tenant in all.Tenants)
        {
            all.Prepare(tenant, datacentre.Envelopes[tenant == datacentre.Acme ? 0 : 1], port);
            await all.Start(tenant);
        }

        return all;
    }

    /// <summary>Starts a tenant's key service, and has the host prove itself to it.</summary>
    internal async Task Start(SignedParty tenant)
    {
        Service service = _services[tenant];
        service.Program = Process.Start(new ProcessStartInfo(ProductPrograms.Find("KeyService"))
        {
            ArgumentList = { "--config", service.Settings },
            RedirectStandardError = true, RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("no process");
        Task<string> said = service.Program.StandardError.ReadToEndAsync();
        _ = service.Program.StandardOutput.ReadToEndAsync();
        await WholeLab.Until(
            async () =>
            {
                try
                {
                    return await Prove(tenant);
                }
                catch (KeyServiceException error)
                {
                    Assert.False(service.Program.HasExited, service.Program.HasExited ? await said : "");
                    return error.Message;
                }
            },
            "the host has a lease");
    }

    /// <summary>The host proves itself to a tenant's key service; what is against it, or null.</summary>
    internal async Task<string?> Prove(SignedParty tenant)
    {
        LeaseAnswer answer = await _services[tenant].Client(_host).Prove(
            [$"{tenant.Id}/web"], [], (given, _) => Task.FromResult(Signed(given, Evidence(given))));
        return answer.Domains is [{ Against.IsEmpty: true }]
            ? null : string.Join(" ", answer.Domains.SelectMany(one => one.Against));
    }

    /// <summary>Kills a tenant's key service, without warning.</summary>
    internal void Kill(SignedParty tenant)
    {
        _services[tenant].Program?.Kill();
        _services[tenant].Program?.WaitForExit();
    }

    /// <summary>Asks a tenant's key service for a key, as for a machine; the key in hex, and the release's nonce.
    /// </summary>
    internal async Task<(string Key, string Nonce)> Release(
        SignedParty asked, SignedParty owner, int volume, SignedParty machineOf, int machine)
    {
        KeySubject key = Volume(owner, volume);
        CompartmentRef compartment = SignedDatacentre.Machine(machineOf, $"web-{machine}");
        OpenedKey opened = await _services[asked].Client(_host).Fetch(
            (given, session, _) => Task.FromResult(Signed(given, ReleaseRequest.Write(
                new RequestedParts(
                    key, compartment, _datacentre.Host(1),
                    KeyNonce.Of(Convert.FromBase64String(given.Nonce)) ?? throw new InvalidDataException(), session),
                Evidence(given), _host.Signer))),
            (_, _) => throw new InvalidOperationException("there is no TPM"));
        using SecretBytes held = opened.Key;
        using SecretLoan loan = held.Borrow();
        return (Convert.ToHexString(loan.Bytes), opened.Nonce);
    }

    internal Task Return(SignedParty tenant, int volume, string nonce) => _services[tenant].Client(_host).Return(
        HolderDocument.WriteReturn(
            Volume(tenant, volume), null, BootId, _datacentre.Host(1),
            KeyNonce.Of(Convert.FromBase64String(nonce)) ?? throw new InvalidDataException(), _host.Signer));

    /// <summary>What a tenant's key service has worked since it began, in seconds of a processor (proc(5)).</summary>
    internal double Worked(SignedParty tenant)
    {
        string[] words = File.ReadAllText($"/proc/{_services[tenant].Program?.Id}/stat").Split(')')[^1]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (long.Parse(words[11], CultureInfo.InvariantCulture)
            + long.Parse(words[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Service service in _services.Values)
        {
            service.Dispose();
        }

        if (_board is not null)
        {
            await _board.DisposeAsync();
        }

        _datacentre.Dispose();
    }

    private static KeySubject.Volume Volume(SignedParty tenant, int number) =>
        new(new VolumeRef(tenant.Id, SignedParty.NameOf($"web-{number}-data")));

    private byte[] Evidence(NonceAnswer given)
    {
        var head = Assert.IsType<CheckpointVerdict.Opened>(
            Checkpoint.Open(Encoding.UTF8.GetBytes(_log.Note()), _log.Key, SignedDatacentre.Origin)).Checkpoint;
        return EvidenceDocument.Write(
            new EvidenceClaims
            {
                Host = _datacentre.Host(1).ToString(),
                Checkpoint = new EvidenceCheckpoint(head.Origin, head.Size, head.Root),
                Boot = BootId, ChannelKey = _host.Key, IntegrityLog = Head,
                Nonce = Convert.FromBase64String(given.Nonce),
            },
            _host.Signer);
    }

    private SignedRequest Signed(NonceAnswer given, byte[] envelope) => new(
        envelope, default, default,
        (given.Followed is null
            ? new IntegrityTail(null, _boot.Commitment().Bytes.ToArray(), [_boot])
            : new IntegrityTail(new IntegrityPosition(BootId, 0, Head), default, [])).Write(), null);

    private void Prepare(SignedParty tenant, byte[] root, int board)
    {
        Service service = _services[tenant];
        Directory.CreateDirectory(
            service.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string Put(string name, byte[] content)
        {
            string path = Path.Combine(service.Directory, name);
            File.WriteAllBytes(path, content);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return path;
        }

        string passphraseFile = Put("passphrase", [.. "a passphrase of the tenant"u8]);
        string file = Path.Combine(service.Directory, "master.sealed");
        using (PassphraseLock sealing = PassphraseLock.Read(LinuxDisk.Instance, passphraseFile))
        using (MasterKey key = MasterKey.Make(tenant.Id, 1))
        {
            MasterKeyFile.Create(LinuxDisk.Instance, file, sealing, key);
        }

        service.Settings = Put("keyservice.json", JsonSerializer.SerializeToUtf8Bytes(new
        {
            directory = Path.Combine(service.Directory, "store"),
            listen = (string[])[$"127.0.0.1:{service.Port}"],
            tlsKey = Put("tls.pem", [.. service.Key.ExportPkcs8PrivateKeyPem().Select(c => (byte)c)]),
            tenant = tenant.Id.ToString(),
            tenantRoot = Put("root.dsse.json", root),
            datacentre = _datacentre.Operator.Id.ToString(),
            master = new { address = $"127.0.0.1:{board}", key = _board?.Key },
            log = new { origin = SignedDatacentre.Origin, key = SignedParty.Base64(_datacentre.LogKey) },
            masterKey = new { file, passphraseFile },
            vendors = "",
            vendorIntermediates = "",
        }));
    }

    /// <summary>One tenant's key service.</summary>
    private sealed class Service(string directory, int port) : IDisposable
    {
        private HttpClient? _http;

        internal string Directory => directory;

        internal int Port => port;

        internal ECDsa Key { get; } = SignedParty.Key();

        internal string Settings { get; set; } = "";

        internal Process? Program { get; set; }

        internal KeyServiceClient Client(ChannelIdentity host) => new(_http ??= PinnedHandler.Create(
            host, new EcdsaSigner(Key).Id, ChannelAddress.Parse($"127.0.0.1:{port}")));

        public void Dispose()
        {
            if (Program is { HasExited: false } running)
            {
                running.Kill();
            }

            Program?.Dispose();
            _http?.Dispose();
            Key.Dispose();
        }
    }
}
