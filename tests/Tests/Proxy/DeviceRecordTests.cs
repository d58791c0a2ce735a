using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Devices;

namespace Bailiwick.Tests.Proxy;

/// <summary>A machine's devices in the host's integrity log.</summary>
public sealed class DeviceRecordTests : IDisposable
{
    private readonly ProxyBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("required")]
    [InlineData("none")]
    public void A_machines_TPM_is_recorded_as_attached_and_once_as_detached(string tpm)
    {
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", "10.20.1.0/24", 1);
        _bench.Datacentre.Envelopes.Add(_bench.Datacentre.Acme.Sign(StatementKind.Compartment, "web-1", new JsonObject
        {
            ["cpus"] = 1,
            ["memoryMiB"] = 112,
            ["boot"] = new JsonObject { ["image"] = "guest" },
            ["nics"] = new JsonArray(new JsonObject { ["domain"] = "web", ["ipv4"] = "10.20.1.11" }),
            ["tpm"] = tpm,
        }));
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
        CompartmentPlan machine = _bench.Plans.Current.Machines.Single();
        long before = _bench.Integrity.Head.Entries;

        Manager().Attach(_bench.Plans.Current, machine);

        // The Proxy that attached it has ended meanwhile; libvirt tells of one end twice.
        VirtualDeviceManager successor = Manager();
        successor.Detach(_bench.Plans.Current, machine.MachineName);
        successor.Detach(_bench.Plans.Current, machine.MachineName);
        (IntegrityKind?, string)[] said =
            [.. _bench.Integrity.Read(before, 100).Select(line => (line.Entry.Kind, line.Entry.Subject))];
        string subject = $"{machine.Ref} tpm";
        Assert.Equal(
            tpm == "none" ? [] : [(IntegrityKind.DeviceAttached, subject), (IntegrityKind.DeviceDetached, subject)],
            said);
    }

    private VirtualDeviceManager Manager() => new(
        new HypervisorLink(() => _bench.Hypervisor),
        new MachineLayout(new MachinePaths("/b", "/p", "/m", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated)),
        _bench.Integrity);
}
