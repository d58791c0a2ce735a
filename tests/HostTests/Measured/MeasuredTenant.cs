using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Proxy;
using Bailiwick.KeyService;
using Bailiwick.KeyService.Settings;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.HostTests.Measured;

/// <summary>
/// Everybody outside of the measured host: an operator that states its TPM, a board, and a tenant with its real key
/// service. All of them listen on loopback, which the host reaches as 10.0.2.2.
/// </summary>
internal sealed class MeasuredTenant : IAsyncDisposable
{
    private const string Outside = "10.0.2.2";
    private readonly SignedDatacentre _datacentre = new("00", "00");

    // The other tenant has the datacentre's; a key of two parties would be nobody's.
    private readonly ECDsa _serviceKey = SignedParty.Key();
    private readonly TestLog _log;
    private readonly string _directory;
    private readonly string _roots;
    private readonly List<byte[]> _statements = [];
    private BoardServer? _board;
    private KeyServiceProcess? _service;

    private MeasuredTenant(string directory, string roots)
    {
        _log = new TestLog(_datacentre.LogKey);
        _directory = directory;
        _roots = roots;
    }

    internal SignedParty Tenant => _datacentre.Acme;

    internal HostRef Host => _datacentre.Host(1);

    internal string HostKey => _datacentre.HostKey(1).ExportPkcs8PrivateKeyPem();

    internal Ledger.Keys.KeyId HostKeyId => new Ledger.Keys.EcdsaSigner(_datacentre.HostKey(1)).Id;

    internal int BoardPort { get; } = FreePort();

    internal int ServicePort { get; } = FreePort();

    /// <summary>Publishes all of it and serves.</summary>
    /// <param name="directory">An empty directory for the key service.</param>
    /// <param name="endorsementKey">What the operator reads from the host's TPM when it is delivered.</param>
    /// <param name="roots">The root certificates of the TPM's vendor, PEM file.</param>
    /// <param name="intermediates">The certificates between, PEM file.</param>
    internal static async Task<MeasuredTenant> Up(
        string directory, Digest32 endorsementKey, string roots, string intermediates)
    {
        MeasuredTenant all = new(directory, roots);
        SignedDatacentre datacentre = all._datacentre;
        byte[] root = datacentre.Envelopes[0];
        datacentre.Envelopes.Add(datacentre.Acme.SignRoot(new JsonObject
        {
            ["legalName"] = "A tenant",
            ["keyService"] = new JsonObject
            {
                ["key"] = SignedParty.Base64(all._serviceKey), ["address"] = $"{Outside}:{all.ServicePort}",
            },
        }));
        datacentre.Envelopes.Add(datacentre.Operator.Sign(StatementKind.Host, "host-1", new JsonObject
        {
            ["identityKey"] = SignedParty.Base64(datacentre.HostKey(1)),
            ["jurisdiction"] = "CH",
            ["assurance"] = "tpm",
            ["underlay"] = new JsonObject { ["ipv4"] = "10.0.2.15" },
            ["capacity"] = new JsonObject { ["cpus"] = 8, ["memoryMiB"] = 2048 },
            ["tpm"] = new JsonObject { ["ek"] = endorsementKey.Hex },
        }));
        datacentre.Envelopes.Add(all.Policy([new Predicate.CryptoAgile()]));
        StatementBook book = StatementBook.Empty;
        foreach (byte[] envelope in datacentre.Envelopes)
        {
            book = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope)).Next;
        }

        all._statements.AddRange(datacentre.Envelopes);
        all._log.Append(datacentre.Envelopes);
        all._board = await BoardServer.Start($"127.0.0.1:{all.BoardPort}", all._log, book, datacentre.Operator.Id);
        await all.Serve(root, intermediates);
        return all;
    }

    /// <summary>The tenant demands this from now on; the statement goes into later bundles alone.</summary>
    internal void Demand(IEnumerable<Predicate> demands) => _statements.Add(Policy([.. demands]));

    /// <summary>The statements a bundle of this tenant and this host holds.</summary>
    internal IEnumerable<byte[]> Statements() => _statements.Where(envelope =>
    {
        JsonElement payload = JsonElement.Parse(Convert.FromBase64String(
            JsonElement.Parse(envelope).GetProperty("payload").GetString() ?? ""));
        return payload.GetProperty("name").GetString() != "rival";
    });

    internal BundlePins Pins(byte[] nonce) => new()
    {
        Domain = new DomainRef(Tenant.Id, SignedParty.NameOf("web")), Host = Host, Nonce = nonce,
        Now = DateTimeOffset.UtcNow,
    };

    /// <summary>The configuration of the Proxy within the host.</summary>
    internal string ProxyConfiguration() => JsonSerializer.Serialize(new
    {
        directory = "/run/proxy",
        host = Host.ToString(),
        identityKey = SoftwareDisk.Identity,
        listen = (string[])["10.0.2.15:7500"],
        hookSocket = "/run/hook.sock",
        master = new { address = $"{Outside}:{BoardPort}", key = _board?.Key },
        log = new { origin = SignedDatacentre.Origin, key = SignedParty.Base64(_datacentre.LogKey) },
        libvirt = "/run/no-libvirt",
        tpm = "device:/dev/tpmrm0",
        measurements = new
        {
            boot = "/sys/kernel/security/tpm0/binary_bios_measurements",
            runtime = "/sys/kernel/security/ima/binary_runtime_measurements",
        },
        pool = "/run",
        images = "/run",
    });

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
        {
            await _service.DisposeAsync();
        }

        if (_board is not null)
        {
            await _board.DisposeAsync();
        }

        _serviceKey.Dispose();
        _datacentre.Dispose();
    }

    private byte[] Policy(Predicate[] demands)
    {
        JsonObject body = _datacentre.DomainBody("10.20.1.0/24");
        body["hosts"] = new JsonObject
        {
            ["operators"] = new JsonArray(_datacentre.Operator.Id.ToString()),
            ["assurance"] = new JsonArray("tpm"),
            ["jurisdictions"] = new JsonArray("CH"),
            ["vendors"] = new JsonObject { ["sha256"] = Digest32.Of(File.ReadAllBytes(_roots)).Hex },
            ["evidence"] = new JsonArray([.. demands.Select(PredicateJson.ToNode)]),
        };
        return Tenant.Sign(StatementKind.Domain, "web", body);
    }

    private async Task Serve(byte[] firstRoot, string intermediates)
    {
        string Put(string name, byte[] content)
        {
            string path = Path.Combine(_directory, name);
            File.WriteAllBytes(path, content);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return path;
        }

        string settings = Put("keyservice.json", JsonSerializer.SerializeToUtf8Bytes(new
        {
            directory = Path.Combine(_directory, "store"),
            listen = (string[])[$"127.0.0.1:{ServicePort}"],
            tlsKey = Put("tls.pem", [.. _serviceKey.ExportPkcs8PrivateKeyPem().Select(c => (byte)c)]),
            tenant = Tenant.Id.ToString(),
            tenantRoot = Put("root.dsse.json", firstRoot),
            datacentre = _datacentre.Operator.Id.ToString(),
            master = new { address = $"127.0.0.1:{BoardPort}", key = _board?.Key },
            log = new { origin = SignedDatacentre.Origin, key = SignedParty.Base64(_datacentre.LogKey) },
            masterKey = MasterKeySettings(Put("passphrase", [.. "a passphrase of the tenant"u8])),
            vendors = Put("vendors.pem", await File.ReadAllBytesAsync(_roots)),
            vendorIntermediates = Put("intermediates.pem", await File.ReadAllBytesAsync(intermediates)),
        }));
        _service = await KeyServiceProcess.Serve(
            KeyServiceSettings.Read(settings), TimeProvider.System, NullLoggerFactory.Instance);
    }

    private object MasterKeySettings(string passphraseFile)
    {
        string file = Path.Combine(_directory, "master.sealed");
        using PassphraseLock sealing = PassphraseLock.Read(LinuxDisk.Instance, passphraseFile);
        using MasterKey key = MasterKey.Make(Tenant.Id, 1);
        MasterKeyFile.Create(LinuxDisk.Instance, file, sealing, key);
        return new { file, passphraseFile };
    }

    internal static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
