using System.Collections.Immutable;
using Bailiwick.Ledger.Keys;
using Bailiwick.Simulation.Auditing;
using Bailiwick.Simulation.World;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Simulation;

/// <summary>Picks, by the seed alone, what happens next.</summary>
internal sealed class Schedule
{
    private const int MostMachines = 8;
    private static readonly string[] Strangers = ["stranger", "bw-0123456789abcdef"];
    private readonly Simulator _sim;
    private readonly Random _random;
    private readonly (int Weight, Func<string> Act)[] _steps;
    private int _addresses = 10;

    public Schedule(Simulator sim, Random random)
    {
        (_sim, _random) = (sim, random);
        _steps =
        [
            (34, ListenAndTurn), (8, Listen), (8, Turn), (14, ChangePolicy), (8, Place), (4, LieAboutPlaces),
            (6, LieAboutHistory), (5, Forge), (7, Die), (3, CutPower), (7, RefuseOne), (4, RefuseWrite), (8, Meddle),
            (6, PassTime), (4, CrashMachine),
        ];
        Begin();
    }

    private SignedWorld World => _sim.World;

    /// <summary>One step; tells what it is before it is done as far as it is chosen.</summary>
    public void Step(Action<string> tell)
    {
        int pick = _random.Next(_steps.Sum(s => s.Weight));
        foreach ((int weight, Func<string> act) in _steps)
        {
            pick -= weight;
            if (pick < 0)
            {
                tell($"{act.Method.Name}: ");
                tell(act());
                return;
            }
        }
    }

    private void Begin()
    {
        DateTimeOffset late = _sim.Clock.Now.AddDays(30);
        World.Sign(new DomainTerms { Tenant = "acme", Name = "web", Subnet = "10.20.1.0/24", Expires = late });
        World.Sign(new DomainTerms
        {
            Tenant = "acme", Name = "store", Subnet = "10.20.2.0/24", Expires = late, Jurisdictions = ["CH"],
        });
        World.Sign(new DomainTerms { Tenant = "rival", Name = "vault", Subnet = "10.30.1.0/24", Expires = late });
        foreach (string domain in new[] { "web", "web", "store", "vault" })
        {
            AddMachine(World.Domains.Values.Single(d => d.Name == domain));
        }

        Tell();
    }

    private string ListenAndTurn()
    {
        SimulatedHost host = Living();
        host.Listen();
        _sim.Turn(host);
        return host.Ref.Name.Text;
    }

    private string Listen()
    {
        SimulatedHost host = Living();
        host.Listen();
        return host.Ref.Name.Text;
    }

    private string Turn()
    {
        SimulatedHost host = Living();
        _sim.Turn(host);
        return host.Ref.Name.Text;
    }

    private string ChangePolicy()
    {
        DomainTerms domain = One([.. World.Domains.Values]);
        switch (_random.Next(8))
        {
            case 0 or 1 or 2:
                DomainTerms peer = One([.. World.Domains.Values.Where(d => d.Path != domain.Path)]);
                FlowTerm there = new(peer.Path, One([.. Simulator.Ports]));
                FlowTerm here = there with { Peer = domain.Path };
                if (_random.Next(3) > 0)
                {
                    World.Sign(domain with { Grants = Toggled(domain.Grants, there) });
                }

                if (_random.Next(3) > 0)
                {
                    World.Sign(peer with { Accepts = Toggled(peer.Accepts, here) });
                }

                return $"{domain.Path} to {peer.Path} on {there.Port}";
            case 3:
                MachineTerms machine = One([.. World.Machines.Values]);
                World.Sign(machine with { Address = Address(World.Domains[machine.DomainPath]) });
                return $"address of {machine.Path}";
            case 4:
                World.Sign(domain with { Expires = _sim.Clock.Now.AddMinutes(_random.Next(-10, 120)) });
                return $"{domain.Path} expires {World.Domains[domain.Path].Expires:u}";
            case 5:
                World.Sign(domain with { Expires = _sim.Clock.Now.AddDays(30) });
                return $"{domain.Path} is renewed";
            case 6:
                World.Sign(domain with { Jurisdictions = _random.Next(3) switch
                {
                    0 => ["CH"], 1 => ["DE"], _ => ["CH", "DE"],
                } });
                return $"{domain.Path} admits {string.Join(", ", World.Domains[domain.Path].Jurisdictions)}";
            default:
                if (World.Machines.Count < MostMachines)
                {
                    AddMachine(domain);
                    Tell();
                }

                return $"a machine for {domain.Path}";
        }
    }

    private string Place()
    {
        string machine = One([.. _sim.Placed.Keys]);
        _sim.Placed[machine] = (_random.Next(_sim.Hosts.Length), _random.Next(4) > 0);
        Tell();
        return $"{machine} {_sim.Placed[machine]}";
    }

    private string LieAboutPlaces()
    {
        SimulatedHost host = One(_sim.Hosts);
        string machine = One([.. _sim.Placed.Keys]);
        int liar = _sim.Hosts.IndexOf(host);
        host.View.Placed = [.. _sim.Truth(), _sim.Row(machine, liar, true)];
        return $"{host.Ref.Name} is told to run {machine} as well";
    }

    private string LieAboutHistory()
    {
        SimulatedHost host = One(_sim.Hosts);
        switch (_random.Next(4))
        {
            case 0:
                host.View.Away = true;
                return $"away for {host.Ref.Name}";
            case 1:
                host.View.BeHonest();
                return $"honest to {host.Ref.Name}";
            default:
                // Never more than what the host has verified: a fork of what it has not seen is not to be told.
                long seen = host.Watch?.Checkpoint?.Size ?? 0;
                int size = (int)Math.Max(1, seen - _random.Next(1, 6));
                if (size >= seen)
                {
                    return "nothing to go back to";
                }

                ScriptedBoard branch = World.Log.Branch(size);
                bool fork = _random.Next(2) == 0;
                for (int more = 0; fork && branch.Nodes.Size <= World.Log.Nodes.Size; more++)
                {
                    branch.Append(World.Envelopes[more % World.Envelopes.Count]);
                }

                host.View.Shown = branch;
                return $"{(fork ? "a fork" : "a rollback")} at {size} for {host.Ref.Name}";
        }
    }

    private string Forge()
    {
        DomainTerms domain = One([.. World.Domains.Values]);
        DomainTerms wish = domain with
        {
            Expires = _sim.Clock.Now.AddYears(5),
            Jurisdictions = ["CH", "DE"],
            Grants = [.. World.Domains.Keys.Where(d => d != domain.Path).Select(d => new FlowTerm(d, 5432))],
            Accepts = [.. World.Domains.Keys.Where(d => d != domain.Path).Select(d => new FlowTerm(d, 5432))],
        };
        switch (_random.Next(4))
        {
            case 0:
                World.Forge(wish, World.Tenant(domain.Tenant == "acme" ? "rival" : "acme").Signers);
                return $"{domain.Path} with the other tenant's keys";
            case 1:
                World.Forge(wish, [new EcdsaSigner(World.StrangersKey()), new EcdsaSigner(World.StrangersKey())]);
                return $"{domain.Path} with a stranger's keys";
            case 2:
                World.Forge(wish with { Tenant = "acme", Name = "web" }, [World.Tenant("acme").Signers[0]]);
                return "acme/web with a dropped signature";
            default:
                World.Log.Append(One(World.Envelopes));
                return "an old statement once more";
        }
    }

    private string Die()
    {
        SimulatedHost host = Living();
        if (_random.Next(3) == 0)
        {
            (host.Disk.Fault, host.Disk.FaultAt) = (DiskFault.Die, host.Disk.Calls + _random.Next(1, 20));
        }
        else
        {
            host.Kernel.DieAt = host.Kernel.Changes + _random.Next(1, 25);
        }

        host.Listen();
        _sim.Turn(host);
        host.Die();
        return host.Ref.Name.Text;
    }

    private string CutPower()
    {
        SimulatedHost host = Living();
        host.CutPower();
        _sim.Auditor.Accept(host);
        return host.Ref.Name.Text;
    }

    private string RefuseOne()
    {
        SimulatedHost host = Living();
        host.Kernel.FailAt = host.Kernel.Changes + _random.Next(1, 25);
        _sim.Turn(host);
        return host.Ref.Name.Text;
    }

    private string RefuseWrite()
    {
        SimulatedHost host = Living();
        host.DiskFailed = true;
        host.Disk.Fault = _random.Next(2) == 0 ? DiskFault.NoSpace : DiskFault.InputOutput;
        host.Disk.FaultAt = host.Disk.Calls + _random.Next(1, 12);
        host.Listen();
        _sim.Turn(host);
        return host.Ref.Name.Text;
    }

    /// <summary>Somebody with root on the host does something by hand.</summary>
    private string Meddle()
    {
        SimulatedHost host = Living();
        FakeNetwork network = host.Kernel.Network;
        host.Disturbed = true;
        string what = Meddle(host, network, _random.Next(7));
        _sim.Auditor.Accept(host);
        return $"{what} on {host.Ref.Name}";
    }

    private string Meddle(SimulatedHost host, FakeNetwork network, int way)
    {
        string[] running = [.. host.Hypervisor.Running];
        switch (way)
        {
            case 0 when network.Tables.Count > 0:
                string place = One([.. network.Tables.Keys]);
                network.Tables[place].Insert(_random.Next(network.Tables[place].Count), Auditor.SlippedIn);
                return $"a rule into {place}";
            case 1 when network.Tables.Count > 0:
                string flushed = One([.. network.Tables.Keys]);
                network.Tables[flushed].Clear();
                return $"{flushed} flushed";
            case 2 when network.Links.Values.Any(l => l.Kind == "tun"):
                string tap = One([.. network.Links.Where(l => l.Value.Kind == "tun").Select(l => l.Key)]);
                string bridge = One([.. network.Links.Where(l => l.Value.Kind == "bridge").Select(l => l.Key)]);
                network.Links[tap].Master = bridge;
                return $"{tap} into {bridge}";
            case 3 when network.Links.Values.Any(l => l.Kind == "bridge"):
                string removed = One([.. network.Links.Where(l => l.Value.Kind == "bridge").Select(l => l.Key)]);
                network.RemoveLink(removed);
                return $"{removed} removed";
            case 4 when network.Links.Count > 0:
                foreach (FakeLink link in network.Links.Values)
                {
                    link.Group = 1;
                }

                return "every port made live";
            case 5 when running.Length > 0:
                string machine = One(running);
                host.Hypervisor.ChangeBehindTheBack(machine, xml => xml.Replace(
                    "<cmdline>", "<cmdline>init=/bin/sh ", StringComparison.Ordinal));
                return $"{machine} changed";
            default:
                string stranger = One(Strangers);
                host.Hypervisor.StartBehindTheBack(stranger, Guid.NewGuid());
                return $"{stranger} started";
        }
    }

    private string PassTime()
    {
        _sim.Clock.Advance(TimeSpan.FromMinutes(_random.Next(1, 90)));
        return $"{_sim.Clock.Now:u}";
    }

    private string CrashMachine()
    {
        SimulatedHost host = One(_sim.Hosts);
        string[] running = [.. host.Hypervisor.Running.Where(n => !Strangers.Contains(n))];
        if (running.Length == 0)
        {
            return "none";
        }

        string machine = One(running);
        host.Hypervisor.Crash(machine);
        _sim.Auditor.Accept(host);
        return $"{machine} on {host.Ref.Name}";
    }

    /// <summary>A host whose process lives, or lives again.</summary>
    private SimulatedHost Living()
    {
        SimulatedHost host = One(_sim.Hosts);
        if (!host.Alive)
        {
            host.Start();
        }

        return host;
    }

    private void AddMachine(DomainTerms domain)
    {
        int number = World.Machines.Values.Count(m => m.DomainPath == domain.Path) + 1;
        MachineTerms machine = new(domain.Tenant, $"{domain.Name}-{number}", domain.Name, Address(domain));
        World.Sign(machine);
        _sim.Placed[machine.Path] = (_random.Next(_sim.Hosts.Length), true);
    }

    private string Address(DomainTerms domain) => domain.Subnet.Replace("0/24", $"{_addresses++ % 240 + 10}");

    /// <summary>The operator's word to everybody.</summary>
    private void Tell()
    {
        foreach (SimulatedHost host in _sim.Hosts)
        {
            host.View.Placed = _sim.Truth();
        }
    }

    private static ImmutableArray<FlowTerm> Toggled(
        ImmutableArray<FlowTerm> terms, FlowTerm term) =>
        terms.Contains(term) ? terms.Remove(term) : terms.Add(term);

    private T One<T>(IReadOnlyList<T> of) => of[_random.Next(of.Count)];
}
