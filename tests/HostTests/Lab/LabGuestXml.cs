using System.Globalization;
using Bailiwick.Lab.Guests;

namespace Bailiwick.HostTests.Lab;

/// <summary>A libvirt description of one lab guest, written by hand as an administrator would.</summary>
internal sealed record LabGuestXml(GuestImage Image, GuestAcceleration Acceleration, string Machine, int Number)
{
    public string Name => Machine.Replace('/', '.');

    public string Mac => string.Create(CultureInfo.InvariantCulture, $"52:54:00:00:00:{Number:x2}");

    public string Address4 => string.Create(CultureInfo.InvariantCulture, $"10.0.0.{Number}");

    public string Address6 => string.Create(CultureInfo.InvariantCulture, $"fd00::{Number:x}");

    public string ProbeSocket => $"/run/bailiwick/{Name}.probe";

    public string ConsoleLog => $"/run/bailiwick/{Name}.log";

    public string Write(string bridge, string? disk = null)
    {
        var line = GuestCommandLine.Write(
            Machine, new GuestNic(Mac, $"{Address4}/24", null, $"{Address6}/64"));
        var type = Acceleration == GuestAcceleration.Kvm ? "kvm" : "qemu";
        var volume = disk is null
            ? ""
            : $"""
               <disk type='file' device='disk'>
                 <driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
               </disk>
               """;
        return $"""
            <domain type='{type}'>
              <name>{Name}</name>
              <memory unit='MiB'>{GuestImage.MemoryMebibytes}</memory>
              <vcpu>1</vcpu>
              <os>
                <type arch='x86_64' machine='q35'>hvm</type>
                <kernel>{Image.KernelPath}</kernel>
                <initrd>{Image.InitramfsPath}</initrd>
                <cmdline>{line}</cmdline>
              </os>
              <features><acpi/></features>
              <on_reboot>destroy</on_reboot>
              <devices>
                <emulator>/usr/bin/qemu-system-x86_64</emulator>
                {volume}
                <interface type='bridge'>
                  <mac address='{Mac}'/><source bridge='{bridge}'/><target dev='tap{Number}'/><model type='virtio'/>
                  <rom enabled='no'/>
                </interface>
                <serial type='pty'><log file='{ConsoleLog}' append='off'/><target port='0'/></serial>
                <serial type='unix'><source mode='bind' path='{ProbeSocket}'/><target port='1'/></serial>
                <controller type='usb' model='none'/>
                <memballoon model='none'/>
              </devices>
            </domain>
            """;
    }
}
