using Bailiwick.Ledger;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;
using Bailiwick.Simulation.Auditing;
using Bailiwick.Simulation.World;

namespace Bailiwick.Simulation;

/// <summary>
/// One simulated datacentre under one seed: tenants, an operator that may lie, a board that may lie, hosts that die,
/// and an auditor that looks after every change.
/// </summary>
internal sealed class Simulator : IDisposable
{
    /// <summary>The ports that flows are about.</summary>
    public static readonly ImmutableArray<int> Ports = [5432, 8443];

    private const int MostRounds = 16;
    private readonly string _files = Directory.CreateTempSubdirectory("bailiwick-simulation-").FullName;
    private readonly List<string> _told = [];
    private readonly Schedule _schedule;

    public Simulator(int seed)
    {
        Seed = seed;
        World = new SignedWorld(seed, Put("kernel"), Put("initrd"), ["CH", "CH", "DE"]);
        Hosts = [.. Enumerable.Range(0, 3).Select(i =>
            new SimulatedHost(World.Host(i), _files, World, Clock, _ => new NoKeys()))];
        Auditor = new Auditor(World, Clock, Hosts);
        foreach (SimulatedHost host in Hosts)
        {
            host.Kernel.Invariant = () => Auditor.AfterChange(host);
            host.Start();
        }

        _schedule = new Schedule(this, new Random(seed));
    }

    public int Seed { get; }

    public VirtualClock Clock { get; } = new();

    public SignedWorld World { get; }

    public ImmutableArray<SimulatedHost> Hosts { get; }

    public Auditor Auditor { get; }

    /// <summary>Where the operator, when it does not lie, has each machine.</summary>
    public SortedDictionary<string, (int Host, bool Running)> Placed { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs the schedule, then lets everything come to rest.</summary>
    /// <exception cref="InvalidOperationException">Something did not hold; with the seed and all steps.</exception>
    public void Run(int steps)
    {
        try
        {
            for (int step = 0; step < steps; step++)
            {
                _told.Add("");
                _schedule.Step(what => _told[^1] += what);
                Auditor.AfterStep();
            }

            _told.Add("the faults end");
            Settle();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(
                $"Seed {Seed}: {error.Message}\n{string.Join('\n', _told.Select((t, i) => $"{i,3} {t}"))}", error);
        }
    }

    /// <summary>A turn of a living host, and what must hold after it.</summary>
    public void Turn(SimulatedHost host)
    {
        if (host.Alive && host.Turn())
        {
            host.Disturbed = false;
            Auditor.AfterCleanTurn(host);
        }
    }

    /// <summary>Tells a host, or all, where machines are, truthfully.</summary>
    public ImmutableArray<PlacementRow> Truth() => [.. Placed.Select(p => Row(p.Key, p.Value.Host, p.Value.Running))];

    public PlacementRow Row(string machine, int host, bool running) =>
        new(World.Reference(machine), World.Host(host).ToString(), running, "");

    /// <summary>No more faults: within so many turns everything is as signed and as placed.</summary>
    public void Settle()
    {
        foreach (SimulatedHost host in Hosts)
        {
            host.View.BeHonest();
            host.View.Placed = Truth();
            (host.Kernel.DieAt, host.Kernel.FailAt, host.Disk.FaultAt) = (0, 0, 0);
            if (host.DiskFailed)
            {
                host.Die();
            }

            if (!host.Alive)
            {
                host.Start();
            }
        }

        string[] lacks = [];
        for (int round = 0; round < MostRounds; round++)
        {
            Round();
            lacks = [.. Auditor.NotConverged(Placed)];
            if (lacks.Length == 0)
            {
                Rest();
                return;
            }
        }

        throw new AuditException($"It does not come to rest: {string.Join("; ", lacks)}");
    }

    /// <summary>Once everything is as it must be, more turns do nothing and so record nothing.</summary>
    private void Rest()
    {
        int valid = Valid();
        long[] heads = Heads();
        Round();
        if (valid == Valid() && !heads.SequenceEqual(Heads()))
        {
            throw new AuditException("Nothing happened, and integrity logs grew.");
        }

        int Valid() => World.Domains.Values.Count(d => d.Expires > Clock.Now);
        long[] Heads() => [.. Hosts.Select(h => h.Integrity?.Head.Entries ?? 0)];
    }

    private void Round()
    {
        Clock.Advance(TimeSpan.FromSeconds(70));
        foreach (SimulatedHost host in Hosts)
        {
            host.Listen();
            Turn(host);
        }

        Auditor.AfterStep();
    }

    public void Dispose()
    {
        foreach (SimulatedHost host in Hosts)
        {
            host.Dispose();
        }

        World.Dispose();
        Directory.Delete(_files, recursive: true);
    }

    private string Put(string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        string digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Directory.CreateDirectory(Path.Combine(_files, "images"));
        File.WriteAllBytes(Path.Combine(_files, "images", digest), bytes);
        return digest;
    }

    private sealed class NoKeys : IVolumeKeys
    {
        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop) =>
            throw new InvalidOperationException("No volume has a key.");

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
            throw new InvalidOperationException("No volume has a key.");

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) =>
            throw new InvalidOperationException("No volume has a key.");
    }
}
