using System.Globalization;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The wire between hosts and services: a bridge in a network namespace of its own, and a pair of interfaces to each.
/// Nothing of it is in the network namespace the lab was started in.
/// </summary>
internal sealed class Underlay(LabSpace fabric)
{
    private const string Bridge = "fabric";

    public static string Address4(int number) => string.Create(CultureInfo.InvariantCulture, $"10.99.0.{number}");

    public static string Address6(int number) => string.Create(CultureInfo.InvariantCulture, $"fd99::{number:x}");

    public async Task Build()
    {
        await fabric.Must("ip", "link", "add", Bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0",
            "mcast_snooping", "0").ConfigureAwait(false);
        await fabric.Must("ip", "link", "set", Bridge, "up").ConfigureAwait(false);
    }

    /// <summary>Plugs a space in as <see cref="LabHost.UnderlayInterface"/>, with its addresses.</summary>
    public async Task Plug(LabSpace space, int number)
    {
        var port = string.Create(CultureInfo.InvariantCulture, $"port{number}");
        var mac = string.Create(CultureInfo.InvariantCulture, $"52:54:99:00:00:{number:x2}");
        var pid = space.Holder.Pid.ToString(CultureInfo.InvariantCulture);

        // The peer goes to the other network namespace by process id, which only the outer process namespace knows.
        var outside = new[] { "nsenter", "-t", fabric.Holder.Pid.ToString(CultureInfo.InvariantCulture), "-n", "--" };
        string[] pair =
        [
            "ip", "link", "add", port, "type", "veth",
            "peer", "name", LabHost.UnderlayInterface, "address", mac, "netns", pid,
        ];
        (await LabPrograms.Run([.. outside, .. pair]).ConfigureAwait(false))
            .Expect($"the underlay's port of {space.Name}", "has the kernel veth?");
        await fabric.Must("ip", "link", "set", port, "master", Bridge, "up").ConfigureAwait(false);
        const string device = LabHost.UnderlayInterface;
        await space.Must("ip", "addr", "add", $"{space.Address4}/24", "dev", device).ConfigureAwait(false);
        await space.Must("ip", "addr", "add", $"{space.Address6}/64", "dev", device, "nodad").ConfigureAwait(false);
        await space.Must("ip", "link", "set", device, "up").ConfigureAwait(false);
    }
}
