using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Nonces;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>The desk as hosts meet it: nonce, release, return, and every refusal with nothing handed out.</summary>
public sealed class ReleaseDeskTests : IDisposable
{
    private static readonly EcdsaSigner Host1 = ReleaseScene.Host1;
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private readonly string _path = Directory.CreateTempSubdirectory("bw-desk-").FullName;
    private readonly SecretBytes _kek = SecretBytes.Random(32);
    private readonly PrivateDirectory _directory;
    private readonly KeyVault _vault;
    private readonly EnrolmentBook _enrolments;
    private readonly ReleaseDesk _desk;

    public ReleaseDeskTests()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _vault = KeyVault.Open(_directory, new KeyWrap(_kek, ReleaseScene.Bank.ToString()));
        _enrolments = EnrolmentBook.Open(_directory, ReleaseScene.Bank, Service.PublicKey, Service);
        PolicySnapshot snapshot = new(
            new ReleaseScene().Datacentre, null, PrincipalRegister.Empty,
            new VerifiedPoint("log.example", ReleaseScene.Newest.Size, ReleaseScene.Newest.Root), []);
        _desk = new ReleaseDesk(
            _vault, _enrolments, new NonceBook(TimeProvider.System), new CheckpointHistory(new NoBoard()),
            () => snapshot, new Bailiwick.Tests.Channel.StoppedClock { Now = new ReleaseScene().Now })
        {
            Tenant = ReleaseScene.Bank,
            BestAssurance = "tpm",
        };
    }

    public void Dispose()
    {
        _desk.Dispose();
        _enrolments.Dispose();
        _vault.Dispose();
        _directory.Dispose();
        _kek.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public async Task Releases_a_key_that_only_the_asking_session_opens()
    {
        using SessionKey session = SessionKey.Create();
        SealedKeyBody body = await Released(Scene(session));
        using SecretBytes? key = session.Open(Sealed(body));
        using SessionKey other = SessionKey.Create();
        Assert.NotNull(key);
        Assert.Null(other.Open(Sealed(body)));
        using SessionKey second = SessionKey.Create();
        using SecretBytes? again = second.Open(Sealed(await Released(Scene(second))));
        Assert.True(again?.HasSameBytesAs(key));
    }

    [Fact]
    public async Task Refuses_a_nonce_the_second_time()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session);
        await Released(scene);
        Assert.Equal(["nonce-used"], await RefusedCodes(scene));
    }

    [Fact]
    public async Task Refuses_a_nonce_it_never_gave()
    {
        using SessionKey session = SessionKey.Create();
        Assert.Equal(["nonce-unknown"], await RefusedCodes(Scene(session) with { Nonce = new byte[32] }));
        Assert.Empty(_vault.Volumes());
    }

    [Fact]
    public async Task Refuses_a_host_that_brings_anothers_request()
    {
        using SessionKey session = SessionKey.Create();
        string[] codes = await RefusedCodes(Scene(session), ReleaseScene.Host2);
        Assert.Contains("caller-not-host", codes);
        Assert.Contains("nonce-of-another-caller", codes);
        Assert.Empty(_vault.Volumes());
    }

    [Fact]
    public async Task A_second_host_gets_the_key_only_after_the_return()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene first = Scene(session);
        await Released(first);
        ReleaseScene second = Scene(session, ReleaseScene.Host2) with
        {
            Host = ReleaseScene.HostName(2),
            Caller = ReleaseScene.Host2.Id,
            RequestSigner = ReleaseScene.Host2,
            EvidenceSigner = ReleaseScene.Host2,
        };
        Assert.Equal(["host-not-chosen", "held-by-another-host"], await RefusedCodes(second, ReleaseScene.Host2));
        byte[] document = HolderDocument.WriteReturn(
            new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")), ReleaseScene.HostOf(1),
            KeyNonce.Of(first.Nonce) ?? throw new InvalidOperationException(), Host1);
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(_desk.Return(Call(Host1), new ReturnBody(Json(document))));
        Assert.IsType<RouteAnswer<Nothing>.Refused>(_desk.Return(Call(Host1), new ReturnBody(Json(document))));
        Assert.Null(_vault.HolderOf(first.Volume));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("1.5")]
    [InlineData("""{"payload":"","payloadType":"x","signatures":[]}""")]
    public async Task Refuses_what_is_no_request(string json)
    {
        var answer = await _desk.Release(Call(Host1), new ReleaseBody(Json(Encoding.UTF8.GetBytes(json)), "", ""));
        Assert.Equal(400, Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(answer).Problem.Status);
    }

    [Fact]
    public async Task No_answer_and_no_refusal_holds_a_key()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session);
        SealedKeyBody body = await Released(scene);
        using SecretBytes? key = session.Open(Sealed(body));
        Assert.NotNull(key);
        byte[] secret = Bytes(key);
        var refused = await _desk.Release(Call(Host1), new ReleaseBody(Json(scene.Request()), "", ""));
        string told = JsonSerializer.Serialize(body)
            + JsonSerializer.Serialize(Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(refused).Problem)
            + JsonSerializer.Serialize(_desk.Status());
        foreach (string form in new[]
            { Convert.ToHexString(secret), Convert.ToHexStringLower(secret), Convert.ToBase64String(secret)[..40] })
        {
            Assert.DoesNotContain(form, told, StringComparison.Ordinal);
        }

        _desk.Dispose();
        _enrolments.Dispose();
        _vault.Dispose();
        Assert.All(
            Directory.EnumerateFiles(_path),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(secret)));
    }

    [Fact]
    public void Nobody_but_hosts_and_the_tenant_has_a_route()
    {
        ImmutableArray<PrincipalKind> served = [.. KeyRoutes.Table.Rows.SelectMany(row => row.Callers).Distinct()];
        Assert.Equal([PrincipalKind.Host, PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor], served);
        Assert.Equal(
            [PrincipalKind.Host], KeyRoutes.Table.Rows.Single(row => row.Template == "/v1/releases").Callers);
    }

    private ReleaseScene Scene(SessionKey session, EcdsaSigner? caller = null)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(_desk.GiveNonce(Call(caller ?? Host1)));
        Assert.Equal(ReleaseScene.Newest.Size, given.Value.Size);
        return new ReleaseScene { Nonce = Convert.FromBase64String(given.Value.Nonce), Session = session.PublicKey };
    }

    private async Task<SealedKeyBody> Released(ReleaseScene scene)
    {
        var answer = await _desk.Release(Call(Host1), new ReleaseBody(Json(scene.Request()), "", ""));
        return Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(answer).Value;
    }

    private async Task<string[]> RefusedCodes(ReleaseScene scene, EcdsaSigner? caller = null)
    {
        var answer = await _desk.Release(Call(caller ?? Host1), new ReleaseBody(Json(scene.Request()), "", ""));
        var problem = Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(answer).Problem;
        Assert.Equal(403, problem.Status);
        return [.. problem.Refusals.Select(refusal => refusal.Code)];
    }

    private static byte[] Bytes(SecretBytes key)
    {
        using SecretLoan loan = key.Borrow();
        return loan.Bytes.ToArray();
    }

    private static SealedKey Sealed(SealedKeyBody body) => new(
        Convert.FromBase64String(body.Ephemeral), Convert.FromBase64String(body.Ciphertext),
        Encoding.UTF8.GetBytes(body.Context));

    private static JsonElement Json(byte[] utf8) => JsonElement.Parse(utf8);

    private static RouteCall Call(EcdsaSigner host) => new(
        Principal.Of(
            PrincipalKind.Host, host.Id, PartyId.Unsigned("alpine"),
            StatementName.Parse(host == Host1 ? "host-1" : "host-2")),
        new RouteValues(new Dictionary<string, string>()), new Dictionary<string, long>(), () => true,
        TestContext.Current.CancellationToken);

    /// <summary>A board that answers nothing.</summary>
    private sealed class NoBoard : IBoard
    {
        private static BoardException Away => new("the board is away");

        public Task<PostOutcome> Publish(IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel) =>
            throw Away;

        public Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel) => throw Away;

        public IAsyncEnumerable<WatchEvent> Watch(long from, CancellationToken cancel) => throw Away;

        public Task<string> Checkpoint(CancellationToken cancel) => throw Away;

        public Task<ProofHashes> Inclusion(long index, long size, CancellationToken cancel) => throw Away;

        public Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel) => throw Away;

        public Task<ImmutableArray<PlacementRow>> Placements(CancellationToken cancel) => throw Away;

        public Task SetPower(string compartment, bool running, CancellationToken cancel) => throw Away;

        public Task SetDrain(string host, bool draining, CancellationToken cancel) => throw Away;

        public Task Report(string host, HostReport report, CancellationToken cancel) => throw Away;

        public Task<BoardStatus> Status(CancellationToken cancel) => throw Away;
    }
}
