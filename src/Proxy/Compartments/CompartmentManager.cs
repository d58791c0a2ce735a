using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Devices;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Compartments;

/// <summary>
/// Runs the machines of the plan through libvirt, and no other. Whether a machine may start is not decided here but by
/// the hook that libvirt asks, for whoever starts it; this manager is one of those who ask.
/// </summary>
public sealed class CompartmentManager(
    HypervisorLink hypervisor, VirtualStorageManager storage, VirtualDeviceManager devices,
    VirtualNetworkManager network, MachineLayout layout, IntegrityManager integrity)
{
    private readonly ConcurrentDictionary<string, CompartmentState> _states = new(StringComparer.Ordinal);
    private readonly Lock _holding = new();
    private readonly ConcurrentDictionary<string, bool> _held = new(StringComparer.Ordinal);

    /// <summary>The clock of the pauses between starts, and of the time a machine has to end by itself.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    private long Now => (long)Time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>What was last seen and done of a machine.</summary>
    public CompartmentState StateOf(CompartmentPlan machine) =>
        _states.GetValueOrDefault(machine.MachineName, CompartmentState.Unknown);

    /// <summary>What was last seen of a machine that is in no plan, because it was ordered to stop.</summary>
    public string WordOfStopped(string machineName) =>
        _states.TryGetValue(machineName, out CompartmentState? state) && state.Word == "stopping"
            ? state.Word : "stopped";

    /// <summary>What becomes of a machine with which this host is not trusted: gone, or not yet.</summary>
    public string WordOfLost(string machineName)
    {
        try
        {
            return Active().Contains(machineName) ? "stopping" : "stopped";
        }
        catch (WorldException)
        {
            return "stopping";
        }
    }

    /// <summary>libvirt's names of the machines that have a process.</summary>
    public IReadOnlySet<string> Active() =>
        hypervisor.Current.List().Where(m => m.IsActive).Select(m => m.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Ends every machine that is not of the plan, whoever started it: on this host nothing runs outside a domain. One
    /// that was ordered to stop is asked first, with its ports dead already; any other is ended at once.
    /// </summary>
    /// <param name="plan">The plan.</param>
    /// <param name="plans">Says whether that plan is still in force after listing, and what was planned before.</param>
    public void EndStrays(EnforcedPlan plan, PlanKeeper plans)
    {
        MachineStatus[] active = [.. hypervisor.Current.List().Where(m => m.IsActive)];
        MachineStatus[] strays = [.. active.Where(m => plan.Machine(m.Name)?.Uuid != m.Id)];
        if (!ReferenceEquals(plan, plans.Current))
        {
            return;
        }

        foreach (string ended in _states.Where(s => s.Value.Word == "stopping").Select(s => s.Key)
            .Except(active.Select(m => m.Name)).ToArray())
        {
            _states.TryRemove(ended, out _);
        }

        // That one of them cannot be ended or recorded keeps none of the others running.
        All(strays.Select(machine => (Action)(() => EndStray(plan, plans, machine))));
    }

    private void EndStray(EnforcedPlan plan, PlanKeeper plans, MachineStatus machine)
    {
        IntegrityReaders readers = plans.Names.ReadersOf(machine.Name);
        if (!plans.Names.Has(machine.Name))
        {
            integrity.RecordOrOwe(
                IntegrityKind.Drift, readers, machine.Name, "It runs and is not in this host's plan; it is ended.");
        }

        if (!plan.IsToStop(machine.Name) || !Asked(machine))
        {
            integrity.RecordOrOwe(
                IntegrityKind.MachineStopped, readers, machine.Name,
                plan.LostBy(machine.Name)?.Sentence ?? "It is not in this host's plan.");
            hypervisor.Current.Kill(machine.Id);
            _states.TryRemove(machine.Name, out _);
        }
    }

    /// <summary>
    /// Stops the processors of a machine with which this host is not trusted now, its ports first, and lets those run
    /// again that this host stopped so and is trusted with again. Both by the plan in force, whoever asks by which:
    /// a unit that began a round before the trust was lost lets nothing run.
    /// </summary>
    public void Hold(PlanKeeper plans, CompartmentPlan machine)
    {
        ArgumentNullException.ThrowIfNull(plans);
        lock (_holding)
        {
            EnforcedPlan plan = plans.Current;
            if (plan.Machine(machine.MachineName) is { } now)
            {
                Hold(plan, now);
            }
        }
    }

    private void Hold(EnforcedPlan plan, CompartmentPlan machine)
    {
        if (hypervisor.Current.Find(machine.Uuid) is not { IsActive: true } found)
        {
            _held.TryRemove(machine.MachineName, out _);
            return;
        }

        if (plan.Lost.GetValueOrDefault(machine.Ref) is { } lost)
        {
            _held[machine.MachineName] = true;
            All([
                () => network.KillPorts(machine, lost.Sentence), () => Pause(plan, machine, found, lost),
            ]);
            Note(machine, "paused", [lost.Sentence]);
        }
        else if (found.State == MachineRunState.Paused && IsHeld(machine))
        {
            Resume(plan, machine);
        }
        else
        {
            _held.TryRemove(machine.MachineName, out _);
        }
    }

    /// <summary>
    /// The ports of a plan that must stay dead, because their machines are paused or are to be, or have left the plan
    /// that is in force by now.
    /// </summary>
    public IReadOnlySet<string> DeadPorts(EnforcedPlan plan, EnforcedPlan now) => plan.Machines
        .Where(machine => now.Machine(machine.MachineName) is null || now.Lost.ContainsKey(machine.Ref)
            || _held.ContainsKey(machine.MachineName))
        .SelectMany(machine => machine.Ports).Select(port => port.Device).ToHashSet(StringComparer.Ordinal);

    private void Pause(EnforcedPlan plan, CompartmentPlan machine, MachineStatus found, LostMachine lost)
    {
        if (found.State == MachineRunState.Paused)
        {
            return;
        }

        integrity.RecordOrOwe(
            IntegrityKind.MachinePaused, plan.ReadersOf(machine), machine.Ref.ToString(), lost.Sentence);
        hypervisor.Current.Suspend(found.Id);
    }

    private void Resume(EnforcedPlan plan, CompartmentPlan machine)
    {
        _held[machine.MachineName] = true;
        if (!plan.MayResume(machine))
        {
            network.KillPorts(machine, "The machine is paused until its domains trust this host again.");
            Note(machine, "paused", ["its domains have not said yet that they trust this host again."]);
            return;
        }

        integrity.Record(
            IntegrityKind.MachineResumed, plan.ReadersOf(machine), machine.Ref.ToString(),
            "Its domains trust this host again.");
        hypervisor.Current.Resume(machine.Uuid);
        _held.TryRemove(machine.MachineName, out _);
        Note(machine, "running", []);
    }

    /// <summary>Whether this host paused it; what a person suspended is left to that person.</summary>
    private bool IsHeld(CompartmentPlan machine) => _held.ContainsKey(machine.MachineName)
        || integrity.LastAbout(
            machine.Ref.ToString(), IntegrityKind.MachinePaused, IntegrityKind.MachineResumed,
            IntegrityKind.MachineStarted) == IntegrityKind.MachinePaused;

    /// <summary>Does everything, whatever fails of it; then the first failure is the failure.</summary>
    private static void All(IEnumerable<Action> acts)
    {
        WorldException? first = null;
        foreach (Action act in acts)
        {
            try
            {
                act();
            }
            catch (WorldException error)
            {
                first ??= error;
            }
        }

        if (first is not null)
        {
            throw first;
        }
    }

    /// <summary>
    /// Ends the machine if what runs is not what the plan describes.
    /// </summary>
    public void Revoke(EnforcedPlan plan, CompartmentPlan machine)
    {
        if (hypervisor.Current.Find(machine.Uuid) is not { IsActive: true } running)
        {
            Note(machine, "stopped", []);
            return;
        }

        ImmutableArray<string> differences = Differences(machine);
        if (!differences.IsEmpty)
        {
            string what = string.Join("; ", differences);
            network.KillPorts(machine, $"The machine differs from its plan: {what}");
            IntegrityReaders readers = plan.ReadersOf(machine);
            string subject = machine.Ref.ToString();
            integrity.RecordOrOwe(IntegrityKind.Drift, readers, subject, $"The machine differs from its plan: {what}");
            integrity.RecordOrOwe(IntegrityKind.MachineStopped, readers, subject, "It differed from its plan.");
            hypervisor.Current.Kill(running.Id);
            Note(machine, "failed", differences);
            return;
        }

        Note(machine, running.State == MachineRunState.Paused ? "paused" : "running", []);
    }

    /// <summary>Starts the machine if it should run and does not.</summary>
    /// <param name="plan">The plan in force.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="follow">
    /// Called when all is ready for the start: brings the domain's network to the plan that is in force then, and
    /// answers it. Keys take their time, and a start under rules of yesterday would be refused.
    /// </param>
    /// <param name="stop">Gives up.</param>
    public async Task GrantAsync(
        EnforcedPlan plan, CompartmentPlan machine, Func<EnforcedPlan> follow, CancellationToken stop)
    {
        if (!plan.WantsRunning(machine) || hypervisor.Current.Find(machine.Uuid) is { IsActive: true })
        {
            return;
        }

        CompartmentState before = StateOf(machine);
        string under = plan.StartsUnder(machine);
        if (before.RetryUnder == under && before.RetryAt > Now)
        {
            return;
        }

        try
        {
            switch (await StartAsync(plan, machine, follow, stop).ConfigureAwait(false))
            {
                case StartReadiness.InPlace:
                    Note(machine, "running", [], under);
                    break;
                case StartReadiness.BeingMeasured measuring:
                    Note(machine, "measuring", [measuring.Sentence]);
                    break;
                case StartReadiness.BeingFilled filling:
                    Note(machine, "provisioning", [filling.Sentence]);
                    break;
                case StartReadiness.Refused refused:
                    Note(machine, "refused", refused.Reasons, under);
                    break;
            }
        }
        catch (WorldException error)
        {
            Note(machine, "failed", [error.Stderr.Trim()], under);
            throw;
        }
    }

    private async Task<StartReadiness> StartAsync(
        EnforcedPlan plan, CompartmentPlan machine, Func<EnforcedPlan> follow, CancellationToken stop)
    {
        using StartTicket ticket = await storage.BeginAsync(machine, stop).ConfigureAwait(false);
        StartReadiness readiness = await storage.PrepareAsync(plan, machine, stop).ConfigureAwait(false);
        if (readiness is StartReadiness.Refused refused)
        {
            integrity.Record(
                IntegrityKind.Refusal, plan.ReadersOf(machine), machine.Ref.ToString(),
                string.Join("; ", refused.Reasons));
        }

        if (readiness is not StartReadiness.InPlace)
        {
            return readiness;
        }

        devices.Prepare(machine);
        Guid id = hypervisor.Current.Define(layout.Xml(machine));
        EnforcedPlan now = follow();
        // libvirt asks our own hook now; its reasons come back in the exception.
        hypervisor.Current.Start(id);
        integrity.Record(
            IntegrityKind.MachineStarted, now.ReadersOf(machine), machine.Ref.ToString(),
            $"{machine.MachineName} under plan {now.Digest}");
        return readiness;
    }

    /// <summary>
    /// Each way in which machines are not as planned, as libvirt describes those that run: what differs, and what runs
    /// outside the plan.
    /// </summary>
    /// <exception cref="WorldException">libvirt does not answer.</exception>
    public ImmutableArray<(string MachineName, ImmutableArray<string> Differences)> Differences(EnforcedPlan plan) =>
    [
        .. hypervisor.Current.List().Where(machine => machine.IsActive).Select(running => (
            running.Name,
            plan.Machine(running.Name) is { } machine && machine.Uuid == running.Id
                ? [.. Differences(machine).Select(what => $"{machine.DisplayName}: {what}.")]
                : ImmutableArray.Create($"{running.Name} runs and is not in this host's plan."))),
    ];

    private ImmutableArray<string> Differences(CompartmentPlan machine) => MachineDescription.Differences(
        layout.Describe(machine),
        MachineDescription.FromXml(hypervisor.Current.Xml(machine.Uuid, MachineXmlView.Current)));

    /// <summary>Asks a machine once to end; false when it was asked and has had its time.</summary>
    private bool Asked(MachineStatus machine)
    {
        CompartmentState before = _states.GetValueOrDefault(machine.Name, CompartmentState.Unknown);
        if (before.Word != "stopping")
        {
            hypervisor.Current.Shutdown(machine.Id);
            _states[machine.Name] = CompartmentState.Stopping(Now);
            return true;
        }

        return before.RetryAt > Now;
    }

    private void Note(CompartmentPlan machine, string word, ImmutableArray<string> refusals, string? under = null)
    {
        CompartmentState before = StateOf(machine);
        if (word == "stopped" && before.Word is "refused" or "failed" or "measuring" or "provisioning")
        {
            // It does not run because of the reasons that are noted already; those are what people want to see.
            return;
        }

        _states[machine.MachineName] = before.Next(word, refusals, under, Now);
    }
}
