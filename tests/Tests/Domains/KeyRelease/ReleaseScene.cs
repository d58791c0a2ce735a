using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>The bank's web-1 on host-1 asks for its volume's key, and all is right until changed.</summary>
internal sealed record ReleaseScene
{
    public static readonly EcdsaSigner Host1 = Signatory.NewKey();
    public static readonly EcdsaSigner Host2 = Signatory.NewKey();
    public static readonly EcdsaSigner Stranger = Signatory.NewKey();
    public static readonly VerifierKeyCache Keys = new(16);
    public static readonly PartyId Bank = PartyId.Unsigned("bank");
    public static readonly PartyId Hospital = PartyId.Unsigned("hospital");
    public static readonly EvidenceCheckpoint Newest = new("log.example", 7, Digest32.Of("root"u8));

    public static Example Policies { get; } = Example.ThreeTenants
        .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\nidentityKey: {Host1.PublicKey.Base64}\n")
        .With("alpine/hosts.yaml", "name: host-2\n", $"name: host-2\nidentityKey: {Host2.PublicKey.Base64}\n");

    public Example Example { get; init; } = Policies;

    public DateTimeOffset Now { get; init; } = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    public PartyId Served { get; init; } = Bank;

    public KeyId Caller { get; init; } = Host1.Id;

    public NonceStanding Standing { get; init; } = NonceStanding.Good;

    public KeyHolders Holders { get; init; } = KeyHolders.Nobody;

    public PartyId Tenant { get; init; } = Bank;

    public string Volume { get; init; } = $"{Bank}/web-1-data";

    public string State { get; init; } = "";

    public DomainRef? Colour { get; init; }

    public long? Destroyed { get; init; }

    public DateTimeOffset? Withdrawn { get; init; }

    public long? DomainDestroyed { get; init; }

    public TpmStateMark Mark { get; init; } = new TpmStateMark.New();

    public VolumeHeaderMark Header { get; init; } = new VolumeHeaderMark.New();

    public string Copy { get; init; } = "";

    public KeyHolders CopyHolders { get; init; } = KeyHolders.Nobody;

    public VolumeHeaderMark CopyHeader { get; init; } = new VolumeHeaderMark.New();

    public VolumeMark Kept { get; init; } = VolumeMark.New;

    public string Compartment { get; init; } = $"{Bank}/web-1";

    public string Host { get; init; } = HostName(1);

    public EcdsaSigner RequestSigner { get; init; } = Host1;

    public byte[] Nonce { get; init; } = RandomNumberGenerator.GetBytes(32);

    public PublicKey Session { get; init; } = Signatory.NewKey().PublicKey;

    public Func<EvidenceClaims, EvidenceClaims> Evidence { get; init; } = claims => claims;

    public EcdsaSigner EvidenceSigner { get; init; } = Host1;

    public TpmPublic? EndorsementKey { get; init; }

    public EnrolledKey? Enrolment { get; init; }

    public EvidenceLogs Logs { get; init; } = EvidenceLogs.None;

    public CheckedDatacentre Datacentre => Example.Check().Datacentre;

    public static string HostName(int number) => $"{PartyId.Unsigned("alpine")}/host-{number}";

    /// <summary>A machine of the bank on a host has the key.</summary>
    public static KeyHolders HeldBy(
        int host, KeyNonce nonce, string machine = "web-1", VolumeAccess? access = VolumeAccess.Write) => KeyHolders.Of(
            new KeyHolder(HostOf(host), new CompartmentRef(Bank, StatementName.Parse(machine)), access, nonce));

    public static HostRef HostOf(int number) => new(PartyId.Unsigned("alpine"), StatementName.Parse($"host-{number}"));

    public EvidenceClaims Claims() => Evidence(new EvidenceClaims
    {
        Host = Host,
        Checkpoint = Newest,
        Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000"),
        ChannelKey = RequestSigner.PublicKey,
        IntegrityLog = QuotedEvidence.Log.Head,
        Nonce = Nonce,
    });

    public byte[] Request() => SignedDocument.Sign(
        KeyDocuments.Request,
        new JsonObject
        {
            ["tenant"] = Tenant.ToString(),
            ["key"] = Volume,
            ["state"] = State,
            ["copy"] = Copy,
            ["compartment"] = Compartment,
            ["host"] = Host,
            ["nonce"] = Convert.ToBase64String(Nonce),
            ["sessionKey"] = Session.Base64,
            ["endorsementKey"] = Convert.ToBase64String(EndorsementKey?.Write() ?? []),
            ["evidence"] = JsonNode.Parse(Encoding.UTF8.GetString(EvidenceDocument.Write(Claims(), EvidenceSigner))),
        },
        RequestSigner);

    public HostDoubt Doubt { get; init; } = (_, _) => null;

    public KeyCustody Custody() => new(Served, Caller, Standing, Holders, Doubt)
    {
        Mark = Mark,
        CopyHolders = CopyHolders,
        CopyHeader = CopyHeader,
        Kept = Kept with { Header = Header },
        Colour = Colour,
        Destroyed = Destroyed,
        Withdrawn = Withdrawn,
        DomainDestroyed = domain => domain.Name.Text == "web" ? DomainDestroyed : null,
    };

    /// <summary>Judges as a key service does; what it says of the wish alone must agree.</summary>
    public KeyVerdict Judge()
    {
        CheckedDatacentre datacentre = Datacentre;
        ReleaseRequest request = Read();
        switch (Verify(datacentre, request))
        {
            case null:
                return ReleaseControl.Explain([], datacentre, request, Custody(), Now);
            case EvidenceVerdict.Verified { Evidence: var evidence }:
                KeyVerdict verdict = ReleaseControl.Decide(evidence, datacentre, request, Custody(), Now);
                AssertAgrees(verdict, request, ReleaseControl.Consider(
                    request.Wish, datacentre, Custody(), evidence, Now));
                return verdict;
            case EvidenceVerdict.Refused refused:
                return ReleaseControl.Explain(refused.Refusals, datacentre, request, Custody(), Now);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>Whether the key would go there now, by the evidence of the scene.</summary>
    /// <param name="known">Whether the key service has any evidence of the host.</param>
    public WishVerdict Consider(bool known = true)
    {
        CheckedDatacentre datacentre = Datacentre;
        ReleaseRequest request = Read();
        return ReleaseControl.Consider(
            request.Wish, datacentre, Custody(),
            known ? (Verify(datacentre, request) as EvidenceVerdict.Verified)?.Evidence : null, Now);
    }

    private ReleaseRequest Read() => ReleaseRequest.Read(Request(), out string fault)
        ?? throw new InvalidOperationException(fault);

    private EvidenceVerdict? Verify(CheckedDatacentre datacentre, ReleaseRequest request) =>
        ReleaseControl.IdentityKeyOf(datacentre, request.Host) is not { } identity
            ? null
            : EvidenceVerifier.Verify(
                request.Evidence.Span,
                new EvidenceExpectation
                {
                    Host = request.Host.ToString(),
                    IdentityKey = identity,
                    EndorsementKey = ReleaseControl.EndorsementKeyOf(datacentre, request.Host),
                    Enrolment = Enrolment,
                    ChannelKey = Caller,
                    Checkpoint = new CheckpointRule("log.example", 5, Stand),
                    IntegrityLog = null,
                    Nonce = request.Nonce.Bytes,
                },
                Logs, Keys);

    /// <summary>
    /// There is no second opinion: the wish meets every reason that the request met, but for those of the request
    /// itself, of what it shows, and of evidence for a domain that lends no trust.
    /// </summary>
    private static void AssertAgrees(KeyVerdict verdict, ReleaseRequest request, WishVerdict wish)
    {
        KeyRefusal[] against = [.. (verdict as KeyVerdict.Refused)?.Refusals ?? []];
        if (against.Any(one => OfWhatIsShown.Contains(one.Code) || one.Code == KeyRefusalCode.NoLease))
        {
            return;
        }

        Assert.Equal(
            against.Where(one => !OfTheRequest.Contains(one.Code)),
            (wish as WishVerdict.Refused)?.Refusals ?? []);
        if (verdict is KeyVerdict.Release release)
        {
            var allowed = Assert.IsType<WishVerdict.Allowed>(wish);
            Assert.Equal(release.Access, allowed.Access);
            Assert.Equal(release.Because, allowed.Because);
            Assert.True(allowed.Shown is null || allowed.Shown == request.State);
        }
    }

    private static readonly KeyRefusalCode[] OfTheRequest =
    [
        KeyRefusalCode.RequestSignature, KeyRefusalCode.CallerNotHost, KeyRefusalCode.NonceUnknown,
        KeyRefusalCode.NonceUsed, KeyRefusalCode.NonceExpired, KeyRefusalCode.NonceOfAnotherCaller,
        KeyRefusalCode.EndorsementKeyNotShown,
    ];

    private static readonly KeyRefusalCode[] OfWhatIsShown =
    [
        KeyRefusalCode.HeaderUnknown, KeyRefusalCode.HeaderDiffers, KeyRefusalCode.HeaderMissing,
        KeyRefusalCode.ContentUnfinished, KeyRefusalCode.TpmStateUnknown, KeyRefusalCode.TpmStateRolledBack,
    ];

    private static CheckpointStanding Stand(EvidenceCheckpoint checkpoint) =>
        checkpoint.Size > Newest.Size ? CheckpointStanding.Ahead
        : checkpoint.Root == Newest.Root ? CheckpointStanding.Consistent
        : CheckpointStanding.Inconsistent;
}
