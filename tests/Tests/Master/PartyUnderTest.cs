using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Identity;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Master;

/// <summary>A party with one root key and the keys of its people; keeps the chain of each of its subjects.</summary>
internal sealed class PartyUnderTest
{
    private static readonly DateTimeOffset Issued = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private readonly EcdsaSigner _root = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private readonly Dictionary<(StatementKind, string), (long Revision, Digest32 Digest)> _chain = [];

    public PartyUnderTest(StatementKind kind, string name) => (Kind, Name) = (kind, name);

    public StatementKind Kind { get; }

    public string Name { get; }

    public ChannelIdentity Admin { get; } = NewIdentity();

    public ChannelIdentity Auditor { get; } = NewIdentity();

    public ChannelIdentity Service { get; } = NewIdentity();

    /// <summary>The id; known from the first root on.</summary>
    public PartyId Id { get; private set; } = PartyId.Unsigned("none");

    /// <summary>The newest root's envelope.</summary>
    public byte[] RootEnvelope { get; private set; } = [];

    public static ChannelIdentity NewIdentity() =>
        ChannelIdentity.FromKey(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>The next revision of this tenant's root.</summary>
    public byte[] TenantRoot(params ChannelIdentity[] admins) => Root(new
    {
        legalName = "Example " + Name,
        roots = new[] { new { key = _root.PublicKey.Base64 } },
        threshold = 1,
        admins = (admins.Length == 0 ? [Admin] : admins).Select(one => one.Key.Base64).ToArray(),
        auditors = new[] { Auditor.Key.Base64 },
        keyService = new { key = Service.Key.Base64, address = "10.99.0.3:7600" },
    });

    /// <summary>The next revision of this operator's root.</summary>
    public byte[] DatacentreRoot(string origin, PublicKey log, params PartyUnderTest[] tenants) => Root(new
    {
        roots = new[] { new { key = _root.PublicKey.Base64 } },
        threshold = 1,
        admins = new[] { Admin.Key.Base64 },
        auditors = new[] { Auditor.Key.Base64 },
        tenants = tenants.Select(tenant => tenant.Id.ToString()).ToArray(),
        log = new { origin, key = log.Base64 },
    });

    public byte[] Host(string name, ChannelIdentity identity, string address) => Sign(StatementKind.Host, name, new
    {
        identityKey = identity.Key.Base64,
        jurisdiction = "CH",
        assurance = "software",
        underlay = new { ipv4 = address },
        capacity = new { cpus = 8, memoryMiB = 1024 },
    });

    public byte[] Volume(string name, int sizeMiB = 16) => Sign(StatementKind.Volume, name, $$"""
        {"domain":"web","sizeMiB":{{sizeMiB}},"wipe":"crypto-erase"}
        """);

    public byte[] Machine(string name, string address) => Sign(StatementKind.Compartment, name, $$"""
        {"cpus":1,"memoryMiB":112,"boot":{"image":"guest"},"disks":[],
         "nics":[{"domain":"web","ipv4":"{{address}}"}],"devices":["console"]}
        """);

    public byte[] Image() => Sign(StatementKind.Image, "guest", $$"""
        {"kernel":{"sha256":"{{new string('a', 64)}}"},"initrd":{"sha256":"{{new string('b', 64)}}"},
         "arguments":"console=ttyS0"}
        """);

    public byte[] Domain(PartyUnderTest @operator) => Sign(StatementKind.Domain, "web", $$"""
        {"legalOwner":{"name":"Example","jurisdiction":"CH"},"expires":"2036-01-01T00:00:00Z",
         "hosts":{"operators":["{{@operator.Id}}"],"assurance":["software"],"jurisdictions":["CH"]},
         "machines":{"images":["guest"]},
         "network":{"subnets":["10.20.1.0/24"],"confidentiality":"untrusted-links"},
         "storage":{"confidentiality":"required"},
         "quota":{"machines":4,"cpus":4,"memoryMiB":1024,"storageMiB":256},
         "reservation":{"cpus":1,"memoryMiB":128},"approvals":{"takeover":1},"groups":{},
         "flows":{"grants":[],"accepts":[]}
        }
        """);

    /// <summary>The next change of keys, signed by this tenant's key service unless another signer is given.</summary>
    public byte[] KeyChange(string body = """{"generation":1,"receipt":"","record":0}""", ISigner? signer = null)
    {
        var envelope = (EnvelopeReading.Read)Envelope.Read(Sign(StatementKind.KeyChange, "keys", body));
        return EnvelopeWriter.Sign(envelope.Envelope.Payload, signer ?? Service.Signer);
    }

    /// <summary>The next revision of a subject, its body given as JSON.</summary>
    public byte[] Sign(StatementKind kind, string name, string body) =>
        Sign(kind, name, (object)JsonElement.Parse(body));

    /// <summary>The next revision of a subject.</summary>
    public byte[] Sign(StatementKind kind, string name, object body)
    {
        var (revision, previous) = _chain.TryGetValue((kind, name), out var held)
            ? (held.Revision + 1, held.Digest)
            : (1L, null);
        var payload = StatementPayload.Compose(
            kind, kind.IsRoot() && revision == 1 ? null : Id, StatementName.Parse(name), revision, previous, Issued,
            JsonSerializer.SerializeToElement(body));
        _chain[(kind, name)] = (revision, Digest32.Of(payload));
        if (kind.IsRoot() && revision == 1)
        {
            Id = PartyId.OfFirstRoot(payload);
        }

        return EnvelopeWriter.Sign(payload, _root);
    }

    /// <summary>Another first revision of a subject, whatever there is of it.</summary>
    public byte[] FirstAgain(StatementKind kind, string name, string body) => EnvelopeWriter.Sign(
        StatementPayload.Compose(
            kind, Id, StatementName.Parse(name), 1, null, Issued,
            JsonSerializer.SerializeToElement(JsonElement.Parse(body))), _root);

    private byte[] Root(object body) => RootEnvelope = Sign(Kind, Name, body);
}
