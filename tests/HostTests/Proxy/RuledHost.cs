using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Factory;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Verification;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.Proxy;

/// <summary>
/// One host as namespaces, whose rules the product's own parts bring to what a board tells, each unit in its loop. No
/// machine of its plan is started.
/// </summary>
internal sealed class RuledHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string _path = Directory.CreateTempSubdirectory("bw-rh-").FullName;
    private readonly PlanOnNamespaces _spaces = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly PrivateDirectory _directory;
    private readonly IntegrityManager _integrity;
    private readonly AcceptedStatements _accepted;
    private readonly BoardMemoryFile _memory;
    private readonly PlanKeeper _plans;
    private readonly HostNetwork _network;
    private readonly TvdFactory _factory;
    private readonly BoardWatch _watch;
    private Task _following = Task.CompletedTask;

    public RuledHost()
    {
        Datacentre = new SignedDatacentre(new string('1', 64), new string('2', 64));
        Log = new TestLog(Datacentre.LogKey);
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
        _accepted = AcceptedStatements.Open(_directory);
        _memory = BoardMemoryFile.Open(_directory);
        _plans = new PlanKeeper(Datacentre.Host(1), _integrity, TimeProvider.System, (_, _) => null);
        Commands = new CountedCommands(new InsideHost(_spaces));
        _network = new HostNetwork(
            Commands, _integrity, _plans.Names,
            new TunnelKeeper(new WireGuardTools(Commands), new PeerTunnelKeys(), TimeProvider.System),
            TimeProvider.System);
        _factory = new TvdFactory(_plans, new Units(_plans, _network), TimeProvider.System);
        _watch = new BoardWatch(
            new BoardFollower(new LivingBoard(Log), Log.Key, _memory), _accepted, _plans, _integrity);
    }

    public SignedDatacentre Datacentre { get; }

    public TestLog Log { get; }

    /// <summary>What was run on the host.</summary>
    public CountedCommands Commands { get; }

    /// <summary>How often another plan came into force.</summary>
    public int Computed { get; private set; }

    public ImmutableArray<Finding> Findings => _plans.Findings;

    /// <summary>Begins to follow, with these machines on this host.</summary>
    public void Start(IReadOnlyList<CompartmentRef> machines)
    {
        Log.Append(Datacentre.Envelopes);
        Log.Place([.. machines.Select(machine => new PlacementRow(
            machine.ToString(), Datacentre.Host(1).ToString(), true, "the test says so"))]);
        _plans.Changed += () => Computed++;
        _factory.Start();
        _following = Task.Run(() => _watch.RunAsync(_stop.Token));
    }

    /// <summary>Ends the units' loops; the kernel stays as they left it.</summary>
    public async Task Rest()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _factory.DisposeAsync();
    }

    /// <summary>All that a verification reads of the network: each difference, and each effect.</summary>
    public string[] Look(bool isOnce)
    {
        EnforcedPlan plan = _plans.Current;
        return isOnce ? _network.Observed.Once(All) : All();

        string[] All() =>
        [
            .. _network.Guard.Differences(plan.Plan), .. _network.Uplink.Differences(plan.Plan),
            .. new ForeignThings(_network.Tools, "/nowhere").Find(plan.Plan),
            .. new LiveProof(_network.Tools).Effects(plan).Select(effect => effect.Sentence(_ => true)),
            .. plan.Plan.Domains.SelectMany(domain => _network.Domains.Differences(plan, domain)
                .Concat(_network.Domains.GatewayDifferences(domain))),
            .. plan.Plan.Passages.SelectMany(passage => _network.Passages.Differences(plan, passage)),
        ];
    }

    /// <summary>Publishes a statement.</summary>
    public void Tell(byte[] envelope) => Log.Append(envelope);

    /// <summary>Waits until the gateway of a tenant's domain passes connections to a port.</summary>
    public Task Passes(SignedParty tenant, string domain, int port) =>
        Until(() => Ports(tenant, domain).Contains(port), $"{domain} passes {port}");

    /// <summary>Whether the plan in force has a tenant's domain pass connections to a port.</summary>
    public bool Plans(SignedParty tenant, string domain, int port) =>
        _plans.Current.Domain(new DomainRef(tenant.Id, SignedParty.NameOf(domain)))?.Gateway?.Flows.Any(flow =>
            flow.Ports.Any(range => range.First <= port && port <= range.Last)) is true;

    /// <summary>The ports of the rules that the kernel has for connections through a domain's gateway.</summary>
    public IReadOnlyList<int> Ports(SignedParty tenant, string domain)
    {
        if (_plans.Current.Domain(new DomainRef(tenant.Id, SignedParty.NameOf(domain)))?.Gateway is not { } gateway
            || !_network.Tools.Namespaces().Contains(gateway.Namespace)
            || _network.Tools.Table(gateway.Namespace, "inet", "bw_gateway") is null)
        {
            return [];
        }

        using JsonDocument set = JsonDocument.Parse(
            _network.Tools.Elements(gateway.Namespace, "inet", "bw_gateway", "tcp4"));
        return
        [
            .. set.RootElement.GetProperty("nftables").EnumerateArray()
                .Where(row => row.TryGetProperty("set", out _)).Select(row => row.GetProperty("set"))
                .Where(row => row.TryGetProperty("elem", out _))
                .SelectMany(row => row.GetProperty("elem").EnumerateArray())
                .Select(elem => elem.GetProperty("concat")[2].GetInt32()),
        ];
    }

    /// <summary>Waits for something.</summary>
    public async Task Until(Func<bool> holds, string what)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!holds())
        {
            Assert.False(_following.IsFaulted, $"{_following.Exception}");
            Assert.True(Environment.TickCount64 < end, $"not within {Patience.TotalSeconds} s: {what}\n"
                + string.Join('\n', _factory.Statuses.Select(unit => $"{unit.Unit}: {unit.Health} {unit.Problem}")));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Rest();
        _spaces.Dispose();
        _memory.Dispose();
        _accepted.Dispose();
        _integrity.Dispose();
        _directory.Dispose();
        _stop.Dispose();
        Datacentre.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    /// <summary>The units that bring rules.</summary>
    private sealed class Units(PlanKeeper plans, HostNetwork network) : IUnitMaker
    {
        public IReconciled Host() => new HostUnit(plans, network, TimeProvider.System);

        public IReconciled Machines() => new Idle("machines");

        public IReconciled Domain(DomainRef domain) => new Rules(domain, plans, network.Domains);

        public IReconciled Passage(string name) =>
            new PassageUnit(name, plans, network.Passages, TimeProvider.System);

        public IReconciled Returns(PartyId tenant) => new Idle("returns");

        public IEnumerable<PartyId> Tenants(EnforcedPlan plan) => [];
    }

    private sealed class Rules(DomainRef domain, PlanKeeper plans, VirtualNetworkManager network) : IReconciled
    {
        public UnitStatus Status { get; } = new(domain.ToString(), TimeProvider.System);

        public Task ReconcileAsync(CancellationToken stop)
        {
            EnforcedPlan plan = plans.Current;
            if (plan.Domain(domain) is { } own)
            {
                Apply apply = new(Status);
                apply.Try("network", () => network.Bring(plan, own, apply));
                apply.End();
            }

            return Task.CompletedTask;
        }

        public Task CloseAsync() => Task.CompletedTask;
    }

    private sealed class Idle(string name) : IReconciled
    {
        public UnitStatus Status { get; } = new(name, TimeProvider.System);

        public Task ReconcileAsync(CancellationToken stop) => Task.CompletedTask;

        public Task CloseAsync() => Task.CompletedTask;
    }

    /// <summary>Tells what is new as soon as it is there.</summary>
    private sealed class LivingBoard(TestLog log) : ReadOnlyBoard
    {
        public override Task<string> Checkpoint(CancellationToken cancel = default) => Task.FromResult(log.Note());

        public override async IAsyncEnumerable<WatchEvent> Watch(
            long from, [EnumeratorCancellation] CancellationToken cancel = default)
        {
            while (true)
            {
                Task changed = log.Changed;
                foreach (WatchEvent told in log.Events(from))
                {
                    from += told is WatchEvent.Entry ? 1 : 0;
                    yield return told;
                }

                await changed.WaitAsync(cancel);
            }
        }
    }
}
