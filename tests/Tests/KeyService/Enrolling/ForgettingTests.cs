using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Enrolling;

/// <summary>A host's first TPM is forgotten by enough root keys of the tenant, and by nobody and nothing else.
/// </summary>
public sealed class ForgettingTests : IDisposable
{
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly HostRef Host = ReleaseScene.HostOf(1);
    private readonly string _path = Directory.CreateTempSubdirectory("bw-forget-").FullName;
    private readonly SoftwareTpm _first = new();
    private readonly SoftwareTpm _second = new();
    private readonly List<HostRef> _told = [];
    private readonly PrivateDirectory _directory;
    private EnrolmentBook _book;
    private EnrolmentDesk _desk;
    private PolicySnapshot? _policy;

    public ForgettingTests()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        (_book, _desk) = Open();
        State(_first);
        Assert.NotNull(_book.Keep(_first.Enrol(ReleaseScene.Bank, Host.ToString())));
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "one root key", "too-few-approvals" }, { "one root key twice", "document-signature" },
        { "a stranger among them", "document-signature" }, { "strangers", "document-signature" },
        { "nobody", "document-signature" }, { "another tenant", "tenant-not-served" },
        { "another TPM", "not-enrolled-so" }, { "another time", "not-enrolled-so" },
        { "another host", "not-enrolled-so" },
    };

    internal static RootKeys RootKeys =>
        Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next
            .RootInForce(Root.Id)?.Keys ?? throw new InvalidOperationException();

    public void Dispose()
    {
        _desk.Dispose();
        _book.Dispose();
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    /// <summary>The decision of enough root keys that a host's TPM be forgotten.</summary>
    internal static ForgetVerdict.Approved Approved(HostRef host, BoundTpm? bound) =>
        Assert.IsType<ForgetVerdict.Approved>(ForgetControl.Decide(
            ForgetRequest.Read(
                ForgetRequest.Write(ReleaseScene.Bank, host, Assert.IsType<BoundTpm>(bound), [.. Root.Keys]), out _)
                ?? throw new InvalidOperationException(),
            ReleaseScene.Bank, RootKeys, bound));

    [Fact]
    public void A_forgotten_TPM_makes_room_for_the_one_that_the_operator_states_now()
    {
        State(_second);
        Assert.Equal("host-taken", Refusal(Enrol(_second)).Code);
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Forget(Document()));
        Assert.Null(_book.Find(Host.ToString()));
        Assert.Equal([Host], _told);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Enrol(_second));
        Restart();
        Assert.Equal(_second.EndorsementId, _book.Find(Host.ToString())?.EndorsementKey);
        State(_first);
        Assert.Equal("host-taken", Refusal(Enrol(_first)).Code);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Refuses_what_not_enough_root_keys_approved_for_this_TPM(string wrong, string code)
    {
        EcdsaSigner stranger = Signatory.NewKey();
        byte[] document = wrong switch
        {
            "one root key" => Document(keys: [Root.Keys[0]]),
            "one root key twice" => Document(keys: [Root.Keys[0], Root.Keys[0]]),
            "a stranger among them" => Document(keys: [Root.Keys[0], Root.Keys[1], stranger]),
            "strangers" => Document(keys: [stranger, Signatory.NewKey()]),
            "nobody" => Document(keys: []),
            "another tenant" => Document(tenant: PartyId.Unsigned("hospital")),
            "another TPM" => Document(bound: new BoundTpm(_second.EndorsementId, 0)),
            "another time" => Document(bound: new BoundTpm(_first.EndorsementId, 1)),
            "another host" => Document(host: ReleaseScene.HostOf(2)),
            _ => throw new ArgumentOutOfRangeException(nameof(wrong)),
        };
        RouteProblem problem = Refusal(Forget(document));
        Assert.Equal([code], problem.Refusals.Select(one => one.Code));
        Assert.Equal(_first.EndorsementId, _book.Find(Host.ToString())?.EndorsementKey);
        Assert.Empty(_told);

        // The control: nothing else was in its way.
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Forget(Document(keys: [Root.Keys[1], Root.Keys[2]])));
    }

    [Fact]
    public void An_approval_is_good_once_and_outlives_new_enrolments_of_its_TPM()
    {
        byte[] approval = Document();
        Assert.NotNull(_book.Keep(_first.Enrol(ReleaseScene.Bank, Host.ToString())));
        Restart();
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Forget(approval));
        Assert.Equal("not-enrolled-so", Refusal(Forget(approval)).Code);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Enrol(_first));
        Assert.Equal("not-enrolled-so", Refusal(Forget(approval)).Code);
        Assert.NotNull(_book.Find(Host.ToString()));
    }

    [Fact]
    public void What_is_forgotten_stays_so_over_a_restart_and_a_decision_of_before_changes_nothing()
    {
        ForgetVerdict.Approved before = Approved(Host, _book.BoundOf(Host.ToString()));
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Forget(Document()));
        Assert.Null(_book.Forget(before));
        Restart();
        Assert.Null(_book.Find(Host.ToString()));
        Assert.Null(_book.Forget(before));
        EcdsaSigner stranger = Signatory.NewKey();
        _book.Dispose();
        Assert.Throws<CustodyException>(() => EnrolmentBook.Open(
            _directory, ReleaseScene.Bank, stranger.PublicKey, stranger).Dispose());
        (_book, _desk) = Open();
    }

    [Fact]
    public void A_challenge_that_is_open_is_forgotten_too()
    {
        var challenge = Assert.IsType<RouteAnswer<EnrolmentChallengeBody>.Ok>(Begin(_first)).Value;
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Forget(Document()));
        Assert.Equal("no-such-challenge", Refusal(Answer(_first, challenge)).Code);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Enrol(_first));
    }

    [Fact]
    public void Only_an_administrator_of_the_tenant_may_bring_an_approval_and_only_in_its_form()
    {
        RouteRow row = KeyRoutes.Table.Rows.Single(one => one.Template == "/v1/enrolments/forgotten");
        Assert.Equal([PrincipalKind.TenantAdmin], row.Callers);
        Assert.IsType<RecordDuty.Writes>(row.Records);
        Assert.Equal("bad-document", Refusal(Forget("{}"u8.ToArray())).Code);
        _policy = _policy is { } known ? known with { TenantRoot = null } : null;
        Assert.Equal("not-ready", Refusal(Forget(Document())).Code);
    }

    private (EnrolmentBook Book, EnrolmentDesk Desk) Open()
    {
        EnrolmentBook book = EnrolmentBook.Open(_directory, ReleaseScene.Bank, Service.PublicKey, Service);
        return (book, new EnrolmentDesk(ReleaseScene.Bank, book, null, () => _policy, TimeProvider.System)
        {
            Forgotten = _told.Add,
        });
    }

    private void Restart()
    {
        _desk.Dispose();
        _book.Dispose();
        (_book, _desk) = Open();
    }

    private void State(SoftwareTpm tpm) => _policy = new PolicySnapshot(
        ReleaseScene.Policies.With(
            "alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {tpm.EndorsementId.Hex}}}\n")
            .Check().Datacentre,
        RootKeys, PrincipalRegister.Empty,
        new VerifiedPoint("log.example", ReleaseScene.Newest.Size, ReleaseScene.Newest.Root), []);

    private byte[] Document(
        IReadOnlyList<EcdsaSigner>? keys = null, PartyId? tenant = null, HostRef? host = null,
        BoundTpm? bound = null) =>
        ForgetRequest.Write(
            tenant ?? ReleaseScene.Bank, host ?? Host, bound ?? new BoundTpm(_first.EndorsementId, 0),
            keys ?? [Root.Keys[0], Root.Keys[1]]);

    private RouteAnswer<Nothing> Forget(byte[] document) =>
        _desk.Forget(DeskBench.Call(ReleaseScene.Stranger), new ForgetBody(JsonElement.Parse(document)));

    private RouteAnswer<EnrolmentChallengeBody> Begin(SoftwareTpm tpm) => _desk.Begin(
        DeskBench.Call(ReleaseScene.Host1), new EnrolmentClaimBody(
            "", Convert.ToBase64String(tpm.EndorsementKey.Write()), Convert.ToBase64String(tpm.Quoting.Area.Write())));

    private RouteAnswer<EnrolledBody> Enrol(SoftwareTpm tpm) =>
        Answer(tpm, Assert.IsType<RouteAnswer<EnrolmentChallengeBody>.Ok>(Begin(tpm)).Value);

    private RouteAnswer<EnrolledBody> Answer(SoftwareTpm tpm, EnrolmentChallengeBody challenge) => _desk.Complete(
        DeskBench.Call(ReleaseScene.Host1), new EnrolmentAnswerBody(Convert.ToBase64String(tpm.Activate(
            Convert.FromBase64String(challenge.Blob), Convert.FromBase64String(challenge.Secret)) ?? [])));

    private static RouteProblem Refusal<T>(RouteAnswer<T> answer) =>
        Assert.IsType<RouteAnswer<T>.Refused>(answer).Problem;
}
