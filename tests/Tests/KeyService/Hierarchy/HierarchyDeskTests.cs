using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Hierarchy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Hierarchy;

/// <summary>The owner looks at the keys, rotates and destroys them; nobody else does, and nothing comes back.</summary>
public sealed class HierarchyDeskTests : IDisposable
{
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly Example Policies = ReleaseScene.Policies
        .With("bank/web.yaml", "approvals: {takeover: 1}", "approvals: {takeover: 1, destroy: 2}");

    private readonly DeskBench _bench = new();
    private readonly string _volume = $"{ReleaseScene.Bank}/web-1-data";

    public HierarchyDeskTests()
    {
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next;
        _bench.Snapshot = _bench.Snapshot with
        {
            Datacentre = new ReleaseScene { Example = Policies }.Datacentre,
            TenantRoot = book.RootInForce(Root.Id)?.Keys,
        };
        _bench.Lend(1);
    }

    private HierarchyDesk Desk => _bench.Keys;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Shows_the_tree_and_the_journal()
    {
        await Released();
        KeyTreeBody tree = Tree();
        KeptKeyBody key = tree.Domains.Single().Keys.Single();
        Assert.Equal((1, 1, 1), (tree.Generation, tree.Domains.Single().Generation, key.Epoch));
        Assert.Equal((_volume, ReleaseScene.HostName(1)), (key.Key, Assert.Single(key.Holders).Host));
        Assert.NotEmpty(key.Holders[0].Since);
        ReleaseLogEntry entry = Log().Single();
        Assert.Equal(("release", _volume, "done"), (entry.What, entry.Subject, entry.Outcome));
        Assert.Contains(ReleaseScene.HostName(1), entry.Whom, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotates_and_the_key_stays_the_same()
    {
        byte[] before = await Released();
        Assert.Equal(2, Rotated("").Generation);
        Assert.Equal(2, Rotated(DeskBench.Web.ToString()).Generation);
        Assert.Equal(before, await Released());
        Assert.Equal(
            404, Assert.IsType<RouteAnswer<RotatedBody>.Refused>(
                Desk.Rotate(new RotationBody($"{ReleaseScene.Bank}/none"))).Problem.Status);
    }

    [Fact]
    public async Task A_destroyed_key_is_released_never_again_and_there_is_a_receipt_for_it()
    {
        await Released();
        byte[] approval = Approve(Key(), KeySerial());
        ErasureReceipt receipt = Erased(approval);
        Assert.Equal((_volume, 1, 1), (
            receipt.Keys.Subject.ToString(), (int)receipt.Keys.Generation, (int)receipt.Keys.Count));
        Assert.Equal(ReleaseScene.Newest.Size, receipt.Keys.LedgerSize);
        Assert.Equal(["key-destroyed"], await RefusedCodes());
        Assert.Contains(Status().Problems, problem => problem.Contains("destroyed", StringComparison.Ordinal));
        Assert.DoesNotContain(Status().Volumes, volume => volume.Volume == _volume);

        // The same approval again destroys nothing more, and gives the same word.
        Assert.Equal(ErasureReceipt.DigestOf(receipt.Keys), ErasureReceipt.DigestOf(Erased(approval).Keys));
        Assert.Equal(2, Tree().Generation);
    }

    [Fact]
    public async Task An_old_approval_does_not_destroy_the_key_that_was_made_after_it()
    {
        byte[] before = await Released();
        string serial = KeySerial();
        byte[] approval = Approve(Key(), serial), signedByOthers = Approve(Key(), serial, [.. Root.Keys]);
        Erased(approval);

        // As the desk does after a newer revision of the volume's statement.
        KeyGrant grant = new(
            _volume, DeskBench.Web.ToString(),
            new VaultHolder(ReleaseScene.HostName(1), "nonce") { Compartment = $"{ReleaseScene.Bank}/web-1" });
        byte[] made = _bench.Vault.Release(grant, Keyring.Masters.Bytes).Sealed;
        Assert.NotEqual(before, made);
        Assert.NotEqual(serial, KeySerial());
        Erased(approval);
        Erased(signedByOthers);
        Assert.Equal(made, _bench.Vault.Release(grant, Keyring.Masters.Bytes).Sealed);
    }

    [Fact]
    public async Task The_leases_of_a_destroyed_domain_end_at_once_and_none_is_lent_again()
    {
        await Released();
        _bench.Lend(2);
        Assert.Null(_bench.Doubt(1));
        Assert.Null(Desk.Bar(Domain()));
        Erased(Approve(new DestroySubject.OfDomain(DeskBench.Web), Tree().Domains.Single().Serial));
        Assert.Contains("destroyed", _bench.Doubt(1), StringComparison.Ordinal);
        Assert.Contains("destroyed", _bench.Doubt(2), StringComparison.Ordinal);
        Assert.Contains("destroyed", Desk.Bar(Domain()), StringComparison.Ordinal);
        _bench.Lend(1);
        Assert.Equal(["key-destroyed", "key-destroyed"], await RefusedCodes());
    }

    [Fact]
    public async Task All_keys_go_by_the_roots_threshold()
    {
        await Released();
        DestroySubject all = new DestroySubject.OfAll(ReleaseScene.Bank);
        Assert.Equal("too-few-approvals", Refused(Approve(all, Tree().Master, [Root.Keys[0]])));
        Assert.Equal(1, Erased(Approve(all, Tree().Master)).Keys.Count);
        Assert.Empty(Tree().Domains);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task Each_change_is_noted_for_the_ledger_and_what_a_death_left_unnoted_at_the_next_start()
    {
        await Released();
        Assert.Empty(_bench.Changes.Unposted);
        Rotated("");
        string told = ErasureReceipt.DigestOf(Erased(Approve(Key(), KeySerial())).Keys).Hex;
        Assert.Equal(["", told], Noted());

        // The vault changed, and the process died before the note.
        _bench.Vault.RotateMaster();
        Assert.Equal(2, Noted().Length);
        _bench.Restart();
        Assert.Equal(["", told, ""], Noted());
        _bench.Restart();
        Assert.Equal(3, Noted().Length);
    }

    [Fact]
    public async Task Refuses_and_destroys_nothing()
    {
        byte[] key = await Released();
        Assert.Equal("too-few-approvals", Refused(Approve(Key(), KeySerial(), [Root.Keys[0]])));
        Assert.Equal("document-signature", Refused(Approve(Key(), KeySerial(), [ReleaseScene.Stranger])));
        Assert.Equal("not-that-key", Refused(Approve(Key(), Digest32.Of("x"u8).Hex)));
        Assert.Equal("bad-document", Refused("{}"u8.ToArray()));
        _bench.Snapshot = _bench.Snapshot with { TenantRoot = null };
        Assert.Equal("not-ready", Refused(Approve(Key(), KeySerial())));
        Assert.Equal(key, await Released());
        Assert.Equal(1, Tree().Generation);
    }

    [Fact]
    public async Task A_prepared_key_that_is_loaded_is_what_is_released_and_is_loaded_once()
    {
        byte[] prepared = _bench.Prepare(DeskBench.Web, _volume);
        LoadedBody loaded = Assert.IsType<RouteAnswer<LoadedBody>.Recorded>(Loaded(prepared)).Value;
        Assert.Equal([_volume], loaded.Keys);
        Assert.Empty(Tree().Domains.Single().Keys.Single().Holders);
        Assert.Equal([""], Noted());
        Assert.Equal(_bench.Opened(prepared), await Released());
        Assert.Equal("key-exists", NotLoaded(prepared));
        Assert.Equal("key-exists", NotLoaded(_bench.Prepare(DeskBench.Web, _volume)));
    }

    [Fact]
    public async Task A_rotation_or_a_destruction_of_the_master_ends_what_was_prepared()
    {
        byte[] before = _bench.Prepare(DeskBench.Web, _volume);
        Rotated("");
        Assert.Equal("other-master-key", NotLoaded(before));
        byte[] prepared = _bench.Prepare(DeskBench.Web, _volume);
        await Released();
        Erased(Approve(Key(), KeySerial()));
        Assert.Equal("other-master-key", NotLoaded(prepared));
        Assert.Equal("key-destroyed", NotLoaded(_bench.Prepare(DeskBench.Web, _volume)));
        Assert.Empty(Tree().Domains.Single().Keys);
    }

    [Fact]
    public void Loads_nothing_that_was_changed_or_is_not_stated_and_the_vault_goes_on()
    {
        string text = System.Text.Encoding.UTF8.GetString(_bench.Prepare(DeskBench.Web, _volume));
        Assert.Equal("bad-document", NotLoaded(text.Replace("\"tag\":\"", "\"tag\":\"AAAA").Remove(
            text.LastIndexOf("\"tag\":\"", StringComparison.Ordinal) + 11, 4)));
        Assert.Equal("bad-document", NotLoaded("{}"));
        Assert.Equal("unknown-volume", NotLoaded(_bench.Prepare(DeskBench.Web, $"{ReleaseScene.Bank}/none")));
        Assert.Equal("bad-document", NotLoaded(_bench.Prepare(DeskBench.Web, $"{ReleaseScene.Bank}/No Name")));
        Assert.Empty(Tree().Domains);
        Assert.Empty(_bench.Changes.Unposted);
        Assert.IsType<RouteAnswer<LoadedBody>.Recorded>(Loaded(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public async Task No_answer_about_the_hierarchy_holds_a_key()
    {
        byte[] key = await Released();
        Rotated("");
        string told = JsonSerializer.Serialize(Tree()) + JsonSerializer.Serialize(Log());
        byte[] approval = Approve(Key(), KeySerial());
        told += JsonSerializer.Serialize(
            Assert.IsType<RouteAnswer<ErasedBody>.Recorded>(Desk.Destroy(Body(approval))).Value);
        Assert.DoesNotContain(Convert.ToHexStringLower(key), told, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Convert.ToBase64String(key)[..40], told, StringComparison.Ordinal);
        _bench.Close();
        Assert.All(
            Directory.EnumerateFiles(_bench.Path),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(key)));
    }

    [Fact]
    public void Only_the_administrator_rotates_and_destroys_and_the_auditor_looks()
    {
        foreach (RouteRow row in KeyRoutes.Table.Rows.Where(row => row.Template.StartsWith(
            "/v1/keys", StringComparison.Ordinal)))
        {
            Assert.Equal(
                row.Method == "GET"
                    ? [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor] : [PrincipalKind.TenantAdmin],
                row.Callers);
        }
    }

    private string[] Noted() =>
    [
        .. _bench.Changes.Unposted.Select(envelope => JsonElement.Parse(
            Assert.IsType<EnvelopeReading.Read>(Envelope.Read(envelope.Span)).Envelope.Payload)
                .GetProperty("body").GetProperty("receipt").GetString() ?? "?"),
    ];

    private RouteAnswer<LoadedBody> Loaded(byte[] document) => Desk.Load(new LoadBody(JsonElement.Parse(document)));

    private string NotLoaded(byte[] document) =>
        Assert.IsType<RouteAnswer<LoadedBody>.Refused>(Loaded(document)).Problem.Code;

    private string NotLoaded(string document) => NotLoaded(System.Text.Encoding.UTF8.GetBytes(document));

    private DomainModel Domain() => _bench.Snapshot.Datacentre.Domains[DeskBench.Web.ToString()];

    private DestroySubject.OfKey Key() =>
        new(KeySubject.Read(_volume) ?? throw new InvalidOperationException());

    private string KeySerial() => Tree().Domains.SelectMany(domain => domain.Keys).Single().Serial;

    private KeyTreeBody Tree() => Assert.IsType<RouteAnswer<KeyTreeBody>.Ok>(Desk.List()).Value;

    private KeyServiceStatus Status() =>
        Assert.IsType<RouteAnswer<KeyServiceStatus>.Ok>(_bench.Desk.Status([])).Value;

    private ImmutableArray<ReleaseLogEntry> Log() => Assert.IsType<RouteAnswer<ReleaseLogBody>.Ok>(Desk.Log(new(
        Principal.Of(PrincipalKind.TenantAdmin, ReleaseScene.Stranger.Id, ReleaseScene.Bank, null),
        new RouteValues(new Dictionary<string, string>()),
        new Dictionary<string, long> { ["limit"] = 10, ["before"] = 1000 }, () => true,
        TestContext.Current.CancellationToken))).Value.Entries;

    private RotatedBody Rotated(string domain) =>
        Assert.IsType<RouteAnswer<RotatedBody>.Recorded>(Desk.Rotate(new RotationBody(domain))).Value;

    private static byte[] Approve(DestroySubject subject, string serial, IReadOnlyList<EcdsaSigner>? keys = null) =>
        DestroyDocument.Write(
            subject, Digest32.TryParse(serial, out var parsed) ? parsed : throw new InvalidOperationException(),
            keys ?? [Root.Keys[0], Root.Keys[1]]);

    private static DestroyBody Body(byte[] approval) => new(JsonElement.Parse(approval));

    private ErasureReceipt Erased(byte[] approval)
    {
        ErasedBody body = Assert.IsType<RouteAnswer<ErasedBody>.Recorded>(Desk.Destroy(Body(approval))).Value;
        ErasureReceipt? receipt = ErasureReceipt.Verify(
            CanonicalJson.Write(body.Receipt), DeskBench.ServiceKey, out string fault);
        return receipt ?? throw new InvalidOperationException(fault);
    }

    private string Refused(byte[] approval) =>
        Assert.IsType<RouteAnswer<ErasedBody>.Refused>(Desk.Destroy(Body(approval))).Problem.Code;

    private async Task<byte[]> Released()
    {
        using SessionKey session = SessionKey.Create();
        SealedKeyBody body = Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(await Ask(session)).Value;
        using var key = session.Open(new SealedKey(
            Convert.FromBase64String(body.Ephemeral), Convert.FromBase64String(body.Ciphertext),
            System.Text.Encoding.UTF8.GetBytes(body.Context))) ?? throw new InvalidOperationException();
        return Keyring.Masters.Bytes(key);
    }

    private async Task<string[]> RefusedCodes()
    {
        using SessionKey session = SessionKey.Create();
        var refused = Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(await Ask(session));
        return [.. refused.Problem.Refusals.Select(refusal => refusal.Code)];
    }

    private async Task<RouteAnswer<SealedKeyBody>> Ask(SessionKey session)
    {
        RouteCall call = DeskBench.Call(ReleaseScene.Host1);
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(_bench.Desk.GiveNonce(call));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce), Session = session.PublicKey,
        };
        return await _bench.Desk.Release(
            call, new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));
    }
}
