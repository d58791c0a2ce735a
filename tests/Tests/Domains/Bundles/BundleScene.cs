using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Domains.Bundles;

/// <summary>A host with a TPM, enrolled with acme, and a bundle of its evidence that all is right with.</summary>
internal sealed class BundleScene : IDisposable
{
    internal const string Origin = "log.example/bundles";
    private static readonly VerifierKeyCache Keys = new(16);
    private readonly ECDsa _log = SignedParty.Key();
    private readonly Digest32[] _leaves = [.. Enumerable.Range(0, 9).Select(i => Digest32.Of([(byte)i]))];

    internal BundleScene()
    {
        Root = Tenant.SignRoot(RootBody());
        Directory = Operator.SignRoot(new JsonObject
        {
            ["tenants"] = new JsonArray(Tenant.Id.ToString()),
            ["log"] = new JsonObject { ["origin"] = Origin, ["key"] = SignedParty.Base64(_log) },
        });
        HostStatement = Operator.Sign(StatementKind.Host, "host-1", HostBody(Tpm));
        Policy = Tenant.Sign(StatementKind.Domain, "web", DomainBody("{\"kind\":\"crypto-agile\"}"));
        Pins = new BundlePins
        {
            Domain = new DomainRef(Tenant.Id, SignedParty.NameOf("web")),
            Host = new HostRef(Operator.Id, SignedParty.NameOf("host-1")),
            Now = new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero),
            Nonce = Nonce,
        };
    }

    internal SignedParty Tenant { get; } = new(StatementKind.Tenant, "acme", 3, 2);

    internal SignedParty Operator { get; } = new(StatementKind.Datacentre, "alpine", 1, 1);

    internal SoftwareTpm Tpm { get; } = new();

    internal EcdsaSigner Host { get; } = Signatory.NewKey();

    internal EcdsaSigner Service { get; } = Signatory.NewKey();

    internal byte[] Nonce { get; } = RandomNumberGenerator.GetBytes(32);

    internal byte[] Root { get; }

    internal byte[] Directory { get; }

    internal byte[] HostStatement { get; }

    internal byte[] Policy { get; }

    internal BundlePins Pins { get; }

    internal string HostName => $"{Operator.Id}/host-1";

    public void Dispose()
    {
        _log.Dispose();
        Tenant.Dispose();
        Operator.Dispose();
    }

    internal JsonObject RootBody() => new()
    {
        ["legalName"] = "A tenant",
        ["keyService"] = new JsonObject { ["key"] = Service.PublicKey.Base64, ["address"] = "10.99.0.3:7600" },
    };

    internal JsonObject HostBody(SoftwareTpm tpm) => new()
    {
        ["identityKey"] = Host.PublicKey.Base64,
        ["jurisdiction"] = "CH",
        ["assurance"] = "tpm",
        ["underlay"] = new JsonObject { ["ipv4"] = "10.99.0.11" },
        ["capacity"] = new JsonObject { ["cpus"] = 8, ["memoryMiB"] = 2048 },
        ["tpm"] = new JsonObject { ["ek"] = tpm.EndorsementId.Hex },
    };

    internal JsonObject DomainBody(params string[] demands) => new()
    {
        ["legalOwner"] = new JsonObject { ["name"] = "A tenant", ["jurisdiction"] = "CH" },
        ["expires"] = "2036-01-01T00:00:00Z",
        ["hosts"] = new JsonObject
        {
            ["operators"] = new JsonArray(Operator.Id.ToString()),
            ["assurance"] = new JsonArray("software-tpm"),
            ["jurisdictions"] = new JsonArray("CH"),
            ["evidence"] = new JsonArray([.. demands.Select(one => JsonNode.Parse(one))]),
        },
        ["machines"] = new JsonObject { ["images"] = new JsonArray("guest") },
        ["network"] = new JsonObject { ["subnets"] = new JsonArray("10.1.0.0/24"), ["confidentiality"] = "none" },
        ["storage"] = new JsonObject { ["confidentiality"] = "none" },
        ["quota"] = new JsonObject { ["machines"] = 8, ["cpus"] = 8, ["memoryMiB"] = 2048, ["storageMiB"] = 1024 },
    };

    internal EvidenceClaims Claims(int checkpoint = 5) => new()
    {
        Host = HostName,
        Checkpoint = new EvidenceCheckpoint(Origin, checkpoint, RootAt(checkpoint)),
        Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000"),
        ChannelKey = Host.PublicKey,
        IntegrityLog = QuotedEvidence.Log.Head,
        Nonce = Nonce,
    };

    internal byte[] Evidence(EvidenceClaims? claims = null) =>
        EvidenceDocument.Write((claims ?? Claims()).With(Tpm), Host);

    internal byte[] Enrolment(EcdsaSigner? service = null) =>
        EnrolmentDocument.Write(Tpm.Enrol(Tenant.Id, HostName), service ?? Service);

    internal EvidenceBundle Bundle() => new()
    {
        Evidence = Evidence(),
        Enrolments = [Enrolment()],
        Logs = QuotedEvidence.Logs with { IntegrityLog = QuotedEvidence.Log.Tail(Tenant.Id).Write() },
        Statements = [Root, Directory, HostStatement, Policy],
        Proofs = [],
    };

    /// <summary>The log's signed checkpoint at a size.</summary>
    internal byte[] Note(int size, ECDsa? key = null)
    {
        EcdsaSigner signer = new(key ?? _log);
        return new Checkpoint(Origin, size, RootAt(size)).Sign(NoteKey.Of(Origin, signer.PublicKey), signer);
    }

    internal Digest32 RootAt(int size) => Nodes(size).Root;

    internal ConsistencyProof Proof(int first, int second) => ConsistencyProof.Make(first, second, Nodes(second));

    internal static BundleVerdict Judge(EvidenceBundle bundle, BundlePins pins)
    {
        // Through the bytes, so that what is judged is what a file can hold.
        return BundleJudge.Judge(bundle.Write(), pins, Keys);
    }

    private NodeTable Nodes(int size)
    {
        NodeTable nodes = new();
        foreach (Digest32 leaf in _leaves[..size])
        {
            nodes.Append(MerkleTree.LeafHash(leaf.Bytes));
        }

        return nodes;
    }
}
