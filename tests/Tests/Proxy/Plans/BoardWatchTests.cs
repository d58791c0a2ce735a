using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Plans;

public sealed class BoardWatchTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24";
    private static readonly FollowerPatience Hasty = new(
        TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2));

    private readonly ProxyBench _bench = new();
    private readonly MemoryOfBoard _memory = new();
    private readonly ScriptedBoard _board;
    private readonly NoteKey _log;

    public BoardWatchTests()
    {
        EcdsaSigner signer = new(_bench.Datacentre.LogKey);
        _log = NoteKey.Of(SignedDatacentre.Origin, signer.PublicKey);
        _board = new ScriptedBoard(_log, signer);
        _bench.Datacentre.With(Acme, "web", Subnet, 1);
        _bench.Datacentre.With(Rival, "vault", Subnet, 1);
        _bench.Datacentre.Envelopes.ForEach(e => _board.Append(e));
        PlacementRow[] placed = [Placed(Acme, "web-1"), Placed(Rival, "vault-1")];
        _board.Twist = shown => shown.Append(new WatchEvent.Placements([.. placed]));
    }

    private SignedParty Acme => _bench.Datacentre.Acme;

    private SignedParty Rival => _bench.Datacentre.Rival;

    public static TheoryData<string, StatementRefusal> Forgeries => new()
    {
        { "a dropped signature", StatementRefusal.BelowThreshold },
        { "one key twice", StatementRefusal.DuplicateSignature },
        { "another tenant's keys", StatementRefusal.UnknownKey },
        { "a stranger's keys", StatementRefusal.UnknownKey },
        { "a revision skipped", StatementRefusal.Gap },
        { "a rollback", StatementRefusal.Rollback },
        { "a fork", StatementRefusal.Fork },
    };

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task Refuses_a_statement_with(string forgery, StatementRefusal reason)
    {
        await Follow(_bench.Plans);
        Assert.Equal(2, _bench.Plans.Current.Machines.Count());
        if (forgery is "a rollback" or "a fork")
        {
            // An honest change first, which the forgery competes with.
            _board.Append(Honest("2035-01-01T00:00:00Z"));
            await Follow(_bench.Plans);
        }

        string before = _bench.Plans.Current.Digest;
        _board.Append(Forge(forgery));
        BoardWatch watch = await Follow(_bench.Plans);

        Assert.Equal(reason.ToString(), Assert.Single(watch.RefusedStatements).Code);
        Assert.True(_bench.Integrity.Has(
            IntegrityKind.StatementRefused, $"entry {_board.Nodes.Size - 1}"));
        Assert.Equal(before, _bench.Plans.Current.Digest);
    }

    [Fact]
    public async Task Takes_the_same_change_when_enough_of_the_owners_keys_sign_it()
    {
        await Follow(_bench.Plans);
        string before = _bench.Plans.Current.Digest;
        _board.Append(Acme.Sign(
            StatementKind.Domain, "web", _bench.Datacentre.DomainBody(Subnet, storage: "required")));
        BoardWatch watch = await Follow(_bench.Plans);
        Assert.Empty(watch.RefusedStatements);
        Assert.NotEqual(before, _bench.Plans.Current.Digest);
        Assert.Equal(
            _bench.Plans.Current.Text,
            _bench.Integrity.Read(0, 1000).Last(l => l.Entry.Kind == IntegrityKind.Plan).Detail.Text);
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(40, 3)]
    public async Task What_waits_together_is_computed_once_and_a_flood_is_not_waited_for_without_end(
        int changes, int computed)
    {
        await Follow(_bench.Plans);
        int first = (int)_board.Nodes.Size;
        for (int year = 0; year < changes; year++)
        {
            _board.Append(Honest($"{2030 + year}-01-01T00:00:00Z"));
        }

        // As a board that is asked for each change by itself: a checkpoint after each.
        _board.Twist = shown => shown.OfType<WatchEvent.Entry>().SelectMany(entry => entry.Index < first
            ? new WatchEvent[] { entry }
            : [entry, new WatchEvent.Checkpoint(_board.Branch((int)entry.Index + 1).Note())]);
        int before = Plans();
        await Follow(_bench.Plans);
        Assert.Equal(before + computed, Plans());
        Assert.Equal(
            $"{2030 + changes - 1}-01-01",
            _bench.Plans.Current.Datacentre.Domains.Values.Single(one => one.Ref.Tenant == Acme.Id).Expires
                .ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));

        // All of it is kept, and in force after a restart.
        PlanKeeper after = Restarted();
        Watch(after).Recall();
        Assert.Equal(_bench.Plans.Current.Text, after.Current.Text);

        int Plans() => _bench.Integrity.Read(0, 10_000).Count(line => line.Entry.Kind == IntegrityKind.Plan);
    }

    [Fact]
    public async Task A_policy_that_has_expired_is_a_no_and_only_its_own()
    {
        _board.Append(Honest("2020-01-01T00:00:00Z"));
        await Follow(_bench.Plans);
        Assert.Equal(Rival.Id, Assert.Single(_bench.Plans.Current.Machines).Ref.Tenant);
        Assert.Equal(Acme.Id, Assert.Single(_bench.Plans.Current.Plan.Refused).Compartment.Tenant);
    }

    [Fact]
    public async Task Enforces_its_last_good_plan_after_a_restart_without_a_board()
    {
        await Follow(_bench.Plans);
        PlanKeeper after = Restarted();
        Assert.Empty(after.Current.Machines);
        Watch(after).Recall();
        Assert.Equal(_bench.Plans.Current.Digest, after.Current.Digest);
        Assert.Equal(2, after.Current.Machines.Count(after.Current.WantsRunning));
    }

    [Fact]
    public async Task A_change_that_the_disk_refused_at_first_is_kept_before_it_is_in_force()
    {
        await Follow(_bench.Plans);
        _board.Append(Honest("2020-01-01T00:00:00Z"));
        (_bench.Disk.Fault, _bench.Disk.FaultAt) = (DiskFault.NoSpace, _bench.Disk.Calls + 1);
        int before = _bench.Disk.Calls;
        await Follow(_bench.Plans);
        Assert.True(_bench.Disk.Calls > before);
        Assert.Equal(Rival.Id, Assert.Single(_bench.Plans.Current.Machines).Ref.Tenant);
        PlanKeeper after = Restarted();
        Watch(after).Recall();
        Assert.Equal(_bench.Plans.Current.Text, after.Current.Text);
    }

    [Fact]
    public async Task Refuses_a_board_that_was_rolled_back_while_the_Proxy_was_down()
    {
        int size = (int)_board.Nodes.Size;
        _board.Append(Honest("2020-01-01T00:00:00Z"));
        await Follow(_bench.Plans);
        string denied = _bench.Plans.Current.Digest;

        ScriptedBoard older = _board.Branch(size);
        older.Twist = _board.Twist;
        PlanKeeper after = Restarted();
        BoardWatch watch = await Follow(after, older, recall: true);
        Assert.Contains(watch.RefusedStatements, r => r.Code == nameof(FollowerRefusal.Rollback));
        Assert.Equal(denied, after.Current.Digest);
        Assert.Equal(Rival.Id, Assert.Single(after.Current.Machines).Ref.Tenant);
    }

    public void Dispose() => _bench.Dispose();

    private PlacementRow Placed(SignedParty tenant, string name) => new(
        SignedDatacentre.Machine(tenant, name).ToString(), _bench.Datacentre.Host(1).ToString(), true, "");

    private byte[] Honest(string expires) =>
        Acme.Sign(StatementKind.Domain, "web", _bench.Datacentre.DomainBody(Subnet, expires: expires));

    private byte[] Forge(string forgery)
    {
        JsonObject body = _bench.Datacentre.DomainBody(Subnet, storage: "required");
        using ECDsa one = SignedParty.Key();
        using ECDsa two = SignedParty.Key();
        IReadOnlyList<EcdsaSigner> own = Acme.Signers;
        return forgery switch
        {
            "a dropped signature" => Aside(body, [own[0]]),
            "one key twice" => Aside(body, [own[0], own[0]]),
            "another tenant's keys" => Aside(body, Rival.Signers),
            "a stranger's keys" => Aside(body, [new EcdsaSigner(one), new EcdsaSigner(two)]),
            "a revision skipped" => Skipped(body),
            "a rollback" => _bench.Datacentre.Envelopes.Single(e =>
                StatementBookOf(e) is { Kind: StatementKind.Domain } s && s.Name.Text == "web"),
            "a fork" => Forked(body),
            _ => throw new ArgumentException(forgery),
        };
    }

    private byte[] Aside(JsonObject body, IReadOnlyList<ISigner> signers) =>
        Acme.SignAside(StatementKind.Domain, "web", body, signers);

    private byte[] Skipped(JsonObject body)
    {
        Acme.Sign(StatementKind.Domain, "web", body);
        return Acme.Sign(StatementKind.Domain, "web", body);
    }

    /// <summary>
    /// Another revision 2, signed by the right keys: what a tenant that lies, or lost its keys, would sign.
    /// </summary>
    private byte[] Forked(JsonObject body)
    {
        Acme.Forget(StatementKind.Domain, "web", 2);
        return Acme.Sign(StatementKind.Domain, "web", body);
    }

    private static StatementPayload? StatementBookOf(byte[] envelope) =>
        Envelope.Read(envelope) is EnvelopeReading.Read read
        && StatementPayload.Read(read.Envelope.Payload) is PayloadReading.Read payload ? payload.Payload : null;

    private PlanKeeper Restarted() =>
        new(_bench.Datacentre.Host(1), _bench.Integrity, TimeProvider.System, (_, _) => null);

    private BoardWatch Watch(PlanKeeper plans, ScriptedBoard? board = null) => new(
        new BoardFollower(board ?? _board, _log, _memory, Hasty), _bench.Accepted, plans, _bench.Integrity);

    /// <summary>Follows the board for three connections.</summary>
    private async Task<BoardWatch> Follow(PlanKeeper plans, ScriptedBoard? board = null, bool recall = false)
    {
        BoardWatch watch = Watch(plans, board);
        if (recall)
        {
            watch.Recall();
        }

        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(
            TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.RunAsync(stop.Token));
        return watch;
    }
}
