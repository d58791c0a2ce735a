using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>
/// Two hosts start a machine on one volume and give it back, in any order, while the pool is anybody's: files vanish,
/// older ones and strangers come. The key service dies at any step, hosts between any two. An auditor who knows only
/// what machines wrote says at each release whether it may have been.
/// </summary>
public sealed class HeaderScheduleTests : IDisposable
{
    private const int Steps = 150;
    private static readonly KeySubject.Volume Volume =
        new(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")));

    private readonly DeskBench _bench = new();
    private readonly List<Digest32> _made = [];
    private Random _random = new(0);
    private Digest32? _pool;
    private Digest32? _written;
    private int _released, _refused, _died;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task No_key_is_ever_released_with_another_header_than_the_one_that_was_written_under(int seed)
    {
        _random = new Random(seed);
        _bench.Snapshot = _bench.Snapshot with
        {
            Datacentre = ReleaseScene.Policies
                .With("bank/web.yaml", "placement: {hosts: [host-1]}", "placement: {}").Check().Datacentre,
        };
        for (int step = 0; step < Steps; step++)
        {
            int host = _random.Next(2);
            DieSometimes();
            try
            {
                await Step(host);
            }
            catch (KeyServiceDied)
            {
                _died++;
            }

            if (_bench.HasDied)
            {
                _bench.Trace = _ => { };
                _bench.Restart();
            }
        }

        Assert.InRange(_released, 1, Steps);
        Assert.InRange(_refused, 1, Steps);
        Assert.InRange(_died, 1, Steps);
        Assert.NotNull(_written);
    }

    private async Task Step(int host)
    {
        switch (_random.Next(8))
        {
            case 0:
                _pool = _random.Next(4) switch
                {
                    0 => null,
                    1 => Fresh(),
                    _ => _made.Count == 0 ? null : _made[_random.Next(_made.Count)],
                };
                break;
            case 1:
                Put();
                break;
            case 2 or 3:
                Return();
                break;
            case 4:
                TellOfAnother(host);
                break;
            default:
                await Start(host);
                break;
        }
    }

    /// <summary>What was written under lies in its place again.</summary>
    private void Put() => _pool = _written;

    /// <summary>As a Proxy does; it may die after each step.</summary>
    private async Task Start(int host)
    {
        _bench.Lend(host + 1);
        Digest32? shown = _pool;
        bool isFree = Holder() is not { } held
            || held.Host == ReleaseScene.HostName(host + 1);
        VolumeHeaderMark before = Mark();
        if (await Release(host, shown) is not { } nonce)
        {
            Assert.False(isFree && IsDue(before, shown), $"{before.Text} and {shown?.Hex} were refused");
            _refused++;
            return;
        }

        Assert.True(isFree);
        Assert.True(IsDue(before, shown), $"{before.Text} and {shown?.Hex} were released");
        Assert.True(_written is null || _written == shown, "a key left with another header than was written under");
        _released++;
        if (shown is null)
        {
            _pool = shown = Fresh();
            if (_random.Next(3) == 0 || !Tell(host, nonce, shown))
            {
                return;
            }
        }

        Assert.True(_written is null || _written == shown);
        _written = shown;
        Assert.Equal(shown, Assert.IsType<VolumeHeaderMark.Bound>(Mark()).Header);
    }

    private static bool IsDue(VolumeHeaderMark mark, Digest32? shown) => mark switch
    {
        VolumeHeaderMark.New => shown is null,
        VolumeHeaderMark.Blank => true,
        VolumeHeaderMark.Bound bound => bound.Header == shown,
        _ => throw new InvalidOperationException(mark.Text),
    };

    private VaultHolder? Holder() => _bench.Vault.HoldersOf(Volume.ToString()).SingleOrDefault();

    private VolumeHeaderMark Mark() => _bench.Vault.MarkOf(Volume.ToString()) is { } text
        ? VolumeMark.Read(text)?.Header ?? throw new InvalidOperationException(text)
        : new VolumeHeaderMark.New();

    private Digest32 Fresh()
    {
        byte[] bytes = new byte[32];
        _random.NextBytes(bytes);
        _made.Add(Digest32.Of(bytes));
        return _made[^1];
    }

    private async Task<KeyNonce?> Release(int host, Digest32? shown)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(_bench.Desk.GiveNonce(DeskBench.Call(Signer(host))));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            State = shown?.Hex ?? "",
            Host = ReleaseScene.HostName(host + 1),
            Caller = Signer(host).Id,
            RequestSigner = Signer(host),
            EvidenceSigner = Signer(host),
        };
        var answer = await _bench.Desk.Release(
            DeskBench.Call(Signer(host)),
            new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));
        return answer is RouteAnswer<SealedKeyBody>.Recorded ? KeyNonce.Of(scene.Nonce) : null;
    }

    private bool Tell(int host, KeyNonce nonce, Digest32 header) => _bench.Holders.Bind(
        DeskBench.Call(Signer(host)),
        new HeaderBody(JsonElement.Parse(HolderDocument.WriteHeader(
            Volume, header, ReleaseScene.HostOf(host + 1), nonce, Signer(host)))))
        is RouteAnswer<Nothing>.Recorded;

    /// <summary>Whoever does not hold the key, or comes too late, binds nothing.</summary>
    private void TellOfAnother(int host)
    {
        if (Holder() is { } held && KeyNonce.Read(held.Nonce) is { } nonce
            && (held.Host != ReleaseScene.HostName(host + 1) || Mark() is VolumeHeaderMark.Bound))
        {
            Assert.False(Tell(host, nonce, Digest32.Of(RandomNumberGenerator.GetBytes(8))));
        }
    }

    private void Return()
    {
        if (Holder() is not { } held || KeyNonce.Read(held.Nonce) is not { } nonce)
        {
            return;
        }

        int host = held.Host == ReleaseScene.HostName(1) ? 0 : 1;
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(_bench.Holders.Return(
            DeskBench.Call(Signer(host)),
            new ReturnBody(JsonElement.Parse(HolderDocument.WriteReturn(
                Volume, null, Guid.Empty, ReleaseScene.HostOf(host + 1), nonce, Signer(host))))));
    }

    private void DieSometimes()
    {
        int left = _random.Next(4) == 0 ? _random.Next(1, 6) : 0;
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
