using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Simulation.World;

/// <summary>
/// The parties with their keys, everything they ever signed, and the log they publish it in. Beside each statement it
/// keeps what was meant by it, which is all that the auditor believes.
/// </summary>
internal sealed class SignedWorld : IDisposable
{
    public const string Origin = "log.example/simulation";
    public const string Arguments = "console=ttyS0 quiet panic=-1";
    private readonly SeededKeys _keys;
    private readonly Dictionary<string, SignedParty> _tenants = new(StringComparer.Ordinal);
    private readonly string _kernel;
    private readonly string _initrd;

    public SignedWorld(int seed, string kernel, string initrd, IEnumerable<string> hostJurisdictions)
    {
        _keys = new SeededKeys(seed);
        (_kernel, _initrd) = (kernel, initrd);
        LogKey = _keys.Next();
        EcdsaSigner signer = new(LogKey);
        LogName = NoteKey.Of(Origin, signer.PublicKey);
        Log = new ScriptedBoard(LogName, signer);
        Operator = new SignedParty(StatementKind.Datacentre, "alpine", 1, 1, _keys.Next);
        _tenants["acme"] = new SignedParty(StatementKind.Tenant, "acme", 3, 2, _keys.Next);
        _tenants["rival"] = new SignedParty(StatementKind.Tenant, "rival", 1, 1, _keys.Next);
        foreach (SignedParty tenant in _tenants.Values)
        {
            Publish(tenant.SignRoot(new JsonObject
            {
                ["legalName"] = "A tenant",
                ["keyService"] = new JsonObject
                {
                    ["key"] = SignedParty.Base64(_keys.Next()), ["address"] = "10.99.0.3:7600",
                },
            }));
        }

        Publish(Operator.SignRoot(new JsonObject
        {
            ["tenants"] = new JsonArray([.. _tenants.Values.Select(t => (JsonNode)t.Id.ToString())]),
            ["log"] = new JsonObject { ["origin"] = Origin, ["key"] = SignedParty.Base64(LogKey) },
        }));
        foreach (string jurisdiction in hostJurisdictions)
        {
            AddHost(jurisdiction);
        }

        foreach (string tenant in _tenants.Keys)
        {
            Publish(_tenants[tenant].Sign(StatementKind.Image, "guest", new JsonObject
            {
                ["kernel"] = new JsonObject { ["sha256"] = _kernel },
                ["initrd"] = new JsonObject { ["sha256"] = _initrd },
                ["arguments"] = Arguments,
            }));
        }
    }

    public ECDsa LogKey { get; }

    public NoteKey LogName { get; }

    /// <summary>The one log there should be.</summary>
    public ScriptedBoard Log { get; }

    public SignedParty Operator { get; }

    /// <summary>Where each host is, in their order.</summary>
    public List<string> Jurisdictions { get; } = [];

    public List<ECDsa> HostKeys { get; } = [];

    /// <summary>The newest terms by path.</summary>
    public SortedDictionary<string, DomainTerms> Domains { get; } = new(StringComparer.Ordinal);

    /// <summary>The newest terms by path.</summary>
    public SortedDictionary<string, MachineTerms> Machines { get; } = new(StringComparer.Ordinal);

    /// <summary>Everything that was honestly signed, by subject and revision.</summary>
    public Dictionary<(string Subject, long Revision), SignedTerms> Signed { get; } = [];

    /// <summary>The newest revision honestly signed of each subject.</summary>
    public Dictionary<string, long> Newest { get; } = new(StringComparer.Ordinal);

    /// <summary>Honest envelopes, oldest first.</summary>
    public List<byte[]> Envelopes { get; } = [];

    public SignedParty Tenant(string name) => _tenants[name];

    public HostRef Host(int index) => new(Operator.Id, SignedParty.NameOf($"host-{index + 1}"));

    public string Reference(string path) =>
        path.Split('/') is [var tenant, var name] ? $"{_tenants[tenant].Id}/{name}" : throw new FormatException(path);

    public void Sign(DomainTerms terms)
    {
        Domains[terms.Path] = terms;
        Publish(_tenants[terms.Tenant].Sign(StatementKind.Domain, terms.Name, Body(terms)), terms);
    }

    public void Sign(MachineTerms terms)
    {
        bool first = !Machines.ContainsKey(terms.Path);
        Machines[terms.Path] = terms;
        if (first)
        {
            Publish(_tenants[terms.Tenant].Sign(StatementKind.Volume, $"{terms.Name}-data", new JsonObject
            {
                ["domain"] = terms.Domain, ["sizeMiB"] = 16, ["wipe"] = "crypto-erase",
            }));
        }

        Publish(_tenants[terms.Tenant].Sign(StatementKind.Compartment, terms.Name, Body(terms)), null, terms);
    }

    /// <summary>A statement about a tenant's domain that the tenant never made, in the log all the same.</summary>
    public void Forge(DomainTerms terms, IReadOnlyList<ISigner> signers) =>
        Log.Append(_tenants[terms.Tenant].SignAside(StatementKind.Domain, terms.Name, Body(terms), signers));

    public ECDsa StrangersKey() => _keys.Next();

    public void Dispose()
    {
        LogKey.Dispose();
        Operator.Dispose();
        HostKeys.ForEach(k => k.Dispose());
        foreach (SignedParty tenant in _tenants.Values)
        {
            tenant.Dispose();
        }
    }

    private void AddHost(string jurisdiction)
    {
        ECDsa key = _keys.Next();
        HostKeys.Add(key);
        Jurisdictions.Add(jurisdiction);
        Publish(Operator.Sign(StatementKind.Host, $"host-{HostKeys.Count}", new JsonObject
        {
            ["identityKey"] = SignedParty.Base64(key),
            ["jurisdiction"] = jurisdiction,
            ["assurance"] = "software",
            ["underlay"] = new JsonObject { ["ipv4"] = $"10.99.0.{10 + HostKeys.Count}" },
            ["capacity"] = new JsonObject { ["cpus"] = 32, ["memoryMiB"] = 8192 },
        }));
    }

    private void Publish(byte[] envelope, DomainTerms? domain = null, MachineTerms? machine = null)
    {
        Log.Append(envelope);
        Envelopes.Add(envelope);
        if (Envelope.Read(envelope) is not EnvelopeReading.Read { Envelope: var read }
            || StatementPayload.Read(read.Payload) is not PayloadReading.Read { Payload: var payload })
        {
            throw new InvalidOperationException("An honest party signed what cannot be read.");
        }

        string digest = Digest32.Of(read.Payload).Hex;
        // A first root names no owner: its digest becomes the id.
        string owner = (payload.Owner ?? PartyId.OfFirstRoot(read.Payload)).ToString();
        string subject = $"{payload.Kind} {owner}/{payload.Name}";
        Signed[(subject, payload.Revision)] = new SignedTerms(digest, domain, machine);
        Newest[subject] = payload.Revision;
    }

    private JsonObject Body(DomainTerms terms) => new()
    {
        ["legalOwner"] = new JsonObject { ["name"] = "A tenant", ["jurisdiction"] = "CH" },
        ["expires"] = terms.Expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        ["hosts"] = new JsonObject
        {
            ["operators"] = new JsonArray(Operator.Id.ToString()),
            ["assurance"] = new JsonArray("software"),
            ["jurisdictions"] = new JsonArray([.. terms.Jurisdictions.Select(j => (JsonNode)j)]),
        },
        ["machines"] = new JsonObject { ["images"] = new JsonArray("guest") },
        ["network"] = new JsonObject { ["subnets"] = new JsonArray(terms.Subnet), ["confidentiality"] = "none" },
        ["storage"] = new JsonObject { ["confidentiality"] = terms.Encrypted ? "required" : "none" },
        ["quota"] = new JsonObject
        {
            ["machines"] = 32, ["cpus"] = 32, ["memoryMiB"] = 8192, ["storageMiB"] = 4096,
        },
        ["flows"] = new JsonObject
        {
            ["grants"] = Flows("to", terms.Grants), ["accepts"] = Flows("from", terms.Accepts),
        },
    };

    private JsonArray Flows(string side, IEnumerable<FlowTerm> terms) => new([.. terms.Select(t => new JsonObject
    {
        [side] = Reference(t.Peer),
        ["network"] = new JsonObject { ["protocol"] = "tcp", ["ports"] = new JsonArray(t.Port) },
    })]);

    private static JsonObject Body(MachineTerms terms) => new()
    {
        ["cpus"] = 1,
        ["memoryMiB"] = 112,
        ["boot"] = new JsonObject { ["image"] = "guest" },
        ["disks"] = new JsonArray(new JsonObject { ["volume"] = $"{terms.Name}-data", ["access"] = "write" }),
        ["nics"] = new JsonArray(new JsonObject { ["domain"] = terms.Domain, ["ipv4"] = terms.Address }),
        ["devices"] = new JsonArray("console", "probe"),
    };
}
