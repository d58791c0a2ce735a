using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Hosts;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Captures at everything of both hosts that is not one domain's: the machines' own ends of their ports, the host's
/// ends, bridges, and the wire between the hosts.
/// </summary>
internal sealed class Watch : IDisposable
{
    private const int Wait = 15_000;

    private readonly TwoHosts _hosts;
    private readonly Dictionary<string, FramePort> _machines = new(StringComparer.Ordinal);
    private readonly List<(string Place, FramePort Port)> _inside = [];
    private readonly List<(string Place, FramePort Port)> _between = [];

    private Watch(TwoHosts hosts) => _hosts = hosts;

    public static Watch Open(TwoHosts hosts, DomainRef except)
    {
        var watch = new Watch(hosts);
        for (var number = 1; number <= 2; number++)
        {
            var space = hosts.Host(number).Space;
            watch._between.Add(($"host {number}: under0", FramePort.Open(space, "under0")));
            foreach (var passage in hosts.PlanOf(number).Passages)
            {
                foreach (var device in passage.Ports.Select(port => port.Device).Append(passage.Network.Bridge))
                {
                    watch.Add($"host {number}: passage {passage.Name}", space, device);
                }
            }

            foreach (var domain in hosts.PlanOf(number).Domains.Where(one => one.Domain != except))
            {
                foreach (var device in domain.Network.Ports.Select(port => port.Device).Append(domain.Network.Bridge)
                    .Concat(new[] { domain.Gateway?.BridgePort, domain.Network.Vxlan }.OfType<string>()))
                {
                    watch.Add($"host {number}: {domain.DisplayName}", space, device);
                }

                foreach (var machine in domain.Compartments)
                {
                    var port = hosts.Frames(machine.DisplayName);
                    watch._machines.Add(machine.DisplayName, port);
                    watch._inside.Add((machine.DisplayName, port));
                }
            }
        }

        return watch;
    }

    public FramePort Machine(string name) => _machines[name];

    /// <summary>Takes in what has passed, so that no capture runs full.</summary>
    public void Collect()
    {
        foreach (var (_, port) in _inside.Concat(_between))
        {
            _ = port.All();
        }
    }

    /// <summary>A frame of the bank's own web passes between its machines while everything is watched.</summary>
    public void Control()
    {
        var (from, to) = (_hosts.Machine("bank/web-1").Plan.Ports[0], _hosts.Machine("bank/web-2").Plan.Ports[0]);
        byte[] canary = TwoHosts.Canary();
        _machines["bank/web-1"].Send(Ethernet(to.Mac, from.Mac, 0x0800, Ipv4(
            Station.Of(from).V4, Station.Of(to).V4, 17, Udp(9, 9, canary))));
        Assert.True(_machines["bank/web-2"].Sees(canary, Wait), "The control did not arrive.");
        Assert.True(_between.All(one => one.Port.Sees(canary, Wait)), "The control was not on the wire.");
    }

    /// <summary>Which frames were seen where they have no place, in words.</summary>
    public IReadOnlyList<string> Inside(HostileFrames frames) => Seen(_inside, frame => frames.NameIn(frame));

    /// <summary>What is found on the wire.</summary>
    public IReadOnlyList<string> Between(Func<byte[], string?> find) => Seen(_between, find);

    public void Dispose()
    {
        foreach (var (_, port) in _inside.Concat(_between))
        {
            port.Dispose();
        }
    }

    private void Add(string place, NetSpace space, string device) =>
        _inside.Add(($"{place}: {device}", FramePort.Open(space, device)));

    private static IReadOnlyList<string> Seen(
        IEnumerable<(string Place, FramePort Port)> places, Func<byte[], string?> find) =>
    [
        .. places.SelectMany(one => one.Port.All().Select(find).OfType<string>().Distinct()
            .Select(name => $"{name} at {one.Place}")).Take(20),
    ];
}
