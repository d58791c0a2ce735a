using System.Diagnostics;
using System.Security;
using System.Text;
using Bailiwick.Proxy.Host;

namespace Bailiwick.HostTests.Libvirt;

/// <summary>
/// A machine of 32 MiB under emulation. Its disk, when it has one, is a boot sector that writes 'B' to the serial port
/// and then echoes what it reads there: 'B' is seen only if the disk could be read.
/// </summary>
public static class TinyMachine
{
    public const int DiskBytes = 1 << 20;

    /// <summary>
    /// mov dx,3F8 / mov al,'B' / out dx,al / again: mov dx,3FD / in al,dx / test al,1 / jz again / mov dx,3F8 /
    /// in al,dx / out dx,al / jmp again.
    /// </summary>
    private static ReadOnlySpan<byte> EchoCode =>
    [
        0xBA, 0xF8, 0x03, 0xB0, 0x42, 0xEE, 0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x01, 0x74, 0xF8, 0xBA, 0xF8, 0x03, 0xEC,
        0xEE, 0xEB, 0xF1,
    ];

    public static byte[] EchoDisk()
    {
        byte[] disk = new byte[DiskBytes];
        EchoCode.CopyTo(disk);
        disk[510] = 0x55;
        disk[511] = 0xAA;
        return disk;
    }

    public static string Xml(string name, Guid id, string? disk = null, Guid? secret = null) => $"""
        <domain type='qemu'>
          <name>{SecurityElement.Escape(name)}</name>
          <uuid>{id}</uuid>
          <memory unit='MiB'>32</memory>
          <vcpu>1</vcpu>
          <os><type arch='x86_64' machine='pc'>hvm</type></os>
          <features><acpi/></features>
          <on_poweroff>destroy</on_poweroff>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            {(disk is null ? "" : Disk(disk, secret))}
            <interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>
            <serial type='pty'/>
            <console type='pty'/>
          </devices>
        </domain>
        """;

    /// <summary>Reads until this text has come; fails after the limit.</summary>
    public static async Task Expect(Stream console, string text, TimeSpan limit)
    {
        using CancellationTokenSource time = new(limit);
        StringBuilder seen = new();
        byte[] buffer = new byte[1024];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            int count = await console.ReadAsync(buffer, time.Token);
            Assert.True(count > 0, $"the console ended after '{seen}'");
            seen.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
    }

    public static async Task<List<MachineEvent>> ReadUntil(IMachineWatch watch, MachineEventKind last)
    {
        using CancellationTokenSource time = new(TimeSpan.FromSeconds(30));
        List<MachineEvent> seen = [];
        while (seen.Count == 0 || seen[^1].Kind != last)
        {
            seen.Add(await watch.Events.ReadAsync(time.Token));
        }

        return seen;
    }

    public static void Until(Func<bool> holds, string what)
    {
        Stopwatch time = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(time.Elapsed < TimeSpan.FromSeconds(30), $"still not: {what}");
            Thread.Sleep(20);
        }
    }

    private static string Disk(string path, Guid? secret) => $"""
        <disk type='file' device='disk'>
          <driver name='qemu' type='raw'/>
          <source file='{SecurityElement.Escape(path)}'>{(secret is null ? "" : $"""
            <encryption format='luks'><secret type='passphrase' uuid='{secret}'/></encryption>
            """)}</source>
          <target dev='vda' bus='virtio'/>
        </disk>
        """;
}
