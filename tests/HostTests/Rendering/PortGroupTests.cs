using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Benchmarks.Networking;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.HostTests.Rendering;

/// <summary>Live and dead ports in a real kernel.</summary>
public sealed class PortGroupTests : IDisposable
{
    private const string Tap = "bwt0000000001";
    private const string Tunnel = "bwx0000000001";
    private const string Gone = "bwt0000000002";
    private static readonly int Machine = PortGroups.Of(PortKind.Machine, 4711);
    private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-groups-").FullName;
    private readonly PrivateDirectory _directory;
    private readonly IntegrityManager _integrity;
    private readonly BenchSpace _space = new();
    private readonly HostGuard _guard;

    public PortGroupTests()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
        RealHost host = new();
        RulesWatch watch = new(host);
        NetworkTools tools = new(host, watch);
        _guard = new HostGuard(
            tools, new TableKeeper(tools, watch, TimeProvider.System), _integrity, new PlannedNames());
        Make(Tap);
        Make(Tunnel);
    }

    [Fact]
    public void A_port_is_live_by_its_group_alone_and_dead_when_it_is_made_anew()
    {
        Assert.Empty(Live());
        Revive(Tap, Machine);
        Assert.Equal([$"{Tap} {Machine}"], Live());

        _space.Run("ip", "link", "del", Tap);
        Make(Tap);
        Assert.Empty(Live());
    }

    [Fact]
    public void A_port_that_went_meanwhile_hinders_no_other()
    {
        int tunnel = PortGroups.Of(PortKind.Tunnel, 4711);
        Inside(() => _guard.Revive(
            new Dictionary<string, int> { [Gone] = Machine, [Tap] = Machine, [Tunnel] = tunnel }, "Seen."));
        Assert.Equal([$"{Tap} {Machine}", $"{Tunnel} {tunnel}"], Live());

        Inside(() => _guard.Kill([Gone, Tap], "Not seen."));
        Assert.Equal([$"{Tunnel} {tunnel}"], Live());
        Assert.Equal(
            [
                $"PortOpened {Tap}", $"PortOpened {Gone}", $"PortOpened {Tunnel}", $"PortClosed {Tap}",
            ],
            _integrity.Read(0, 100)
                .Where(line => line.Entry.Kind is IntegrityKind.PortOpened or IntegrityKind.PortClosed)
                .Select(line => $"{line.Entry.Kind} {line.Entry.Subject}"));
    }

    [Fact]
    public void A_port_that_somebody_put_into_another_group_gets_its_own_again()
    {
        _space.Run("ip", "link", "set", "dev", Tap, "group", "77");
        Assert.Equal([$"{Tap} 77"], Live());
        Revive(Tap, Machine);
        Assert.Equal([$"{Tap} {Machine}"], Live());
    }

    public void Dispose()
    {
        _space.Dispose();
        _integrity.Dispose();
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private void Make(string device) =>
        _space.Run("ip", "link", "add", device, "type", "veth", "peer", "name", "p" + device[2..]);

    private void Revive(string port, int group) =>
        Inside(() => _guard.Revive(new Dictionary<string, int> { [port] = group }, "Seen."));

    private string[] Live() => _space.Inside(() => _guard.Live().Select(port => $"{port.Key} {port.Value}").ToArray());

    private void Inside(Action act) => _space.Inside(() =>
    {
        act();
        return 0;
    });
}
