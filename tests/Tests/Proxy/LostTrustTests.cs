using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Host;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy;

/// <summary>A host that is told it is not trusted lets go of what it may no longer have, as the owner said.</summary>
public sealed class LostTrustTests
{
    private const int Turns = 6;
    private static readonly OwnStanding Lost = new(OwnTrust.Lost, "PCR 10 shows another program.");

    [Fact]
    public async Task Machines_of_the_domain_are_stopped_and_no_others_and_start_anew_with_new_trust()
    {
        using ProxyBench bench = await Bench();
        string[] web = Names(bench, "acme/");
        string vault = Assert.Single(Names(bench, "rival/"));
        Assert.Equal(3, bench.Hypervisor.Running.Count());
        string[] ports = [.. bench.Plans.Current.Machines.Where(m => web.Contains(m.MachineName))
            .SelectMany(m => m.Ports).Select(p => p.Device)];
        Say(bench, bench.Datacentre.Acme, "web", Lost);
        await bench.Turn();
        Assert.Equal([vault], bench.Hypervisor.Running);
        Assert.Empty(bench.Host.Network.LivePorts.Intersect(ports));
        Assert.Contains(bench.Host.Network.LivePorts, port => port.StartsWith("bwt", StringComparison.Ordinal));
        Assert.False(bench.Integrity.Has(IntegrityKind.Drift, web[0]));
        HookAnswer no = await bench.Judge.JudgeAsync(
            new HookRequest("prepare", "begin", web[0], ""), CancellationToken.None);
        Assert.Contains(Lost.Because, Assert.Single(no.Reasons), StringComparison.Ordinal);
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        bench.AssertConverged(3);
    }

    [Fact]
    public async Task Machines_are_paused_with_their_ports_dead_first_and_go_on_where_they_were()
    {
        using ProxyBench bench = await Bench("pause");
        string[] web = Names(bench, "acme/");
        string[] ports = [.. bench.Plans.Current.Machines.Where(m => web.Contains(m.MachineName))
            .SelectMany(m => m.Ports).Select(p => p.Device)];
        bench.Host.Invariant = () => Assert.DoesNotContain(
            bench.Plans.Current.Machines.Where(m => bench.Hypervisor.Paused.Contains(m.MachineName))
                .SelectMany(m => m.Ports), port => bench.Host.Network.LivePorts.Contains(port.Device));
        Say(bench, bench.Datacentre.Acme, "web", Lost);
        await Converge(bench);
        Assert.Equal(web.Order(), bench.Hypervisor.Paused.Order());
        Assert.Equal(3, bench.Hypervisor.Running.Count());
        Assert.Empty(bench.Host.Network.LivePorts.Intersect(ports));
        Assert.All(ports, port => Assert.Contains(port, bench.Host.Network.Links.Keys));
        Assert.Equal(["paused", "paused"], bench.Plans.Current.Machines
            .Where(m => web.Contains(m.MachineName)).Select(m => bench.Compartments.StateOf(m).Word));
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        Assert.Empty(bench.Hypervisor.Paused);
        bench.AssertConverged(3);
    }

    [Fact]
    public async Task Machines_are_paused_though_their_network_cannot_be_brought()
    {
        using ProxyBench bench = await Bench("pause");
        string[] web = Names(bench, "acme/");
        string bridge = bench.Plans.Current.Machine(web[0])?.Ports[0].Bridge ?? "";
        Say(bench, bench.Datacentre.Acme, "web", Lost);
        Assert.True(bench.Host.Network.Links.Remove(bridge));
        bench.Host.Invariant = () => throw new WorldException(["ip", "link", "add"], 2, "Cannot allocate memory");
        await bench.Turn();
        Assert.Equal(web.Order(), bench.Hypervisor.Paused.Order());
        bench.Host.Invariant = () => { };
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        Assert.Empty(bench.Hypervisor.Paused);
        bench.AssertConverged(3);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("pause")]
    public async Task Machines_are_let_go_of_while_their_network_is_brought_and_the_round_brings_none_back(string how)
    {
        using ProxyBench bench = await Bench(how);
        string[] web = Names(bench, "acme/");
        string vault = Assert.Single(Names(bench, "rival/"));
        string[] ports = [.. bench.Plans.Current.Machines.Where(m => web.Contains(m.MachineName))
            .SelectMany(m => m.Ports).Select(p => p.Device)];
        DomainRef domain = Domain(bench.Datacentre.Acme, "web");
        Action invariant = bench.Host.Invariant;
        bench.Restart();
        int changes = 0;
        bench.Host.Invariant = () =>
        {
            invariant();
            if (changes++ == 0)
            {
                // The domain's unit is in the middle of a round that began while the host was trusted.
                Assert.Empty(web.Except(bench.Hypervisor.Running.Except(bench.Hypervisor.Paused)));
                Say(bench, bench.Datacentre.Acme, "web", Lost);
                bench.Units.Machines().ReconcileAsync(CancellationToken.None).GetAwaiter().GetResult();
                AssertLetGo();
            }
        };
        await bench.Units.Domain(domain).ReconcileAsync(CancellationToken.None);
        Assert.True(changes > 1);
        AssertLetGo();
        bench.Host.Invariant = invariant;
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        bench.AssertConverged(3);

        void AssertLetGo()
        {
            Assert.Equal([vault], bench.Hypervisor.Running.Except(bench.Hypervisor.Paused));
            Assert.Empty(bench.Host.Network.LivePorts.Intersect(ports));
        }
    }

    [Fact]
    public async Task Whoever_resumes_a_paused_machine_behind_the_Proxys_back_finds_it_paused_again_and_deaf()
    {
        using ProxyBench bench = await Bench("pause");
        Say(bench, bench.Datacentre.Acme, "web", Lost);
        await Converge(bench);
        string machine = bench.Hypervisor.Paused.First();
        bench.Hypervisor.Paused.Remove(machine);
        Assert.Empty(bench.Host.Network.LivePorts.Intersect(
            bench.Plans.Current.Machine(machine)?.Ports.Select(p => p.Device) ?? []));
        await bench.Turn();
        Assert.Contains(machine, bench.Hypervisor.Paused);
    }

    [Fact]
    public async Task After_a_restart_a_paused_machine_waits_for_a_yes_and_silence_is_none()
    {
        using ProxyBench bench = await Bench("pause");
        string[] web = Names(bench, "acme/");
        Say(bench, bench.Datacentre.Acme, "web", Lost);
        await Converge(bench);
        bench.Own.Clear();
        bench.Restart();
        await Converge(bench);
        Assert.Equal(web.Order(), bench.Hypervisor.Paused.Order());
        Assert.Equal(1, bench.Host.Network.LivePorts.Count(p => p.StartsWith("bwt", StringComparison.Ordinal)));
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        Assert.Empty(bench.Hypervisor.Paused);
        bench.AssertConverged(3);
    }

    [Fact]
    public async Task What_a_person_suspended_is_left_to_that_person()
    {
        using ProxyBench bench = await Bench("pause");
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        string machine = Names(bench, "acme/")[0];
        bench.Hypervisor.Paused.Add(machine);
        await Converge(bench);
        Assert.Equal([machine], bench.Hypervisor.Paused);
    }

    [Fact]
    public async Task Silence_of_a_key_service_stops_nothing_that_runs()
    {
        using ProxyBench bench = await Bench();
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        await Converge(bench);
        bench.Own.Clear();
        bench.Plans.Reconsider();
        await Converge(bench);
        bench.AssertConverged(3);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("pause")]
    public async Task A_host_that_can_record_nothing_any_more_still_lets_go(string how)
    {
        using ProxyBench bench = await Bench(how);
        string[] web = Names(bench, "acme/");
        bench.Disk.Fault = DiskFault.InputOutput;
        bench.Disk.FaultAt = bench.Disk.Calls + 2;
        Assert.Throws<WorldException>(
            () => bench.Integrity.Record(IntegrityKind.Refusal, IntegrityReaders.Nobody, "a", ""));
        Assert.Throws<WorldException>(
            () => bench.Integrity.Record(IntegrityKind.Refusal, IntegrityReaders.Nobody, "a", ""));
        bench.Own[Domain(bench.Datacentre.Acme, "web")] = Lost;
        Assert.Throws<WorldException>(bench.Plans.Reconsider);
        await Converge(bench);
        string[] executing = [.. bench.Hypervisor.Running.Except(bench.Hypervisor.Paused)];
        Assert.Empty(executing.Intersect(web));
        Assert.Equal(Names(bench, "rival/"), executing);
    }

    [Fact]
    public async Task A_start_that_was_refused_is_tried_again_at_once_when_the_host_is_trusted()
    {
        using ProxyBench bench = new();
        bench.Datacentre.With(bench.Datacentre.Acme, "web", "10.20.1.0/24", 1, "stop");
        bench.Hypervisor.Hook = new Refusing();
        bench.Publish((bench.Datacentre.Acme, "web-1"));
        await Converge(bench);
        Assert.Empty(bench.Hypervisor.Running);
        bench.Hypervisor.Hook = bench.Judge;

        // The control: where nothing is new, the next start waits for its pause.
        await Converge(bench);
        Assert.Empty(bench.Hypervisor.Running);
        int told = 0;
        bench.Plans.Changed += () => told++;
        Say(bench, bench.Datacentre.Acme, "web", OwnStanding.Held);
        Assert.Equal(1, told);
        await Converge(bench);
        bench.AssertConverged(1);
    }

    private sealed class Refusing : IHookJudge
    {
        public Task<HookAnswer> JudgeAsync(HookRequest request, CancellationToken stop) =>
            Task.FromResult(HookAnswer.No("not yet"));
    }

    private static void Say(ProxyBench bench, SignedParty tenant, string domain, OwnStanding standing)
    {
        bench.Own[Domain(tenant, domain)] = standing;
        bench.Plans.Reconsider();
    }

    private static DomainRef Domain(SignedParty tenant, string name) => new(tenant.Id, SignedParty.NameOf(name));

    private static string[] Names(ProxyBench bench, string prefix) => [.. bench.Plans.Current.Machines
        .Where(m => m.DisplayName.StartsWith(prefix, StringComparison.Ordinal)).Select(m => m.MachineName)];

    private static async Task<ProxyBench> Bench(string lost = "stop")
    {
        ProxyBench bench = ProxyBench.OfTwoTenants(lost);
        await Converge(bench);
        bench.AssertConverged(3);
        return bench;
    }

    private static Task Converge(ProxyBench bench) => bench.Turn(Turns);
}
