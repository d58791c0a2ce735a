using System.Text.Json;

namespace Bailiwick.Lab.Hosts;

/// <summary>One host of the datacentre: a set of namespaces with its own libvirt.</summary>
public sealed class LabHost : LabSpace
{
    /// <summary>The interface inside that is plugged into the underlay.</summary>
    public const string UnderlayInterface = "underlay";

    /// <summary>Where sockets of guests and of the host's programs belong: a tmpfs of its own.</summary>
    public const string RuntimeDirectory = "/run/bailiwick";

    internal static readonly IReadOnlyList<string> PrivateDirectories =
        ["/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt"];

    private const string LibvirtdConf =
        """
        unix_sock_rw_perms = "0700"
        auth_unix_ro = "none"
        auth_unix_rw = "none"
        """;

    // No cgroup controllers and no per-guest mount namespace: the host is itself a set of namespaces. Disks keep the
    // ownership they have.
    private const string QemuConf =
        """
        user = "root"
        group = "root"
        dynamic_ownership = 0
        remember_owner = 0
        security_driver = "none"
        cgroup_controllers = []
        namespaces = []
        stdio_handler = "file"
        """;

    internal LabHost(LabRegister register, string tool, string directory, LabSpaceRecord record)
        : base(register, tool, directory, record) => Tpm = new LabTpm(this, register);

    /// <summary>Its TPM, which keeps its keys when the host ends and begins again.</summary>
    public LabTpm Tpm { get; }

    /// <summary>Runs virsh against this host's libvirt.</summary>
    public Task<LabProgramResult> Virsh(params string[] arguments) =>
        Run(["virsh", "-q", "-c", "qemu:///system", .. arguments], timeout: TimeSpan.FromSeconds(60));

    /// <summary>Starts this host's libvirt and waits until it answers.</summary>
    /// <param name="hook">The qemu hook's text, or null for none.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    internal async Task<LabProgram> StartLibvirt(string? hook, CancellationToken cancellation)
    {
        // libvirt locks the console it opens in /var/lock, which is /run/lock.
        await Must("mkdir", "-p", RuntimeDirectory, "/run/lock", "/etc/libvirt/hooks", "/etc/libvirt/qemu")
            .ConfigureAwait(false);
        await File.WriteAllTextAsync(PathInside("/etc/libvirt/libvirtd.conf"), LibvirtdConf, cancellation)
            .ConfigureAwait(false);
        await File.WriteAllTextAsync(PathInside("/etc/libvirt/qemu.conf"), QemuConf, cancellation)
            .ConfigureAwait(false);
        if (hook is not null)
        {
            var path = PathInside("/etc/libvirt/hooks/qemu");
            await File.WriteAllTextAsync(path, hook, cancellation).ConfigureAwait(false);
            await Must("chmod", "0700", "/etc/libvirt/hooks/qemu").ConfigureAwait(false);
        }

        var log = Path.Combine(Directory, "libvirtd.log");
        var daemon = await StartInside(["libvirtd", "-f", "/etc/libvirt/libvirtd.conf"], null, log, cancellation)
            .ConfigureAwait(false);
        for (var attempt = 0; attempt < 150 && daemon.IsAlive; attempt++)
        {
            if (File.Exists(PathInside("/run/libvirt/libvirt-sock"))
                && (await Virsh("list", "--all").ConfigureAwait(false)).ExitCode == 0)
            {
                return daemon;
            }

            await Task.Delay(100, cancellation).ConfigureAwait(false);
        }

        throw new LabException(
            $"libvirt does not answer: {daemon.LogTail()}", $"{Name}, {log}",
            "apt-get install libvirt-daemon-system libvirt-clients; read the log");
    }

    /// <summary>The ports that may carry frames, by name: the devices that are in a group.</summary>
    public async Task<string[]> LivePorts()
    {
        using JsonDocument links = JsonDocument.Parse(await Must("ip", "-j", "link", "show").ConfigureAwait(false));
        return
        [
            .. links.RootElement.EnumerateArray()
                .Where(link => link.GetProperty("group").GetString() != "default")
                .Select(link => link.GetProperty("ifname").GetString() ?? "").Order(StringComparer.Ordinal),
        ];
    }
}
