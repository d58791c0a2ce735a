using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Tests.Domains;
using Bailiwick.Tests.Fakes;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>The guard of a host while somebody else changes it.</summary>
public sealed class HostGuardTests : IDisposable
{
    private const string Closing = "bwt0000000001", Opening = "bwt0000000002";
    private static readonly int Machine = PortGroups.Of(PortKind.Machine, 4711);
    private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-guard-").FullName;
    private readonly PrivateDirectory _directory;
    private readonly FakeHost _host = new();
    private readonly TableKeeper _tables;
    private readonly IntegrityManager _integrity;
    private readonly HostGuard _guard;

    public HostGuardTests()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
        RulesWatch watch = new(_host);
        NetworkTools tools = new(_host, watch);
        _tables = new TableKeeper(tools, watch, TimeProvider.System);
        _guard = new HostGuard(tools, _tables, _integrity, new PlannedNames());
        foreach (string port in new[] { Closing, Opening })
        {
            _host.Network.Links.Add(port, new FakeLink { Kind = "tun" });
        }
    }

    [Fact]
    public void While_a_drift_is_described_ports_are_closed_without_waiting_and_none_is_opened()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        HostPlan plan = Refine.ForHost(Datacentre(), All, ExamplePlacements.Host("host-1"), Now);
        _guard.Ensure(plan);
        Open(Closing);
        Assert.Contains(Closing, _host.Network.LivePorts);
        _host.Network.Tables[$"- bridge {HostGuard.Table}"].Insert(3, "accept");

        Task? opening = null;
        bool isClosed = false, isOpened = true;
        _tables.Effects = _ =>
        {
            // Somebody makes a port live past the guard; whoever is told so closes it now, and not after this.
            _host.Network.Links[Closing].Group = Machine;
            isClosed = Task.Run(() => _guard.Kill([Closing], "It is gone."), cancel).Wait(10_000, cancel)
                && !_host.Network.LivePorts.Contains(Closing);
            opening = Task.Run(() => Open(Opening), cancel);
            isOpened = opening.Wait(200, cancel);
            return ["It opens everything."];
        };
        _guard.Ensure(plan);

        Assert.True(isClosed);
        Assert.False(isOpened);
        Assert.True(opening?.Wait(10_000, cancel));
        Assert.Contains(Opening, _host.Network.LivePorts);
        Assert.DoesNotContain(Closing, _host.Network.LivePorts);
        Assert.True(_guard.Stands(plan));
        string[] told =
        [
            .. _integrity.Read(0, 100).Select(line => line.Entry.Kind).Where(kind =>
                kind is IntegrityKind.Drift or IntegrityKind.PortOpened or IntegrityKind.PortClosed)
                .Select(kind => $"{kind}"),
        ];
        Assert.Equal(["PortOpened", "PortClosed", "Drift", "PortOpened"], told);
    }

    public void Dispose()
    {
        _integrity.Dispose();
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private void Open(string port) =>
        _guard.Revive(new Dictionary<string, int> { [port] = Machine }, "It was looked at.");
}
