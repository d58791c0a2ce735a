using System.Collections.Immutable;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Devices;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Hooks;

/// <summary>
/// Decides whether a machine may start, whoever starts it: it must be in the plan in force and admitted at this moment,
/// look exactly as planned, start from what its image states, find its domains' rules in the kernel, and the keys of
/// its volumes and its TPM in place. What is measured of it is recorded before it is judged; every reason is told at
/// once, and recorded before the answer is given.
/// </summary>
public sealed class StartJudge(
    PlanKeeper plans, VirtualNetworkManager network, VirtualStorageManager storage, VirtualDeviceManager devices,
    IntegrityManager integrity, TimeProvider time) : IHookJudge
{
    /// <inheritdoc/>
    public async Task<HookAnswer> JudgeAsync(HookRequest request, CancellationToken stop)
    {
        try
        {
            return request.Operation switch
            {
                "prepare" => await PrepareAsync(request, stop).ConfigureAwait(false),
                // prepare said yes a moment ago; start and reconnect must still be of a machine of the plan.
                "start" or "started" or "reconnect" => Member(request),
                "stopped" or "release" => Stopped(request),
                // A machine that comes from a memory image, another host or a QEMU of somebody else's is not the
                // machine that was admitted.
                "migrate" or "restore" or "attach" => Refuse(request, [
                    $"{request.Operation} is not a way into a trusted virtual domain; start the machine instead"]),
                _ => Refuse(request, [$"the operation {request.Operation} is not known here"]),
            };
        }
        catch (WorldException error)
        {
            return HookAnswer.No($"the Proxy could not check {request.Machine}: {error.Message}");
        }
    }

    private async Task<HookAnswer> PrepareAsync(HookRequest request, CancellationToken stop)
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Machine(request.Machine) is not { } machine)
        {
            return Refuse(request, NotPlanned(plan, request.Machine));
        }

        MachineMeasurement measured = new(
            machine.Ref, devices.Describe(machine), MachineDescription.FromXml(request.Xml),
            await storage.MeasureAsync(machine, stop).ConfigureAwait(false));
        integrity.Record(
            IntegrityKind.MachineMeasured, plan.ReadersOf(machine), machine.Ref.ToString(),
            Encoding.UTF8.GetString(measured.Write()));
        List<string> reasons = plan.Lost.GetValueOrDefault(machine.Ref) is { } lost ? [lost.Sentence] : [];
        switch (AdmissionControl.DecideStart(
            plan.Datacentre, measured, plan.Plan.Host, plan.Proposals, time.GetUtcNow()))
        {
            case AdmissionVerdict.Refused refused:
                reasons.AddRange(refused.Refusals.Select(r => $"{r.Sentence} [{r.Code}]"));
                break;
            case AdmissionVerdict.Admitted:
                break;
        }

        reasons.AddRange(network.Faults(plan, machine));
        reasons.AddRange(machine.Disks
            .Where(d => d.Encrypted && !storage.KeyReady(machine, d))
            .Select(d => $"the key of the volume {d.Volume.Name} is not here; " +
                "start the machine through Bailiwick, which asks the tenant's key service for it"));
        reasons.AddRange(storage.HeaderFaults(machine));
        if (machine.Tpm is not null && !storage.TpmReady(machine))
        {
            reasons.Add("the machine's TPM is not here; start the machine through Bailiwick, which asks the tenant's "
                + "key service for its key");
        }

        if (reasons.Count > 0)
        {
            return Refuse(request, reasons);
        }

        // It may have ended while nobody answered libvirt, and its ports are still live: they are plugged in dead.
        network.KillPorts(machine, "The machine is about to start.");
        integrity.Record(
            IntegrityKind.Admission, plan.ReadersOf(machine), machine.Ref.ToString(),
            $"{request.Machine} under plan {plan.Digest}");
        devices.Attach(plan, machine);
        return HookAnswer.Yes;
    }

    private HookAnswer Member(HookRequest request) => plans.Current.Machine(request.Machine) is null
        ? Refuse(request, NotPlanned(plans.Current, request.Machine))
        : HookAnswer.Yes;

    private HookAnswer Stopped(HookRequest request)
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Machine(request.Machine) is { } machine)
        {
            network.KillPorts(machine, "The machine stopped.");
        }

        devices.Detach(plan, request.Machine);

        return HookAnswer.Yes;
    }

    private static IEnumerable<string> NotPlanned(EnforcedPlan plan, string machineName)
    {
        if (plan.LostBy(machineName) is { } lost)
        {
            return [lost.Sentence];
        }

        AdmissionVerdict.Refused? refused = plan.Plan.Refused
            .FirstOrDefault(r => MachineLayout.NameOf(r.Compartment) == machineName);
        return refused is null
            ? [$"{machineName} is not a machine of this host's plan; on this host nothing runs outside a domain"]
            : refused.Refusals.Select(r => $"{r.Sentence} [{r.Code}]");
    }

    private IntegrityReaders ReadersOf(string machineName)
    {
        EnforcedPlan plan = plans.Current;
        return plan.Machine(machineName) is { } machine
            ? plan.ReadersOf(machine)
            : plan.Plan.Refused.FirstOrDefault(r => MachineLayout.NameOf(r.Compartment) == machineName) is { } refused
                ? IntegrityReaders.Of(refused.Compartment.Tenant)
                : plans.Names.ReadersOf(machineName);
    }

    private HookAnswer Refuse(HookRequest request, IEnumerable<string> reasons)
    {
        ImmutableArray<string> all = [.. reasons];
        integrity.Record(
            IntegrityKind.Refusal, ReadersOf(request.Machine), request.Machine,
            $"{request.Operation}: {string.Join("; ", all)}");
        return new HookAnswer(all);
    }
}
