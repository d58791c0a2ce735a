using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Restarting;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Proxy.Signed;
using HeldVolume = Bailiwick.Proxy.Storage.HeldVolume;

namespace Bailiwick.Tests.Proxy.Restarting;

/// <summary>
/// Machines of two tenants start, restart and end at once, while key services answer, refuse, hang and are silent: each
/// gets its own key or none.
/// </summary>
public sealed class ManyMachinesTests : IDisposable
{
    private const int Each = 4, Rounds = 40;
    private readonly LateKeys _keys = new();
    private readonly ProxyBench _bench;
    private readonly Dictionary<string, SealingServices> _services = new(StringComparer.Ordinal);

    public ManyMachinesTests()
    {
        _bench = new ProxyBench(_keys);
        List<(SignedParty, string)> machines = [];
        foreach (var (tenant, domain) in new[] { (_bench.Datacentre.Acme, "web"), (_bench.Datacentre.Rival, "vault") })
        {
            _bench.Datacentre.With(tenant, domain, "10.20.1.0/24", Each, storage: "required");
            machines.AddRange(Enumerable.Range(1, Each).Select(number => (tenant, $"{domain}-{number}")));
            _bench.Own[new DomainRef(tenant.Id, StatementName.Parse(domain))] = OwnStanding.Held;
        }

        _bench.Publish([.. machines]);
        foreach (CompartmentPlan machine in _bench.Plans.Current.Machines)
        {
            _services[machine.Disks.Single().Volume.ToString()] = new SealingServices();
        }
    }

    public void Dispose()
    {
        foreach (SealingServices one in _services.Values)
        {
            one.Dispose();
        }

        _bench.Dispose();
    }

    [Fact]
    public async Task Each_gets_its_own_key_or_none()
    {
        using RestartLeases leases = RestartLeases.Under(_bench.Plans, new MovedClock());
        RestartingKeys keys = new(new Everyone(_services), leases, _bench.Integrity, (shown, context) =>
            _services[shown.GetProperty("of").GetString() ?? ""].OpenPart(shown, context))
        {
            Patience = TimeSpan.FromMilliseconds(20),
        };
        CompartmentPlan[] machines = [.. _bench.Plans.Current.Machines];
        Assert.Equal(2 * Each, machines.Length);
        int[] opened = await Task.WhenAll(machines.Select((machine, seed) =>
            Task.Run(() => Live(keys, leases, machine, new Random(seed)))));
        Assert.All(opened, one => Assert.InRange(one, 1, Rounds));
        Assert.Contains(_services.Values, one => one.Parts > 0);
    }

    private async Task<int> Live(RestartingKeys keys, RestartLeases leases, CompartmentPlan machine, Random random)
    {
        VolumeRef volume = machine.Disks.Single().Volume;
        SealingServices own = _services[volume.ToString()];
        VolumeKeyQuestion question = new(
            _bench.Plans.Current, new KeySubject.Volume(volume), machine.Ref, Digest32.Of("its header"u8));
        int opened = 0;
        for (int round = 0; round < Rounds; round++)
        {
            // One that hangs is given up where a lease lives; else the channel's own limit ends it.
            bool kept = leases.IsKept(_bench.Plans.Current, volume.ToString());
            (own.Silent, own.Hangs) = (round > 0 && random.Next(2) == 0, kept && random.Next(8) == 0);
            own.Refusal = round > 0 && random.Next(10) == 0 ? "no [key-withdrawn]" : null;
            try
            {
                if (await keys.RequestAsync(question, _ => { }, TestContext.Current.CancellationToken)
                    is VolumeKeyAnswer.Released released)
                {
                    using SecretBytes key = released.Key;
                    Assert.True(own.IsItsKey(key), $"{machine.Ref} got another's key");
                    opened++;
                }
            }
            catch (WorldException)
            {
                Assert.True(own.Silent || own.Hangs);
            }

            if (random.Next(6) == 0)
            {
                string[] nonces = [.. leases.NoncesOf(volume.Tenant)];
                leases.Take(volume.Tenant, [.. nonces], [.. nonces.Select(one => new RestartWord(one, ""))]);
            }
        }

        return opened;
    }

    /// <summary>Every volume's own key service.</summary>
    private sealed class Everyone(Dictionary<string, SealingServices> services) : IVolumeKeys
    {
        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop) =>
            services[question.Key.ToString()].RequestAsync(question, about, stop);

        public Task<System.Collections.Immutable.ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
            services[volume.ToString()].BindAsync(volume, nonce, header, stop);

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) =>
            services[volume.Volume].ReturnAsync(plan, volume, state, stop);

        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;
    }
}
