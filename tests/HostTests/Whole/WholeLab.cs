using System.Diagnostics;
using System.Net;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Domains.Policy;
using Bailiwick.HostTests.Lab;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// The whole product on one machine: two hosts, a Master, two key services, two Proxies, all as their own programs
/// started from the files that an operator would write. Each test leaves it settled.
/// </summary>
public sealed class WholeLab : IAsyncLifetime
{
    internal const string Operator = "alpine";

    /// <summary>A machine that does other work besides is slow, not wrong: only what never comes is wrong.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan QuestionLimit = TimeSpan.FromMilliseconds(700);
    private LabDatacentre? _datacentre;
    private LabDeployment? _deployment;

    public LabDeployment Deployment => _deployment ?? throw new InvalidOperationException("not up");

    public LabPaths Paths => Deployment.Paths;

    /// <summary>Writes the policies below a directory; the machines are those of the small ones.</summary>
    internal Func<string, string> Policies { get; init; } = SmallPolicies.Write;

    /// <summary>The machines of those policies.</summary>
    internal string[] Machines { get; init; } = SmallPolicies.Machines;

    /// <summary>The hosts, by name.</summary>
    internal IReadOnlyList<WholeHost> Hosts { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await LabFixture.SweepKilledRuns();

        // Short, because the address of a unix socket is: 107 bytes (unix(7)).
        string root = Path.Combine(Path.GetTempPath(), $"bailiwick-lab-{Guid.NewGuid():N}"[..22]);
        try
        {
            Directory.CreateDirectory(LabFixture.Cache);
            Directory.CreateDirectory(root);
            Directory.CreateSymbolicLink(Path.Combine(root, "cache"), LabFixture.Cache);
            var paths = new LabPaths(root);
            string policies = Policies(Path.Combine(root, "written"));
            GuestImage image = await GuestImage.Build(paths.Cache);
            _datacentre = await LabBuilder.Up(paths, policies, hosts: null, null, default);
            LabHosts hosts = new(_datacentre, image, MeasuredStart.Take(paths.Cache, null, default));
            _deployment = await LabDeployment.Create(paths, hosts, policies, null, default);
            Hosts = [.. _datacentre.Hosts.Select(h => new WholeHost(h, Deployment))];
            await Settled();
        }
        catch (Exception error)
        {
            string said = _deployment is null ? "" : Said();
            await DisposeAsync();
            throw new InvalidOperationException($"{error.Message}\n{said}", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        LabDatacentre? ended = Interlocked.Exchange(ref _datacentre, null);
        if (ended is not null)
        {
            await ended.DisposeAsync();
            Directory.Delete(ended.Options.Directory, recursive: true);
        }

        _deployment?.Desks.Dispose();
    }

    /// <summary>The last words of every program, for a failure to show.</summary>
    private string Said() => string.Join('\n', new LabRegister(Deployment.Paths.Root).Current.Programs
        .Where(p => p.Program.StartsWith("Bailiwick.", StringComparison.Ordinal) && File.Exists(p.Log))
        .Select(p => $"{p.Program} in {p.Space}: {string.Join('\n', File.ReadLines(p.Log).TakeLast(8))}"));

    internal WholeHost Host(string name) => Hosts.Single(h => h.Name == name);

    /// <summary>A machine's model, by `party/name`.</summary>
    internal static string NameOf(LabDeployment deployment, string machine) =>
        "bw-" + DerivedNames.Digits(Reference(deployment, machine), DerivedNames.MachineDigits);

    /// <summary>`tenant id/name` of `party/name`.</summary>
    internal static string Reference(LabDeployment deployment, string machine) =>
        $"{deployment.Desks.Desks[machine.Split('/')[0]].Facts.Id}/{machine.Split('/')[1]}";

    internal string Reference(string machine) => Reference(Deployment, machine);

    internal string MachineName(string machine) => NameOf(Deployment, machine);

    /// <summary>What the board says to a party.</summary>
    internal async Task<BoardStatus> Status(string party = Operator)
    {
        using BoardDesk desk = Deployment.Board(party);
        return await desk.Board.Status();
    }

    /// <summary>The host a machine is suggested to be on.</summary>
    internal async Task<WholeHost> Where(string machine)
    {
        string reference = Reference(machine);
        string? host = (await Status()).Compartments.Single(c => c.Compartment == reference).Host;
        return Host(host?.Split('/')[^1] ?? throw new InvalidOperationException($"{machine} is nowhere"));
    }

    /// <summary>Whether a machine is suggested to be anywhere.</summary>
    internal async Task<bool> IsPlaced(string machine) =>
        (await Status()).Compartments.Single(one => one.Compartment == Reference(machine)).Host is not null;

    /// <summary>Opens a machine's probe; one channel of a machine at a time.</summary>
    internal async Task<ProbeChannel> Meet(string machine) => await Meet(machine, await Where(machine));

    /// <summary>Opens the probe of a machine on a host.</summary>
    internal async Task<ProbeChannel> Meet(string machine, WholeHost host)
    {
        string socket = Path.Combine(Paths.Proxy(host.Name), "state", "machines", MachineName(machine), "probe.sock");
        return await ProbeChannel.Open(host.Space.PathInside(socket), machine, Patience);
    }

    /// <summary>Whether the bank's web machine gets an answer of its ledger on a port.</summary>
    internal async Task<bool> Flows(int port = SmallPolicies.FlowPort)
    {
        await using (ProbeChannel ledger = await Meet(SmallPolicies.Ledger))
        {
            await ledger.ListenTcp(port);
        }

        await using ProbeChannel web = await Meet(SmallPolicies.Web);
        ProbeAnswer answer = await web.Ask(
            new ProbeQuestion(ProbeKind.Tcp, IPAddress.Parse("10.20.2.11"), port, "w"), QuestionLimit);
        return answer.Identity == SmallPolicies.Ledger;
    }

    /// <summary>Opens or closes the one flow by the ledger's half of it, and publishes that.</summary>
    internal async Task SetFlow(bool open)
    {
        const string Closed = "  accepts: []\n", Opened = "  accepts:\n" + SmallPolicies.Acceptance;
        await Change("bank", "ledger", text =>
        {
            string opened = text.Replace(Closed, Opened, StringComparison.Ordinal);
            return open ? opened : opened.Replace(Opened, Closed, StringComparison.Ordinal);
        });
    }

    /// <summary>Signs and publishes what a party has changed in its policies.</summary>
    internal async Task Publish(string party)
    {
        if (Deployment.Desks.Sign(party, Deployment.LogKey()) is { Count: > 0 } changed)
        {
            await Deployment.Publish(party, changed, default);
        }
    }

    /// <summary>Changes one file of a party's policies, and publishes that.</summary>
    internal async Task Change(string party, string file, Func<string, string> change)
    {
        string path = Path.Combine(Paths.Policies, party, file + ".yaml");
        await File.WriteAllTextAsync(path, change(await File.ReadAllTextAsync(path)));
        await Publish(party);
    }

    /// <summary>Orders a machine's power, as its owner.</summary>
    internal async Task SetPower(string machine, bool running)
    {
        using BoardDesk desk = Deployment.Board(machine.Split('/')[0]);
        await desk.Board.SetPower(Reference(machine), running);
    }

    /// <summary>Waits until a machine has no process.</summary>
    internal Task Stopped(string machine) => Until(() => Task.FromResult(
        Processes().ContainsKey(MachineName(machine)) ? $"{machine} still has a process" : null), $"{machine} stops");

    /// <summary>The processes of machines, by libvirt's name.</summary>
    internal IReadOnlyDictionary<string, int> Processes()
    {
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        string[] names = [.. Machines.Select(MachineName)];
        foreach ((int pid, string command) in ProcessFiles.All("cmdline"))
        {
            if (command.StartsWith("/usr/bin/qemu-system", StringComparison.Ordinal)
                && names.FirstOrDefault(n => command.Contains($"guest={n},", StringComparison.Ordinal)) is { } name)
            {
                Assert.False(found.ContainsKey(name), $"{name} runs twice: {pid} and {found.GetValueOrDefault(name)}");
                found.Add(name, pid);
            }
        }

        return found;
    }

    /// <summary>Kills a program of the product, without warning.</summary>
    internal async Task Kill(string place, string room)
    {
        LabProgramRecord program = Living(place, room)
            ?? throw new InvalidOperationException($"no {room} runs in {place}");
        await program.Process.End(TimeSpan.Zero);

        // Its first thread is dead; what it locked is free when the last one is, and only then it leaves /proc.
        await Until(() => Task.FromResult(
            Directory.Exists($"/proc/{program.Process.Pid}") ? "a thread is left" : null), $"the {room} is gone");
    }

    /// <summary>Makes sure that no Master runs.</summary>
    internal Task EndMaster() => Living("master", "Master") is null ? Task.CompletedTask : Kill("master", "Master");

    private LabProgramRecord? Living(string place, string room) => new LabRegister(Paths.Root).Current.Programs
        .LastOrDefault(p => p.Space == place && p.Program == $"Bailiwick.{room}" && p.Process.IsAlive);

    /// <summary>The process of a program in a host, or in a service's place.</summary>
    internal int Running(string place, string program) => new LabRegister(Paths.Root).Current.Programs
        .Last(p => p.Space == place && p.Program == program && p.Process.IsAlive).Process.Pid;

    /// <summary>Starts the Master again, and waits until it answers.</summary>
    internal async Task StartMaster()
    {
        await StartInside("master", "Master", Path.Combine(Paths.Master, "master.json"));
        await Until(async () => await Try(() => Status()), "the Master answers");
    }

    /// <summary>Starts a tenant's key service again.</summary>
    internal Task StartKeyService(string tenant) =>
        StartInside("keys-" + tenant, "KeyService", Path.Combine(Paths.KeyService(tenant), "keyservice.json"));

    /// <summary>Brings back what an earlier test may have left when it failed, and waits until all is settled.
    /// </summary>
    internal async Task Ready()
    {
        await Revive();
        await SetFlow(open: true);
        foreach (string machine in Machines)
        {
            await SetPower(machine, running: true);
        }

        await Settled();
        await Until(async () => await Flows() ? null : "closed", "the flow is open");
    }

    private async Task Revive()
    {
        if (Living("master", "Master") is null)
        {
            await StartMaster();
        }

        foreach (string tenant in Deployment.Desks.Tenants.Where(t => Living("keys-" + t, "KeyService") is null))
        {
            await StartKeyService(tenant);
        }

        foreach (WholeHost host in Hosts.Where(h => Living(h.Name, "Proxy") is null))
        {
            await Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>
    /// Waits until every machine runs and answers to its Proxy's eyes, every unit is converged, and every host has
    /// reported so.
    /// </summary>
    internal Task Settled(params string[] except) => Until(async () =>
    {
        BoardStatus status = await Status();
        string[] awaited = [.. Machines.Except(except)];
        string[] wanted = [.. awaited.Select(Reference)];
        IReadOnlyDictionary<string, int> processes = Processes();
        List<string> missing =
        [
            .. status.Hosts.Where(h => h.State != "reporting").Select(h => $"{h.Host} is {h.State}"),
            .. status.Compartments.Where(c => wanted.Contains(c.Compartment) && c.State != "running")
                .Select(c => $"{c.Compartment} is {c.State}: {string.Join("; ", c.Refusals.Select(r => r.Sentence))}"),

            // The board says what a host said last, which may be from before the machine was stopped.
            .. awaited.Where(m => !processes.ContainsKey(MachineName(m))).Select(m => $"{m} has no process"),
        ];
        foreach (WholeHost host in Hosts)
        {
            missing.AddRange((await host.Status()).Units.Where(u => u.Health != "converged")
                .Select(u => $"{host.Name}: {u.Unit} is {u.Health}: {u.Problem} "
                    + $"({string.Join(", ", u.Steps.Select(s => s.Ok ? s.Name : $"not {s.Name}"))})"));
        }

        return missing.Count == 0 && status.Compartments.Length == Machines.Length
            ? null : string.Join("; ", missing);
    }, "everything is settled");

    /// <summary>Waits until nothing is missing any more; a question that fails is asked again.</summary>
    internal static async Task Until(Func<Task<string?>> missing, string what, TimeSpan? limit = null)
    {
        Stopwatch clock = Stopwatch.StartNew();
        string? last;
        do
        {
            try
            {
                last = await missing();
            }
            catch (Exception error) when (error is HttpRequestException or BoardException or LabException)
            {
                last = error.Message;
            }

            if (last is null)
            {
                return;
            }

            await Task.Delay(150, TestContext.Current.CancellationToken);
        }
        while (clock.Elapsed < (limit ?? Patience));

        Assert.Fail($"not in time: {what}: {last}");
    }

    private static async Task<string?> Try<T>(Func<Task<T>> ask)
    {
        await ask();
        return null;
    }

    private async Task StartInside(string place, string room, string config)
    {
        string log = Path.Combine(Path.GetDirectoryName(config) ?? "/", room.ToLowerInvariant() + ".log");
        int before = File.Exists(log) ? Readies(log) : 0;
        LabProgram program = await Deployment.Datacentre.Service(place).StartInside(
            [ProductPrograms.Find(room), "--config", config], ProductPrograms.Environment, log);
        await Until(
            () => Task.FromResult(Readies(log) > before ? null : program.LogTail()), $"the {room} is ready");
    }

    private static int Readies(string log) => File.ReadLines(log).Count(line => line.Trim() == "ready");
}
