using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>Shows that a machine nobody admitted does not start, although root on the host asks libvirt.</summary>
internal sealed class StartAct(DemoStage stage)
{
    internal async Task<DemoCheck> Play(CancellationToken cancellation)
    {
        DemoMachine victim = stage.Machine("bank/web-1");
        LabHost host = stage.Deployment.Datacentre.Host(victim.Host);
        string bridge = await Bridge(host).ConfigureAwait(false);
        string xml = $"""
            <domain type='qemu'><name>intruder</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type>
            <kernel>{stage.Deployment.Image.KernelPath}</kernel><initrd>{stage.Deployment.Image.InitramfsPath}</initrd>
            </os><devices><interface type='bridge'><source bridge='{bridge}'/><model type='virtio'/></interface>
            </devices></domain>
            """;
        string file = Path.Combine(host.Directory, "intruder.xml");
        await File.WriteAllTextAsync(file, xml, cancellation).ConfigureAwait(false);
        LabProgramResult defined = await host.Virsh("define", file).ConfigureAwait(false);
        LabProgramResult started = await host.Virsh("start", "intruder").ConfigureAwait(false);
        LabProgramResult listed = await host.Virsh("list", "--name").ConfigureAwait(false);
        await host.Virsh("undefine", "intruder").ConfigureAwait(false);
        bool admittedRun = listed.Output.Contains("bw-", StringComparison.Ordinal);
        return new DemoCheck("virsh cannot start an unadmitted machine",
            started.ExitCode != 0 && started.Error.Contains("bailiwick", StringComparison.OrdinalIgnoreCase)
            && !listed.Output.Contains("intruder", StringComparison.Ordinal) && admittedRun,
            defined.ExitCode == 0 ? Words(started.Error) : defined.Error.Trim());
    }

    /// <summary>What the hook said, out of all that virsh says around it.</summary>
    private static string Words(string error)
    {
        string line = error.Trim().ReplaceLineEndings(" ");
        int start = line.IndexOf("bailiwick:", StringComparison.Ordinal);
        return start < 0 ? line : line[start..];
    }

    private static async Task<string> Bridge(LabHost host)
    {
        string links = await host.Must("ip", "-br", "link", "show", "type", "bridge").ConfigureAwait(false);
        return links.Split('\n').Select(l => l.Split(' ')[0])
            .FirstOrDefault(n => n.StartsWith("bwb", StringComparison.Ordinal)) ?? throw new LabException(
                "the host has no domain's bridge", host.Name, "read the Proxy's log");
    }
}
