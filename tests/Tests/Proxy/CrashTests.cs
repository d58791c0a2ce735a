using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy;

public sealed class CrashTests
{
    private const int Turns = 8;

    [Fact]
    public async Task Whatever_change_the_Proxy_dies_before_it_converges_after_a_restart()
    {
        int changes;
        using (ProxyBench whole = ProxyBench.OfTwoTenants())
        {
            await Converge(whole);
            whole.AssertConverged(3);
            changes = whole.Host.Changes;
            Assert.InRange(changes, 20, 400);
        }

        for (int k = 1; k <= changes; k++)
        {
            using ProxyBench bench = ProxyBench.OfTwoTenants();
            bench.Host.DieAt = k;
            await Assert.ThrowsAsync<MachineDiedException>(() => Converge(bench));
            Assert.All(bench.Hypervisor.Running, m => Assert.NotNull(bench.Plans.Current.Machine(m)));
            bench.Host.DieAt = 0;
            bench.Restart();
            await Converge(bench);
            bench.AssertConverged(3);
        }
    }

    [Fact]
    public async Task Whatever_change_fails_it_converges_without_a_restart()
    {
        int changes;
        using (ProxyBench whole = ProxyBench.OfTwoTenants())
        {
            await Converge(whole);
            changes = whole.Host.Changes;
        }

        for (int k = 1; k <= changes; k++)
        {
            using ProxyBench bench = ProxyBench.OfTwoTenants();
            bench.Host.FailAt = k;
            await Converge(bench);
            // A start that failed waits for a moment under the same plan; a restart does not.
            bench.Restart();
            await Converge(bench);
            bench.AssertConverged(3);
        }
    }

    [Fact]
    public async Task A_machine_that_leaves_the_plan_is_ended_and_leaves_nothing()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        bench.Place((bench.Datacentre.Acme, "web-1"));
        await Converge(bench);
        bench.AssertConverged(1);
        Assert.DoesNotContain(
            bench.Integrity.Read(0, 1000), l => l.Entry.Kind == Bailiwick.Attestation.IntegrityLog.IntegrityKind.Drift);
        NetworkPlan own = Assert.Single(bench.Plans.Current.Plan.Domains).Network;
        Assert.All(
            bench.Host.Network.Links.Keys, l => Assert.Contains(l, own.Ports.Select(p => p.Device).Append(own.Bridge)));
        Assert.DoesNotContain(
            bench.Host.Network.Tables.Keys, t => t.StartsWith("- bridge bw_", StringComparison.Ordinal)
                && t != $"- bridge {own.Table}" && t != "- bridge bw_guard");
    }

    [Fact]
    public async Task A_machine_that_is_ordered_to_stop_is_asked_first()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        string machine = bench.Plans.Current.Machines.Single(m => m.DisplayName == "rival/vault-1").MachineName;
        bench.Order(bench.Datacentre.Rival, "vault-1", running: false);
        await Converge(bench);
        Assert.Equal(machine, Assert.Single(bench.Hypervisor.Asked));
        Assert.DoesNotContain(machine, bench.Hypervisor.Running);
    }

    [Fact]
    public async Task A_stranger_is_ended_and_a_changed_machine_too()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        bench.Hypervisor.StartBehindTheBack("stranger", Guid.NewGuid());
        string machine = bench.Plans.Current.Machines.First().MachineName;
        bench.Hypervisor.ChangeBehindTheBack(
            machine, xml => xml.Replace("<cmdline>", "<cmdline>init=/bin/sh ", StringComparison.Ordinal));
        await bench.Turn();
        Assert.DoesNotContain("stranger", bench.Hypervisor.Running);
        await Converge(bench);
        bench.AssertConverged(3);
        Assert.True(bench.Integrity.Has(Bailiwick.Attestation.IntegrityLog.IntegrityKind.Drift, "stranger"));
    }

    [Fact]
    public async Task The_invariant_of_these_tests_sees_a_live_port_without_rules()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        bench.Host.Invariant();
        bench.Host.Network.Tables.Remove($"- bridge {bench.Plans.Current.Plan.Domains[0].Network.Table}");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(bench.Host.Invariant);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rule_flushed_or_slipped_in_by_hand_is_found_and_the_ports_are_closed_first(bool flushed)
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        NetworkPlan network = bench.Plans.Current.Plan.Domains[0].Network;
        string place = $"- bridge {network.Table}";
        List<string> whole = [.. bench.Host.Network.Tables[place]];
        if (flushed)
        {
            bench.Host.Network.Tables[place].Clear();
        }
        else
        {
            bench.Host.Network.Tables[place].Add("accept");
        }

        long before = bench.Integrity.Head.Entries;
        await bench.Turn();
        Assert.Equal(whole, bench.Host.Network.Tables[place]);
        string[] said = [.. bench.Integrity.Read(before, 100).Select(l => $"{l.Entry.Kind} {l.Entry.Subject}")];
        Assert.Contains($"PortClosed {network.Ports[0].Device}", said);
        Assert.Contains($"Drift {network.Bridge}", said);
        bench.AssertConverged(3);
    }

    [Fact]
    public async Task The_ports_of_a_machine_that_ended_while_the_Proxy_was_down_are_dead_when_it_starts()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        CompartmentPlan machine = bench.Plans.Current.Machines.First();
        string port = machine.Ports[0].Device;
        bench.Hypervisor.Hook = null;
        bench.Hypervisor.Crash(machine.MachineName);
        bench.Restart();
        await bench.Units.Host().ReconcileAsync(CancellationToken.None);
        bool? live = null;
        Action invariant = bench.Host.Invariant;
        bench.Host.Invariant = () =>
        {
            invariant();
            if (bench.Hypervisor.Running.Contains(machine.MachineName))
            {
                live ??= bench.Host.Network.LivePorts.Contains(port);
            }
        };
        await Converge(bench);
        Assert.False(live);
        bench.AssertConverged(3);
    }

    [Fact]
    public async Task The_hook_says_no_with_every_reason()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        string machine = bench.Plans.Current.Machines.First().MachineName;
        HookAnswer stranger = await Ask(bench, "prepare", "stranger", "");
        Assert.Contains("not a machine of this host's plan", Assert.Single(stranger.Reasons), StringComparison.Ordinal);
        HookAnswer early = await Ask(bench, "prepare", machine, "<domain type='kvm'><name>other</name></domain>");
        Assert.Contains(early.Reasons, r => r.Contains("[DescriptionDiffers]", StringComparison.Ordinal));
        Assert.Contains(early.Reasons, r => r.Contains("guard", StringComparison.Ordinal));
        Assert.Contains(early.Reasons, r => r.Contains("rules of", StringComparison.Ordinal));
        Assert.Contains(early.Reasons, r => r.Contains("[KernelDiffers]", StringComparison.Ordinal));
        Assert.Single(bench.Integrity.Last(
            e => e.Kind == Bailiwick.Attestation.IntegrityLog.IntegrityKind.MachineMeasured, 2));
        foreach (string way in new[] { "restore", "migrate", "attach", "unheard-of" })
        {
            Assert.False((await Ask(bench, way, machine, "")).Allowed);
        }

        await Converge(bench);
        Assert.True((await Ask(bench, "start", machine, "")).Allowed);
    }

    private static Task<HookAnswer> Ask(ProxyBench bench, string operation, string machine, string xml) =>
        bench.Judge.JudgeAsync(new HookRequest(operation, "begin", machine, xml), CancellationToken.None);

    private static Task Converge(ProxyBench bench) => bench.Turn(Turns);
}
