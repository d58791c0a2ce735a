using System.Diagnostics;
using Bailiwick.Proxy.Host.Libvirt;

namespace Bailiwick.HostTests.Libvirt;

/// <summary>
/// A libvirt daemon of the test's own: in new mount, network and process namespaces, with its own /run, /etc/libvirt
/// and /var/lib/libvirt, its socket in a temporary directory that is seen outside too. When the holder of the process
/// namespace is killed, everything in it dies and every mount goes.
/// </summary>
public sealed class PrivateLibvirtd : IDisposable
{
    private const string Script = """
        set -eu
        mount --make-rprivate /
        for d in /run /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt; do
            mkdir -p "$d"
            mount -t tmpfs -o mode=755 tmpfs "$d"
        done
        mkdir -p /etc/libvirt/hooks /run/libvirt /run/lock
        cp "$1/qemu.conf" "$1/libvirtd.conf" /etc/libvirt/
        cp "$1/hook" /etc/libvirt/hooks/qemu
        chmod 755 /etc/libvirt/hooks/qemu
        ip link set lo up
        # The shell stays as the first process and reaps the machines, which libvirtd as the first would not.
        libvirtd --config /etc/libvirt/libvirtd.conf &
        wait $!
        """;

    private const string Hook = """
        #!/bin/sh
        case "$1 $2" in "refused prepare") echo "the Proxy says no" >&2; exit 1;; esac
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private readonly Process _holder;

    public PrivateLibvirtd()
    {
        Assert.SkipUnless(Environment.UserName == "root", "namespaces need root");
        Directory = System.IO.Directory.CreateTempSubdirectory("bw-libvirtd-").FullName;
        File.WriteAllText($"{Directory}/hook", Hook);
        File.WriteAllText($"{Directory}/libvirtd.conf", $"""
            unix_sock_dir = "{Directory}"
            auth_unix_rw = "none"
            auth_unix_ro = "none"
            unix_sock_rw_perms = "0700"
            unix_sock_ro_perms = "0700"
            log_outputs = "3:file:{Directory}/log"

            """);
        File.WriteAllText($"{Directory}/qemu.conf", """
            security_driver = "none"
            user = "root"
            group = "root"
            dynamic_ownership = 0
            remember_owner = 0
            cgroup_controllers = []
            namespaces = []
            stdio_handler = "file"

            """);
        ProcessStartInfo start = new("unshare") { RedirectStandardInput = true };
        foreach (string argument in new[]
        {
            "--mount", "--net", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "sh", "-c", Script,
            "libvirtd", Directory,
        })
        {
            start.ArgumentList.Add(argument);
        }

        _holder = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start");
        try
        {
            AwaitAnswer();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A directory seen from inside and outside.</summary>
    public string Directory { get; }

    public string Socket => $"{Directory}/libvirt-sock";

    public LibvirtHypervisor Connect() => LibvirtHypervisor.Open(Socket);

    /// <summary>Kills the daemon and every machine, as a power failure would.</summary>
    public void Kill()
    {
        if (!_holder.HasExited)
        {
            _holder.Kill();
            _holder.WaitForExit(10_000);
        }
    }

    public void Dispose()
    {
        Kill();
        _holder.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private void AwaitAnswer()
    {
        Stopwatch time = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                Connect().Dispose();
                return;
            }
            catch (LibvirtException) when (time.Elapsed < StartLimit && !_holder.HasExited)
            {
                Thread.Sleep(50);
            }
        }
    }
}
