using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Leasing;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Leasing;

/// <summary>
/// Two hosts prove themselves, lie, fall silent, ask for one volume's key and give it back, in any order. An auditor
/// who keeps two moments and one name says at each step who may have the key.
/// </summary>
public sealed class LeaseScheduleTests
{
    private const int Steps = 80;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Whatever_happens_a_host_without_a_lease_gets_no_key_and_there_is_one_holder(int seed)
    {
        Random random = new(seed);
        using DeskBench bench = new();
        bench.Snapshot = bench.Snapshot with
        {
            Datacentre = ReleaseScene.Policies
                .With("bank/web.yaml", "placement: {hosts: [host-1]}", "placement: {}").Check().Datacentre,
        };
        double now = 0;
        double?[] honest = [null, null];
        int? holder = null;
        byte[] nonce = [];
        int released = 0, refused = 0;
        for (int step = 0; step < Steps; step++)
        {
            int host = random.Next(2);
            bool lies = random.Next(6) == 0;
            switch (random.Next(5))
            {
                case 0:
                    double seconds = random.Next(4) switch { 0 => 61, 1 => 30, 2 => 5, _ => 1 };
                    now += seconds;
                    bench.Clock.Move(seconds);
                    bench.Leases.Sweep();
                    break;
                case 1 or 2:
                    await Prove(bench, host, lies);
                    honest[host] = lies ? null : now;
                    break;
                case 3:
                    bool may = !lies && honest[host] is { } at && now - at <= LeaseTable.Seconds
                        && (holder is null || holder == host);
                    byte[]? given = await Release(bench, host, lies);
                    Assert.Equal(may, given is not null);
                    (holder, nonce) = given is null ? (holder, nonce) : (host, given);
                    (released, refused) = given is null ? (released, refused + 1) : (released + 1, refused);
                    // Refused evidence for a key counts as for a lease, where there was one.
                    honest[host] = lies ? null : honest[host];
                    break;
                default:
                    if (holder is { } gives)
                    {
                        Return(bench, gives, nonce);
                        holder = null;
                    }

                    break;
            }

            Assert.Equal(
                holder is { } held ? ReleaseScene.HostName(held + 1) : null,
                bench.Vault.HoldersOf($"{ReleaseScene.Bank}/web-1-data").SingleOrDefault()?.Host);
        }

        Assert.InRange(released, 1, Steps);
        Assert.InRange(refused, 1, Steps);
    }

    [Fact]
    public void After_a_restart_every_host_must_prove_itself_again()
    {
        string path = Directory.CreateTempSubdirectory("bw-lease-").FullName;
        try
        {
            using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, path);
            MovedClock clock = new();
            using (LeaseBook before = LeaseBook.Open(directory, clock))
            {
                before.Take(ReleaseScene.HostOf(1), DeskBench.Web, []);
                Assert.Null(before.Doubt(ReleaseScene.HostOf(1), DeskBench.Web));
            }

            using LeaseBook after = LeaseBook.Open(directory, clock);
            Assert.NotNull(after.Doubt(ReleaseScene.HostOf(1), DeskBench.Web));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static EcdsaSigner Signer(int host) => host == 0 ? ReleaseScene.Host1 : ReleaseScene.Host2;

    private static ReleaseScene Scene(DeskBench bench, int host, bool lies)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(bench.Desk.GiveNonce(DeskBench.Call(Signer(host))));
        return new ReleaseScene
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            Host = ReleaseScene.HostName(host + 1),
            Caller = Signer(host).Id,
            RequestSigner = Signer(host),
            EvidenceSigner = lies ? ReleaseScene.Stranger : Signer(host),
        };
    }

    private static async Task Prove(DeskBench bench, int host, bool lies)
    {
        ReleaseScene scene = Scene(bench, host, lies);
        Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(await bench.Leasing.Prove(
            DeskBench.Call(Signer(host)),
            new LeaseBody(
                Convert.ToBase64String(scene.Nonce), [DeskBench.Web.ToString()],
                JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), scene.EvidenceSigner)), "", "",
                bench.ShownLog, null, [])));
    }

    /// <summary>The nonce of the release, or null.</summary>
    private static async Task<byte[]?> Release(DeskBench bench, int host, bool lies)
    {
        ReleaseScene scene = Scene(bench, host, lies);
        var answer = await bench.Desk.Release(
            DeskBench.Call(Signer(host)),
            new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", bench.ShownLog, null));
        return answer is RouteAnswer<SealedKeyBody>.Recorded ? scene.Nonce : null;
    }

    private static void Return(DeskBench bench, int host, byte[] nonce) =>
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(bench.Holders.Return(
            DeskBench.Call(Signer(host)),
            new ReturnBody(JsonElement.Parse(HolderDocument.WriteReturn(
                new KeySubject.Volume(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data"))), null,
                Guid.Empty, ReleaseScene.HostOf(host + 1), KeyNonce.Of(nonce) ?? throw new InvalidOperationException(),
                Signer(host))))));
}
