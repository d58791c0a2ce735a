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
/// One machine writes a volume and another begins as a copy of it, on two hosts, in any order, while the key service
/// dies at any step. An auditor who knows only what was answered says at each request whether the key may leave.
/// </summary>
public sealed class CopyScheduleTests : IDisposable
{
    private const int Steps = 200;
    private const string Web = "bank/web.yaml";
    private static readonly Digest32 Made = Digest32.Of("made"u8);
    private static readonly KeySubject.Volume Base = Volume("base"), Copy = Volume("web-1-data");
    private static readonly DomainRef Colour = new(ReleaseScene.Bank, StatementName.Parse("web"));

    // The second machine writes the base, the first one's volume is a copy of it; both may run on either host.
    private static readonly Example Policies = ReleaseScene.Policies
        .With(Web, "placement: {hosts: [host-1]}", "placement: {}")
        .With(Web, "placement: {hosts: [host-3], apartFrom: [web-1]}", "placement: {}")
        .With(Web, "- {volume: web-2-data, access: write}",
            "- {volume: web-2-data, access: write}\n  - {volume: base, access: write}")
        .With(Web, "kind: Volume\nname: web-1-data\n",
            "kind: Volume\nname: base\nsharing: writers\ndomain: web\nsizeMiB: 16\nwipe: crypto-erase\n---\n"
            + "kind: Volume\nname: web-1-data\nfrom: {volume: base}\n");

    private readonly DeskBench _bench = new();
    private readonly Dictionary<(Use Use, int Host), KeyNonce> _held = [];
    private Random _random = new(0);
    private int _copied, _written, _refused, _died;

    /// <summary>What a key is asked for.</summary>
    private enum Use
    {
        Written,
        Copied,
        Begun,
    }

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_is_copied_is_written_by_nobody_and_read_by_no_other_host_than_the_copys(int seed)
    {
        _random = new Random(seed);
        _bench.Snapshot = _bench.Snapshot with { Datacentre = Policies.Check().Datacentre };
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

        Assert.InRange(_copied, 1, Steps);
        Assert.InRange(_written, 1, Steps);
        Assert.InRange(_refused, 1, Steps);
        Assert.InRange(_died, 1, Steps);
    }

    private async Task Step()
    {
        int host = _random.Next(2);
        switch (_random.Next(7))
        {
            case 0 or 1 or 2 when _held.Keys.ToArray() is { Length: > 0 } all:
                Return(all[_random.Next(all.Length)]);
                break;
            case var chosen:
                await Ask((Use)(chosen % 3), host);
                break;
        }
    }

    private async Task Ask(Use use, int host)
    {
        _bench.Leases.Take(ReleaseScene.HostOf(host + 1), Colour, []);
        bool may = May(use, host);
        KeyNonce? given = await Release(use, host);
        Assert.True(may == given is not null, $"{use} on host {host}: {string.Join(", ", _held.Keys)}");
        if (given is null)
        {
            _refused++;
            return;
        }

        _held[(use, host)] = given;
        _copied += use == Use.Copied ? 1 : 0;
        _written += use == Use.Written ? 1 : 0;
        if (use == Use.Written && Mark(Base) is not VolumeHeaderMark.Bound)
        {
            Assert.IsType<RouteAnswer<Nothing>.Recorded>(_bench.Holders.Bind(
                DeskBench.Call(Signer(host)),
                new HeaderBody(JsonElement.Parse(HolderDocument.WriteHeader(
                    Base, Made, ReleaseScene.HostOf(host + 1), given, Signer(host))))));
        }
    }

    /// <summary>The auditor.</summary>
    private bool May(Use use, int host) => use switch
    {
        Use.Written => !_held.ContainsKey((Use.Written, 1 - host)) && !Any(Use.Copied),
        Use.Begun => !_held.ContainsKey((Use.Begun, 1 - host)),
        Use.Copied => _held.ContainsKey((Use.Begun, host)) && !Any(Use.Written)
            && !_held.ContainsKey((Use.Copied, 1 - host)) && Mark(Base) is VolumeHeaderMark.Bound,
        _ => throw new ArgumentOutOfRangeException(nameof(use)),
    };

    private bool Any(Use use) => _held.Keys.Any(one => one.Use == use);

    private void Audit()
    {
        var kept = _bench.Vault.HoldersOf(Base.ToString());
        Assert.False(
            kept.Any(one => one.Access == "write") && kept.Any(one => one.Access == "copy"), "copied while written");
        Assert.True(kept.Count(one => one.Access == "copy") <= 1, "copied twice");
        Assert.All(kept, one => Assert.Equal(one.Access == "copy" ? "web-1" : "web-2", one.Compartment.Split('/')[1]));
        Assert.Equal(
            _held.Keys.Select(one => (one.Use, ReleaseScene.HostName(one.Host + 1))).Order(),
            Holding().Select(one => (one.Use, one.Holder.Host)).Order());
    }

    private IEnumerable<(Use Use, Bailiwick.KeyService.Custody.VaultHolder Holder)> Holding() =>
    [
        .. _bench.Vault.HoldersOf(Base.ToString())
            .Select(one => (one.Access == "copy" ? Use.Copied : Use.Written, one)),
        .. _bench.Vault.HoldersOf(Copy.ToString()).Select(one => (Use.Begun, one)),
    ];

    /// <summary>After a death the store says what became of what was under way.</summary>
    private void Recall()
    {
        _held.Clear();
        foreach (var (use, holder) in Holding())
        {
            _held[(use, holder.Host == ReleaseScene.HostName(1) ? 0 : 1)] =
                KeyNonce.Read(holder.Nonce) ?? throw new InvalidOperationException();
        }
    }

    private void Return((Use Use, int Host) holding)
    {
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(_bench.Holders.Return(
            DeskBench.Call(Signer(holding.Host)),
            new ReturnBody(JsonElement.Parse(HolderDocument.WriteReturn(
                Key(holding.Use), null, Guid.Empty, ReleaseScene.HostOf(holding.Host + 1), _held[holding],
                Signer(holding.Host))))));
        _held.Remove(holding);
    }

    private VolumeHeaderMark Mark(KeySubject key) => _bench.Vault.MarkOf(key.ToString()) is { } text
        ? VolumeMark.Read(text)?.Header ?? throw new InvalidOperationException(text)
        : new VolumeHeaderMark.New();

    private async Task<KeyNonce?> Release(Use use, int host)
    {
        EcdsaSigner signer = Signer(host);
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(_bench.Desk.GiveNonce(DeskBench.Call(signer)));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            Volume = Key(use).ToString(),
            Copy = use == Use.Copied ? Copy.ToString() : "",
            Compartment = $"{ReleaseScene.Bank}/{(use == Use.Written ? "web-2" : "web-1")}",
            State = use != Use.Begun && Mark(Base) is VolumeHeaderMark.Bound ? Made.Hex : "",
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

    private static KeySubject.Volume Key(Use use) => use == Use.Begun ? Copy : Base;

    private static KeySubject.Volume Volume(string name) => new(new(ReleaseScene.Bank, StatementName.Parse(name)));

    private static EcdsaSigner Signer(int host) => host == 0 ? ReleaseScene.Host1 : ReleaseScene.Host2;

    private sealed class KeyServiceDied : Exception;
}
