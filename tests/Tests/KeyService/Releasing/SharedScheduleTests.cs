using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>
/// Machines of three tenants start on the bank's archive on two hosts and give it back, in any order, while owner and
/// borrower withdraw and renew their halves and the key service dies at any step. An auditor who knows only the
/// policies and what was answered says at each request whether the key may leave.
/// </summary>
public sealed class SharedScheduleTests : IDisposable
{
    private const int Steps = 120;
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspection = "regulator/inspection.yaml";
    private static readonly KeySubject.Volume Archive =
        new(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("ledger-archive")));
    private static readonly DomainRef Colour = new(ReleaseScene.Bank, StatementName.Parse("ledger"));
    private static readonly Digest32 Made = Digest32.Of("made"u8);
    private static readonly string[] Machines =
    [
        $"{ReleaseScene.Bank}/ledger-1", $"{ReleaseScene.Bank}/ledger-2",
        $"{PartyId.Unsigned("regulator")}/inspector-1", $"{ReleaseScene.Hospital}/records-1",
    ];

    // The bank's first machine writes, its second reads; both may run on either host, and so may the inspector.
    private static readonly Example Policies = ReleaseScene.Policies
        .With(Ledger, "placement: {hosts: [host-2]}", "placement: {}")
        .With(Ledger, "placement: {hosts: [host-3]}", "placement: {}")
        .With(Ledger, "volume: ledger-2-data, access: write}\n",
            "volume: ledger-2-data, access: write}\n  - {volume: ledger-archive, access: read}\n")
        .With(Inspection, "placement: {hosts: [host-3]}", "placement: {}");

    private readonly DeskBench _bench = new();
    private readonly Dictionary<(int Host, int Machine), KeyNonce> _held = [];
    private readonly CheckedDatacentre[] _worlds;
    private Random _random = new(0);
    private int _world, _released, _refused, _died;

    public SharedScheduleTests() => _worlds =
    [
        Policies.Check().Datacentre,
        Policies.With(
            Ledger, "    - {to: regulator/inspection, volume: {name: ledger-archive, access: read}}", "    []")
            .Check().Datacentre,
        Policies.With(Inspection, "    - {from: bank/ledger, volume: {name: ledger-archive, access: read}}", "    []")
            .Check().Datacentre,
        Policies.With(Inspection, "bank/ledger-archive, access: read}", "bank/ledger-archive, access: write}")
            .Check().Datacentre,
    ];

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task The_right_machine_gets_the_key_or_none_and_there_are_never_two_writers(int seed)
    {
        _random = new Random(seed);
        for (int step = 0; step < Steps; step++)
        {
            DieSometimes();
            try
            {
                await Step();
            }
            catch (KeyServiceDied)
            {
                _died++;
            }

            if (_bench.HasDied)
            {
                _bench.Trace = _ => { };
                _bench.Restart();
                Recall();
            }

            Audit();
        }

        Assert.InRange(_released, 1, Steps);
        Assert.InRange(_refused, 1, Steps);
        Assert.InRange(_died, 1, Steps);
    }

    private async Task Step()
    {
        int host = _random.Next(2), machine = _random.Next(Machines.Length);
        switch (_random.Next(6))
        {
            case 0:
                _world = _random.Next(_worlds.Length);
                _bench.Snapshot = _bench.Snapshot with { Datacentre = _worlds[_world] };
                break;
            case 1 or 2 when _held.Keys.ToArray() is { Length: > 0 } all:
                Return(all[_random.Next(all.Length)]);
                break;
            default:
                await Start(host, machine);
                break;
        }
    }

    private async Task Start(int host, int machine)
    {
        _bench.Snapshot = _bench.Snapshot with { Datacentre = _worlds[_world] };
        _bench.Leases.Take(ReleaseScene.HostOf(host + 1), Colour, []);
        VolumeHeaderMark mark = Mark();
        bool may = May(host, machine, mark);
        KeyNonce? given = await Release(host, machine, mark is VolumeHeaderMark.Bound);
        Assert.True(may == given is not null, $"{Machines[machine]} on host {host} in world {_world}: {mark.Text}");
        if (given is null)
        {
            _refused++;
            return;
        }

        _released++;
        _held[(host, machine)] = given;
        if (mark is not VolumeHeaderMark.Bound)
        {
            Assert.Equal(0, machine);
            Assert.IsType<RouteAnswer<Nothing>.Recorded>(_bench.Holders.Bind(
                DeskBench.Call(Signer(host)),
                new HeaderBody(JsonElement.Parse(HolderDocument.WriteHeader(
                    Archive, Made, ReleaseScene.HostOf(host + 1), given, Signer(host))))));
        }
    }

    /// <summary>The auditor: the first machine writes, the second and the inspector read, the hospital never.</summary>
    private bool May(int host, int machine, VolumeHeaderMark mark) =>
        _held.Keys.All(one => one.Machine != machine || one.Host == host)
        && machine switch
        {
            0 => true,
            1 => mark is VolumeHeaderMark.Bound,
            2 => mark is VolumeHeaderMark.Bound && _world == 0,
            _ => false,
        };

    private void Audit()
    {
        var kept = _bench.Vault.HoldersOf(Archive.ToString());
        Assert.Equal(
            _held.Keys.Select(one => (ReleaseScene.HostName(one.Host + 1), Machines[one.Machine])).Order(),
            kept.Select(one => (one.Host, one.Compartment)).Order());
        Assert.True(kept.Count(one => one.Access == "write") <= 1, "two writers");
        Assert.All(kept, one => Assert.Equal(one.Compartment == Machines[0], one.Access == "write"));
        Assert.DoesNotContain(kept, one => one.Compartment == Machines[3]);
    }

    /// <summary>After a death the store says what became of what was under way.</summary>
    private void Recall()
    {
        _held.Clear();
        foreach (var holder in _bench.Vault.HoldersOf(Archive.ToString()))
        {
            int host = holder.Host == ReleaseScene.HostName(1) ? 0 : 1;
            _held[(host, Array.IndexOf(Machines, holder.Compartment))] =
                KeyNonce.Read(holder.Nonce) ?? throw new InvalidOperationException();
        }
    }

    private void Return((int Host, int Machine) holding)
    {
        KeyNonce nonce = _held[holding];
        int other = 1 - holding.Host;
        Assert.IsType<RouteAnswer<Nothing>.Refused>(Give(other, nonce));
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Give(holding.Host, nonce));
        _held.Remove(holding);
    }

    private RouteAnswer<Nothing> Give(int host, KeyNonce nonce) => _bench.Holders.Return(
        DeskBench.Call(Signer(host)),
        new ReturnBody(JsonElement.Parse(HolderDocument.WriteReturn(
            Archive, null, Guid.Empty, ReleaseScene.HostOf(host + 1), nonce, Signer(host)))));

    private VolumeHeaderMark Mark() => _bench.Vault.MarkOf(Archive.ToString()) is { } text
        ? VolumeMark.Read(text)?.Header ?? throw new InvalidOperationException(text)
        : new VolumeHeaderMark.New();

    private async Task<KeyNonce?> Release(int host, int machine, bool isMade)
    {
        EcdsaSigner signer = Signer(host);
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(_bench.Desk.GiveNonce(DeskBench.Call(signer)));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            Volume = Archive.ToString(),
            Compartment = Machines[machine],
            State = isMade ? Made.Hex : "",
            Host = ReleaseScene.HostName(host + 1),
            Caller = signer.Id,
            RequestSigner = signer,
            EvidenceSigner = signer,
        };
        var answer = await _bench.Desk.Release(
            DeskBench.Call(signer),
            new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));
        return answer is RouteAnswer<SealedKeyBody>.Recorded ? KeyNonce.Of(scene.Nonce) : null;
    }

    private void DieSometimes()
    {
        int left = _random.Next(6) == 0 ? _random.Next(1, 6) : 0;
        _bench.Trace = _ =>
        {
            if (--left == 0)
            {
                throw new KeyServiceDied();
            }
        };
    }

    private static EcdsaSigner Signer(int host) => host == 0 ? ReleaseScene.Host1 : ReleaseScene.Host2;

    private sealed class KeyServiceDied : Exception;
}
