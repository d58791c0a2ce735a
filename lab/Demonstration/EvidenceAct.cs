using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// Root takes a host over: it ends the Proxy and asks for a machine's key itself, first honestly, then with each of the
/// lies that evidence is there against. At last the host is changed while it runs, and started anew.
/// </summary>
internal sealed class EvidenceAct(DemoStage stage)
{
    private const string Victim = "bank/web-2";
    private const string Neighbour = "bank/web-1";
    private const string Across = "bank/ledger-2";
    private const int Port = 5432;
    private const double Limit = 30;

    internal async Task<IReadOnlyList<DemoCheck>> Play(CancellationToken cancellation)
    {
        DemoMachine machine = stage.Machine(Victim);
        LabHost host = stage.Deployment.Datacentre.Host(machine.Host);
        await stage.Deployment.StopProxy(host, cancellation).ConfigureAwait(false);
        List<DemoCheck> checks = [];
        using (LyingHost root = new(stage, machine))
        {
            checks.AddRange(await Lies(root, machine, cancellation).ConfigureAwait(false));
        }

        await HostBoots.Tamper(stage.Deployment.Paths, host, "/usr/bin/qemu-system-x86_64", cancellation)
            .ConfigureAwait(false);
        string changed, again;
        using (LyingHost root = new(stage, machine))
        {
            changed = await root.Ask(root.Honest, cancellation).ConfigureAwait(false);
        }

        checks.Add(new DemoCheck("a host that changed while it ran gets no key, and the entry that shows it is named",
            changed.Contains("evidence-demand", StringComparison.Ordinal)
            && changed.Contains("violation", StringComparison.OrdinalIgnoreCase), changed));
        checks.AddRange(await CutOff(host, cancellation).ConfigureAwait(false));
        await HostBoots.Boot(stage.Deployment.Paths, host, stage.Deployment.Measured, cancellation)
            .ConfigureAwait(false);
        using (LyingHost root = new(stage, machine))
        {
            again = await root.Prove(root.Honest, cancellation).ConfigureAwait(false)
                + await root.Ask(root.Honest, cancellation).ConfigureAwait(false);
        }

        checks.Add(new DemoCheck("started anew as it should be, the host is trusted again", again.Length == 0,
            again.Length == 0 ? $"{machine.Host} got the key of {Victim}" : again));
        checks.AddRange(await ComeBack(host, cancellation).ConfigureAwait(false));
        return checks;
    }

    /// <summary>
    /// The other hosts of its domains find out by themselves: nobody tells them, and the host itself would not. Its
    /// own Proxy, which is honest as yet, is told by the key services and obeys.
    /// </summary>
    private async Task<IReadOnlyList<DemoCheck>> CutOff(LabHost host, CancellationToken cancellation)
    {
        bool before = await FlowAct.Reaches(stage.Machine(Neighbour), stage.Machine(Victim), Port, cancellation)
            .ConfigureAwait(false);
        int sent = await SentTo(host, cancellation).ConfigureAwait(false);
        await stage.Deployment.StartProxy(host, cancellation).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        Task<(double Seconds, string States)> halting = Halted(host, clock, cancellation);
        double seconds = await Until(
            clock, async () => await SentTo(host, cancellation).ConfigureAwait(false) == 0, cancellation)
            .ConfigureAwait(false);
        (double halted, string states) = await halting.ConfigureAwait(false);
        await stage.Deployment.StopProxy(host, cancellation).ConfigureAwait(false);
        return
        [
            new DemoCheck("the other hosts cut a host off that changed, within 10 s",
                before && sent > 0 && seconds <= 10,
                string.Create(CultureInfo.InvariantCulture,
                    $"{Neighbour} reached {Victim} before: {before}; its host sent {sent} tunnel packets then, and ")
                + (seconds < Limit ? $"none after {Text(seconds)} s" : $"still sends after {Limit} s")),
            new DemoCheck("the changed host's machines are paused or stopped within 10 s, as their domains say",
                halted <= 10, $"after {Text(halted)} s: {states}"),
        ];
    }

    /// <summary>The machine that was paused goes on where it was; those that were stopped start anew.</summary>
    private async Task<IReadOnlyList<DemoCheck>> ComeBack(LabHost host, CancellationToken cancellation)
    {
        await stage.Deployment.StartProxy(host, cancellation).ConfigureAwait(false);
        DemoMachine[] stopped = [.. stage.Machines.Where(m => m.Host == host.Name && m.Name != Victim)];
        DemoMachine[] started = await Task.WhenAll(stopped.Select(
            before => DemoStage.Meet(stage.Deployment, before.Model, before.Host, cancellation))).ConfigureAwait(false);
        List<string> wrong = [];
        foreach ((DemoMachine was, DemoMachine now) in stopped.Zip(started))
        {
            if (now.Probe.Hello.Boot != was.Probe.Hello.Boot + 1 || now.Probe.Hello.Found != was.Name)
            {
                wrong.Add($"{now.Name}: boot {now.Probe.Hello.Boot}, found {now.Probe.Hello.Found}");
            }

            await now.Probe.ListenTcp(Port, cancellation).ConfigureAwait(false);
            await stage.Replace(now).ConfigureAwait(false);
        }

        double seconds = await Until(Stopwatch.StartNew(), () => IsOpen(cancellation), cancellation)
            .ConfigureAwait(false);
        return
        [
            new DemoCheck("trusted again, it lets the paused machine go on and starts the others anew",
                wrong.Count == 0 && stopped.Length > 0 && seconds < Limit,
                wrong.Count > 0 ? string.Join("; ", wrong) : $"{Victim} goes on; "
                    + string.Join(", ", started.Select(m => $"{m.Name}: boot {m.Probe.Hello.Boot}"))),
            new DemoCheck("the other hosts speak with it again", seconds < Limit,
                $"{Neighbour} to {Victim} and to {Across} tcp/{Port} "
                + (seconds < Limit ? "is open" : $"is not open after {Limit} s")),
        ];
    }

    /// <summary>How many tunnel packets leave the neighbour's host for it while it asks, in clear or not.</summary>
    private async Task<int> SentTo(LabHost host, CancellationToken cancellation)
    {
        DemoMachine from = stage.Machine(Neighbour);
        FrameCapture capture = await stage.Deployment.Datacentre.Host(from.Host).Capture(
            LabHost.UnderlayInterface, $"udp and dst host {host.Address4}", cancellation)
            .ConfigureAwait(false);
        await using (capture.ConfigureAwait(false))
        {
            await FlowAct.Reaches(from, stage.Machine(Victim), Port, cancellation).ConfigureAwait(false);
            return (await capture.Stop(cancellation).ConfigureAwait(false)).Count;
        }
    }

    /// <summary>When every machine of the host is as its domain wants it on a host that is not trusted.</summary>
    private async Task<(double Seconds, string States)> Halted(
        LabHost host, Stopwatch clock, CancellationToken cancellation)
    {
        DemoMachine[] own = [.. stage.Machines.Where(m => m.Host == host.Name)];
        string states = "";
        double seconds = await Until(clock, async () =>
        {
            List<string> said = [];
            foreach (DemoMachine machine in own)
            {
                string state = (await host.Virsh("domstate", DemoStage.MachineName(machine.Model.Ref))
                    .ConfigureAwait(false)).Output.Trim();
                said.Add($"{machine.Name} is {state}");
            }

            states = string.Join(", ", said);
            return own.Zip(said).All(one => one.Second == $"{one.First.Name} is {Wanted(one.First)}");
        }, cancellation).ConfigureAwait(false);
        return (seconds, states);
    }

    private string Wanted(DemoMachine machine) => machine.Model.Nics
        .Select(nic => stage.Policies.Domains[new DomainRef(machine.Model.Ref.Tenant, nic.Domain).ToString()])
        .All(domain => domain.Hosts.OnLostTrust == LostTrust.Pause) ? "paused" : "shut off";

    private static string Text(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>Whether what leads to the host is open again: inside a domain and between two.</summary>
    private async Task<bool> IsOpen(CancellationToken cancellation)
    {
        DemoMachine from = stage.Machine(Neighbour);
        return await FlowAct.Reaches(from, stage.Machine(Victim), Port, cancellation).ConfigureAwait(false)
            && await FlowAct.Reaches(from, stage.Machine(Across), Port, cancellation).ConfigureAwait(false);
    }

    private static async Task<double> Until(
        Stopwatch clock, Func<Task<bool>> holds, CancellationToken cancellation)
    {
        while (clock.Elapsed.TotalSeconds < Limit && !await holds().ConfigureAwait(false))
        {
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        return Math.Min(Limit, clock.Elapsed.TotalSeconds);
    }

    private async Task<IReadOnlyList<DemoCheck>> Lies(
        LyingHost root, DemoMachine machine, CancellationToken cancellation)
    {
        TpmClaims? first = null;
        string honest = await root.Ask(said => first = root.Honest(said), cancellation).ConfigureAwait(false);
        string replayed = await root.Ask(said => first ?? root.Honest(said), cancellation).ConfigureAwait(false);
        AttestationKey other = root.Other();
        string swapped = await root.Ask(said => LyingHost.Made(other, said), cancellation).ConfigureAwait(false);
        string own = await root.Enrol(
            HostBoots.Shown(stage.Deployment.Paths, machine.Host), cancellation).ConfigureAwait(false);
        string neighbour = stage.Deployment.Datacentre.Hosts.First(h => h.Name != machine.Host).Name;
        string foreign = await root.Enrol(
            HostBoots.Shown(stage.Deployment.Paths, neighbour), cancellation).ConfigureAwait(false);
        return
        [
            new DemoCheck("a genuine quote over the genuine boot gets the key (the positive control)",
                honest.Length == 0, honest.Length == 0 ? $"{machine.Host} got the key of {Victim}" : honest),
            new DemoCheck("a replayed quote gets no key",
                replayed.Contains("evidence-quote-replayed", StringComparison.Ordinal), replayed),
            new DemoCheck("a quote by another key of the same TPM gets no key",
                swapped.Contains("evidence-other-attestation-key", StringComparison.Ordinal), swapped),
            new DemoCheck("another machine's genuine TPM does not enrol",
                own.Length == 0 && foreign.StartsWith("other-tpm", StringComparison.Ordinal), foreign),
        ];
    }
}
