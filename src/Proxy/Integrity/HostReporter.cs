using System.Collections.Immutable;
using System.Text;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.Policy;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Factory;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Tells the Master, from time to time, how this host is: its machines, how it judges its peers, and its problems.
/// </summary>
public sealed class HostReporter(
    HostRef host, IBoard board, BoardWatch watch, HostView view, PeerLeases peers, TimeProvider time)
{
    /// <summary>Between two reports.</summary>
    public const int PeriodSeconds = 5;

    /// <summary>Why the last report did not arrive, or empty.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>
    /// Reports until cancelled. A Master that does not answer is asked again; nothing else waits for it.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (watch.Checkpoint is not null)
                {
                    await board.Report(host.ToString(), Make(), stop).ConfigureAwait(false);
                    Problem = "";
                }
            }
            catch (Exception error) when (error is BoardException or WorldException)
            {
                Problem = error.Message;
            }

            await Task.Delay(TimeSpan.FromSeconds(PeriodSeconds), time, stop).ConfigureAwait(false);
        }
    }

    private HostReport Make()
    {
        string note = watch.Checkpoint is { } checkpoint ? Encoding.UTF8.GetString(checkpoint.Note.ToBytes()) : "";
        TimeSpan now = peers.Now;
        return new HostReport(
            note, view.Machines(),
            [
                .. peers.All.Select(lease => new ReportedLease(
                    lease.Host.ToString(), lease.Domain.ToString(), WireText.Of(lease.Standing(now)),
                    lease.Doubt(now) ?? "")),
            ],
            watch.RefusedStatements, view.Problems());
    }
}

/// <summary>How this host's machines and units are, in the words of reports.</summary>
public sealed class HostView(PlanKeeper plans, CompartmentManager compartments, TvdFactory factory)
{
    private const int MaxProblems = 100;

    /// <summary>
    /// The machines of the plan, and those that were proposed for this host and are refused or ordered to stop.
    /// </summary>
    public ImmutableArray<CompartmentReport> Machines()
    {
        EnforcedPlan plan = plans.Current;
        return
        [
            .. plan.Machines.OrderBy(m => m.Ref.ToString(), StringComparer.Ordinal).Select(machine =>
            {
                CompartmentState state = compartments.StateOf(machine);
                return new CompartmentReport(
                    machine.Ref.ToString(), state.Word == "unknown" ? "stopped" : state.Word,
                    [.. state.Refusals.Select(r => new ReportedReason("start-refused", r))]);
            }),
            .. plan.Proposals.Where(p => !p.Running && p.Host == plan.Plan.Host
                    && plan.Machine(MachineLayout.NameOf(p.Compartment)) is null
                    && plan.Plan.Refused.All(r => r.Compartment != p.Compartment))
                .Select(p => new CompartmentReport(
                    p.Compartment.ToString(), compartments.WordOfStopped(MachineLayout.NameOf(p.Compartment)), [])),
            .. plan.Lost.Values.Where(lost => lost.Stops).OrderBy(l => l.Machine.ToString(), StringComparer.Ordinal)
                .Select(lost => new CompartmentReport(
                    lost.Machine.ToString(), compartments.WordOfLost(MachineLayout.NameOf(lost.Machine)),
                    [new ReportedReason("lost-trust", lost.Sentence)])),
            .. plan.Plan.Refused.Select(refused => new CompartmentReport(
                refused.Compartment.ToString(), "refused",
                [.. refused.Refusals.Select(r => new ReportedReason(r.Code.ToString(), r.Sentence))])),
        ];
    }

    /// <summary>What does not converge, and what a policy asks for and does not get.</summary>
    public ImmutableArray<string> Problems() =>
    [
        .. factory.Statuses.Where(s => s.Health is UnitHealth.Failing or UnitHealth.Stopped)
            .Select(s => $"{s.Unit}: {s.Problem}")
            .Concat(plans.Findings.Select(f => $"{f.File} {f.Pointer}: {f.Sentence}"))
            .Concat(plans.Current.Plan.Withheld.Select(w => w.Sentence))
            .Take(MaxProblems),
    ];
}
