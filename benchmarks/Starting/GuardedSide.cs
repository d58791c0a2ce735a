using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Benchmarks.Starting;

/// <summary>
/// A machine under Bailiwick: ordered at the board, placed, admitted, its volume's key released by the tenant's key
/// service, allowed by libvirt's hook, its port made live after its rules were seen in force.
/// </summary>
internal sealed class GuardedSide : IAsyncDisposable
{
    private const string Tenant = "bank";
    private const string Operator = "alpine";
    private const string Machine = "bank/web-1";
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    // After the machine is gone its key goes back to the key service, which ends the stop; nobody starts sooner.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    private readonly LabDatacentre _datacentre;
    private readonly BoardDesk _desk;
    private readonly LabDeployment _deployment;

    private GuardedSide(LabDeployment deployment, BoardDesk desk, PlacementRow row)
    {
        _deployment = deployment;
        _datacentre = deployment.Datacentre;
        _desk = desk;
        Compartment = row.Compartment;
        MachineName = "bw-" + DerivedNames.Digits(row.Compartment, DerivedNames.MachineDigits);
        ProbeSocket = Path.Combine(
            deployment.Paths.Proxy(Host.Name), "state", "machines", MachineName, "probe.sock");
    }

    internal LabHost Host => _datacentre.Hosts[0];

    internal string MachineName { get; }

    /// <summary>The process of the tenant's key service.</summary>
    internal int KeyService => new LabRegister(_deployment.Paths.Root).Current.Programs
        .Single(one => one.Program == "Bailiwick.KeyService" && one.Process.IsAlive).Process.Pid;

    private string Compartment { get; }

    private string ProbeSocket { get; }

    /// <summary>Brings up one host with everything, and waits for the machine's first start.</summary>
    internal static async Task<GuardedSide> Up(
        LabPaths paths, GuestImage image, IProgress<LabStep> progress, CancellationToken cancel)
    {
        var policies = Path.Combine(Checkout.Root, "benchmarks", "policies");
        var datacentre = await LabBuilder.Up(paths, policies, hosts: 1, progress, cancel);
        BoardDesk? desk = null;
        try
        {
            LabHosts hosts = new(datacentre, image, MeasuredStart.Take(paths.Cache, progress, cancel));
            var deployment = await LabDeployment.Create(paths, hosts, policies, progress, cancel);
            desk = deployment.Board(Tenant);
            var side = new GuardedSide(deployment, desk, await Placed(desk, cancel));
            await BootWatch.Ready(side.ProbeSocket, Machine, BootLimit, cancel);
            return side;
        }
        catch
        {
            desk?.Dispose();
            await datacentre.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the machine in order, then measures from the order to start it until it is ready and its port
    /// is live.</summary>
    internal async Task<double> Start(CancellationToken cancel)
    {
        await _desk.Board.SetPower(Compartment, false, cancel);
        for (var attempt = 0; await Runs(); attempt++)
        {
            if (attempt == 300)
            {
                throw new LabException("the machine does not stop", MachineName, "read the Proxy's log");
            }

            await Task.Delay(Look, cancel);
        }

        await Task.Delay(Rest, cancel);
        var start = Stopwatch.GetTimestamp();
        await _desk.Board.SetPower(Compartment, true, cancel);
        await BootWatch.Ready(ProbeSocket, Machine, BootLimit, cancel);
        var ready = Stopwatch.GetElapsedTime(start);
        for (var attempt = 0; !await IsLive(); attempt++)
        {
            if (attempt == 300)
            {
                throw new LabException("the machine's port stays dead", MachineName, "read the Proxy's log");
            }

            ready = Stopwatch.GetElapsedTime(start);
        }

        return ready.TotalSeconds;
    }

    /// <summary>Opens the machine's probe.</summary>
    internal Task<ProbeChannel> Meet(CancellationToken cancel) =>
        ProbeChannel.Open(ProbeSocket, Machine, BootLimit, cancel);

    /// <summary>How long the last release of the machine's key took, in the Proxy's own words.</summary>
    internal async Task<double> KeySeconds(CancellationToken cancel)
    {
        using BoardDesk operators = _deployment.Board(Operator);
        using HttpClient client = operators.Host(
            $"{_deployment.Desks.Desks[Operator].Facts.Id}/{Host.Name}");
        using JsonDocument status = JsonDocument.Parse(
            await client.GetStringAsync(new Uri("/v1/status", UriKind.Relative), cancel));
        return status.RootElement.GetProperty("keys").EnumerateArray().Single()
            .GetProperty("microseconds").GetInt64() / 1e6;
    }

    public async ValueTask DisposeAsync()
    {
        _desk.Dispose();
        await _datacentre.DisposeAsync();
    }

    private async Task<bool> Runs() =>
        (await Host.Virsh("list", "--name")).Output.Contains(MachineName, StringComparison.Ordinal);

    private async Task<bool> IsLive() =>
        (await Host.LivePorts()).Any(port => port.StartsWith("bwt", StringComparison.Ordinal));

    private static async Task<PlacementRow> Placed(BoardDesk desk, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var rows = await desk.Board.Placements(cancel);
            if (rows.Length == 1 && rows[0].Host is not null)
            {
                return rows[0];
            }

            await Task.Delay(Look, cancel);
        }

        throw new LabException(
            "the machine is placed nowhere", Machine, "read the Master's log in the lab's directory");
    }
}
