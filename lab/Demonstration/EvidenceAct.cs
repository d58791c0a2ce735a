using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Quotes;
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
            changed = await root.Ask(said => Honest(root, said), cancellation).ConfigureAwait(false);
        }

        checks.Add(new DemoCheck("a host that changed while it ran gets no key, and the entry that shows it is named",
            changed.Contains("evidence-demand", StringComparison.Ordinal)
            && changed.Contains("violation", StringComparison.OrdinalIgnoreCase), changed));
        checks.Add(await CutOff(host, cancellation).ConfigureAwait(false));
        await HostBoots.Boot(stage.Deployment.Paths, host, stage.Deployment.Measured, cancellation)
            .ConfigureAwait(false);
        using (LyingHost root = new(stage, machine))
        {
            again = await root.Ask(said => Honest(root, said), cancellation).ConfigureAwait(false);
        }

        checks.Add(new DemoCheck("started anew as it should be, the host is trusted again", again.Length == 0,
            again.Length == 0 ? $"{machine.Host} got the key of {Victim}" : again));
        await stage.Deployment.StartProxy(host, cancellation).ConfigureAwait(false);
        double seconds = await Until(open: true, cancellation).ConfigureAwait(false);
        checks.Add(new DemoCheck("the other hosts speak with it again", seconds < Limit, Words("open", seconds)));
        return checks;
    }

    /// <summary>
    /// The other hosts of its domains find out by themselves: nobody tells them, and the host itself would not.
    /// </summary>
    private async Task<DemoCheck> CutOff(LabHost host, CancellationToken cancellation)
    {
        bool before = await FlowAct.Reaches(stage.Machine(Neighbour), stage.Machine(Victim), Port, cancellation)
            .ConfigureAwait(false);
        await stage.Deployment.StartProxy(host, cancellation).ConfigureAwait(false);
        double seconds = await Until(open: false, cancellation).ConfigureAwait(false);
        await stage.Deployment.StopProxy(host, cancellation).ConfigureAwait(false);
        return new DemoCheck("the other hosts cut a host off that changed, within 10 s",
            before && seconds <= 10, $"open before: {before}; {Words("closed", seconds)}");
    }

    private static string Words(string state, double seconds) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Neighbour} to {Victim} tcp/{Port} "
        + $"{(seconds < Limit ? $"{state} after {seconds:F1}" : $"not {state} in {Limit}")} s");

    /// <summary>Whether what leads to the host is closed, or all of it open: inside a domain and between two.</summary>
    private async Task<bool> IsSo(bool open, CancellationToken cancellation)
    {
        bool inside = await FlowAct.Reaches(stage.Machine(Neighbour), stage.Machine(Victim), Port, cancellation)
            .ConfigureAwait(false);
        return open
            ? inside && await FlowAct.Reaches(
                stage.Machine("regulator/inspector-1"), stage.Machine("bank/ledger-1"), 8443, cancellation)
                .ConfigureAwait(false)
            : !inside;
    }

    private async Task<double> Until(bool open, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < Limit && !await IsSo(open, cancellation).ConfigureAwait(false))
        {
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        return Math.Min(Limit, clock.Elapsed.TotalSeconds);
    }

    private async Task<IReadOnlyList<DemoCheck>> Lies(
        LyingHost root, DemoMachine machine, CancellationToken cancellation)
    {
        TpmClaims? first = null;
        string honest = await root.Ask(said => first = Honest(root, said), cancellation).ConfigureAwait(false);
        string replayed = await root.Ask(said => first ?? Honest(root, said), cancellation).ConfigureAwait(false);
        AttestationKey other = root.Other();
        string swapped = await root.Ask(said => Made(other, said), cancellation).ConfigureAwait(false);
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

    private static TpmClaims Honest(LyingHost root, EvidenceClaims said) => Made(root.Enrolled, said);

    private static TpmClaims Made(AttestationKey key, EvidenceClaims said)
    {
        QuoteClaim quote = key.Quote(EvidenceRegisters.Selection, EvidenceDocument.Binding(said).Bytes);
        return new TpmClaims(key.Public, quote.Message, quote.Signature, quote.Values);
    }
}
