using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>
/// A whole Proxy with two tenants: each reads what concerns it and nothing that tells of the other, and nothing happens
/// without a record that was there before.
/// </summary>
public sealed class NeedToKnowTests
{
    private const int Turns = 4;

    [Fact]
    public async Task Each_tenant_follows_the_whole_log_and_reads_nothing_of_the_others()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        Drift(bench);
        await Converge(bench);
        foreach ((SignedParty own, SignedParty other) in new[]
            {
                (bench.Datacentre.Acme, bench.Datacentre.Rival), (bench.Datacentre.Rival, bench.Datacentre.Acme),
            })
        {
            IntegrityEntry[] read = [.. Read(bench, own.Id).Openings.Select(opening => opening.Entry)];
            string[] strange = Names(bench, other.Id);
            Assert.All(read, entry => Assert.DoesNotContain(strange, name =>
                Encoding.UTF8.GetString(entry.Write()).Contains(name, StringComparison.Ordinal)));

            // The positive control: the same words are in what the tenant reads of itself.
            string[] names = Names(bench, own.Id);
            string all = string.Concat(read.Select(entry => Encoding.UTF8.GetString(entry.Write())));
            Assert.Contains(own.Id.ToString(), all, StringComparison.Ordinal);
            Assert.Contains(names, name => name.StartsWith("bwt", StringComparison.Ordinal)
                && all.Contains(name, StringComparison.Ordinal));
            Assert.Superset(
                new HashSet<IntegrityKind?>
                {
                    IntegrityKind.Boot, IntegrityKind.Plan, IntegrityKind.PlanPart, IntegrityKind.Admission,
                    IntegrityKind.DeviceAttached, IntegrityKind.MachineStarted, IntegrityKind.PortOpened,
                },
                read.Select(entry => entry.Kind).ToHashSet());
        }
    }

    [Fact]
    public async Task A_tenant_opens_its_own_part_of_the_plan_and_not_the_whole()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        PartyId acme = bench.Datacentre.Acme.Id;
        IntegrityLine part = Assert.Single(bench.Integrity.Last(
            e => e.Kind == IntegrityKind.PlanPart && e.Readers.Include(acme), 10));
        DomainPlan domain = bench.Plans.Current.Plan.Domains.Single(d => d.Domain.Tenant == acme);
        Assert.Equal(Encoding.UTF8.GetString(PlanJson.Write(domain)), part.Detail.Text);
        Assert.Equal(part.Entry.Digest, part.Detail.Digest());
        Assert.DoesNotContain(
            bench.Datacentre.Rival.Id.ToString(), part.Detail.Text, StringComparison.Ordinal);
        IntegrityLine whole = bench.Integrity.Last(e => e.Kind == IntegrityKind.Plan, 1)[0];
        Assert.True(whole.Entry.Readers.Include(acme));
        Assert.False(whole.Entry.Readers.Name(acme));

        // A domain that leaves the host ends with an empty part; the other's is the same and not recorded again.
        bench.Place((bench.Datacentre.Rival, "vault-1"));
        IntegrityLine[] parts = [.. bench.Integrity.Last(e => e.Kind == IntegrityKind.PlanPart, 10)];
        Assert.Equal(3, parts.Length);
        Assert.Equal((domain.Domain.ToString(), ""), (parts[0].Entry.Subject, parts[0].Detail.Text));
    }

    [Fact]
    public async Task What_nobody_owns_is_committed_and_shown_to_nobody()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        bench.Hypervisor.StartBehindTheBack("stranger", Guid.NewGuid());
        await Converge(bench);
        IntegrityLine drift = Assert.Single(bench.Integrity.Last(
            e => e.Kind == IntegrityKind.Drift && e.Subject == "stranger", 2));
        Assert.Equal(IntegrityReaders.Nobody, drift.Entry.Readers);
        await bench.Judge.JudgeAsync(new HookRequest("prepare", "begin", "stranger", ""), CancellationToken.None);
        Assert.Equal(
            IntegrityReaders.Nobody,
            bench.Integrity.Last(e => e.Kind == IntegrityKind.Refusal, 1)[0].Entry.Readers);
        string machine = bench.Plans.Current.Machines.First(m => m.Ref.Tenant == bench.Datacentre.Acme.Id).MachineName;
        await bench.Judge.JudgeAsync(new HookRequest("migrate", "begin", machine, ""), CancellationToken.None);
        Assert.Equal(
            IntegrityReaders.Of(bench.Datacentre.Acme.Id),
            bench.Integrity.Last(e => e.Kind == IntegrityKind.Refusal, 1)[0].Entry.Readers);
    }

    [Fact]
    public async Task Devices_are_attached_in_the_log_before_the_start_and_detached_once_at_the_end()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        var machine = bench.Plans.Current.Machines.First(m => m.Devices.Length > 0);
        string subject = $"{machine.Ref} {Bailiwick.Domains.Policy.WireText.Of(machine.Devices[0].Kind)}";
        Assert.Equal(["device-attached"], Of(bench, subject));
        long attached = bench.Integrity.Last(e => e.Subject == subject, 1)[0].Entry.Sequence;
        long started = bench.Integrity.Last(
            e => e.Kind == IntegrityKind.MachineStarted && e.Subject == machine.Ref.ToString(), 1)[0].Entry.Sequence;
        Assert.True(attached < started);
        foreach (string end in new[] { "stopped", "release", "stopped" })
        {
            await bench.Judge.JudgeAsync(new HookRequest(end, "end", machine.MachineName, ""), CancellationToken.None);
        }

        Assert.Equal(["device-detached", "device-attached"], Of(bench, subject));
        bench.Restart();
        await bench.Judge.JudgeAsync(
            new HookRequest("stopped", "end", machine.MachineName, ""), CancellationToken.None);
        Assert.Equal(["device-detached", "device-attached"], Of(bench, subject));
    }

    [Fact]
    public async Task Whenever_the_disk_is_full_nothing_happens_without_an_earlier_record()
    {
        int calls, start;
        using (ProxyBench whole = ProxyBench.OfTwoTenants())
        {
            start = whole.Disk.Calls;
            await Converge(whole);
            whole.AssertConverged(3);
            calls = whole.Disk.Calls;
            Assert.InRange(calls - start, 10, 400);
        }

        for (int full = start + 1; full <= calls; full += 3)
        {
            using ProxyBench bench = ProxyBench.OfTwoTenants();
            bench.Host.Invariant = () => CheckRecorded(bench);
            bench.Disk.FullFrom = full;
            await Converge(bench);
            Assert.True(bench.Hypervisor.Running.Count() < 3 || bench.Host.Network.LivePorts.Count() < 3);
            bench.Disk.FullFrom = 0;
            bench.Restart();
            await Converge(bench);
            bench.AssertConverged(3);
        }
    }

    [Fact]
    public async Task A_full_disk_lets_nobody_start_and_keeps_no_port_open()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        await Converge(bench);
        bench.AssertConverged(3);
        var machine = bench.Plans.Current.Machines.First();
        string port = machine.Ports[0].Device;
        bench.Disk.FullFrom = 1;
        HookAnswer answer = await bench.Judge.JudgeAsync(
            new HookRequest("prepare", "begin", machine.MachineName, bench.Hypervisor.Xml(machine.Uuid, default)),
            CancellationToken.None);
        Assert.Contains("could not check", Assert.Single(answer.Reasons), StringComparison.Ordinal);
        Assert.Throws<WorldException>(() => bench.Place((bench.Datacentre.Acme, "web-1")));
        Assert.Equal(3, bench.Plans.Current.Machines.Count());

        bench.Hypervisor.ChangeBehindTheBack(
            machine.MachineName, xml => xml.Replace("<cmdline>", "<cmdline>init=/bin/sh ", StringComparison.Ordinal));
        await bench.Turn();
        Assert.DoesNotContain(machine.MachineName, bench.Hypervisor.Running);
        Assert.DoesNotContain(port, bench.Host.Network.LivePorts);
        Assert.False(bench.Integrity.Has(IntegrityKind.Drift, machine.Ref.ToString()));

        // What was taken away meanwhile is written before the next entry, here a denied try.
        bench.Disk.FullFrom = 0;
        long before = bench.Integrity.Head.Entries;
        await bench.Judge.JudgeAsync(
            new HookRequest("migrate", "begin", machine.MachineName, ""), CancellationToken.None);
        string[] kinds = [.. bench.Integrity.Read(before, 10).Select(line => line.Entry.KindName)];
        Assert.Equal(["port-closed", "drift", "machine-stopped", "refusal"], kinds);
        Assert.Equal(["port-closed", "port-opened"], Of(bench, port));
    }

    /// <summary>A live port has an opening as its newest entry, a running machine an admission.</summary>
    private static void CheckRecorded(ProxyBench bench)
    {
        foreach (string port in bench.Host.Network.LivePorts)
        {
            Assert.Equal("port-opened", Of(bench, port).FirstOrDefault());
        }

        foreach (string running in bench.Hypervisor.Running)
        {
            Assert.True(bench.Integrity.Has(
                IntegrityKind.Admission, bench.Plans.Current.Machine(running)?.Ref.ToString() ?? ""));
        }
    }

    private static string[] Of(ProxyBench bench, string subject) =>
        [.. bench.Integrity.Last(e => e.Subject == subject, 100).Select(line => line.Entry.KindName)];

    private static IntegrityReading.Followed Read(ProxyBench bench, PartyId tenant)
    {
        IntegrityTail shown = bench.Integrity.Tail(null, bench.Integrity.Head, tenant)
            ?? throw new InvalidOperationException();
        return Assert.IsType<IntegrityReading.Followed>(IntegrityReading.Judge(
            shown, bench.Integrity.Boot, bench.Integrity.Head, new IntegrityDemand(tenant, null)));
    }

    /// <summary>Everything by which a tenant is known on the host.</summary>
    private static string[] Names(ProxyBench bench, PartyId tenant) =>
    [
        tenant.ToString(),
        .. bench.Plans.Current.Plan.Domains.Where(d => d.Domain.Tenant == tenant).SelectMany(d =>
            (string[])[d.Network.Bridge, d.Network.Table, .. d.Network.Ports.Select(p => p.Device)]),
        .. bench.Plans.Current.Machines.Where(m => m.Ref.Tenant == tenant).Select(m => m.MachineName),
    ];

    /// <summary>Something of each tenant's is changed behind the Proxy's back.</summary>
    private static void Drift(ProxyBench bench)
    {
        foreach (var machine in bench.Plans.Current.Machines)
        {
            bench.Hypervisor.ChangeBehindTheBack(machine.MachineName, xml =>
                xml.Replace("<cmdline>", "<cmdline>init=/bin/sh ", StringComparison.Ordinal));
        }
    }

    private static Task Converge(ProxyBench bench) => bench.Turn(Turns);
}
