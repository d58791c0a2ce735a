using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Compartments;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// The one plan in force on this host, with what it was computed from. Immutable and replaced as a whole, so that
/// every reader sees one consistent state. Only <see cref="PlanKeeper"/> puts one in force, after its digest is in the
/// integrity log.
/// </summary>
public sealed class EnforcedPlan
{
    private readonly FrozenDictionary<string, CompartmentPlan> _machines;
    private readonly FrozenDictionary<string, DomainPlan> _homes;
    private readonly FrozenSet<CompartmentRef> _running;

    /// <summary>
    /// The other hosts that must prove themselves, for which domains, and why each was not trusted when the plan was
    /// computed; null where it was.
    /// </summary>
    public FrozenDictionary<(HostRef Host, DomainRef Domain), string?> Doubts { get; init; } =
        FrozenDictionary<(HostRef Host, DomainRef Domain), string?>.Empty;

    /// <summary>The encrypted switches that another host has a part in, trusted or not: it may be on its way.</summary>
    public ImmutableArray<string> SegmentsWith(HostRef peer) => SharedSegments.With(
        Plan, Doubts.Keys.Where(pair => pair.Host == peer).Select(pair => pair.Domain).ToHashSet());

    /// <summary>The domains that must trust this host, and how it stood for each when the plan was computed.</summary>
    public FrozenDictionary<DomainRef, OwnStanding> Standings { get; init; } =
        FrozenDictionary<DomainRef, OwnStanding>.Empty;

    /// <summary>Machines with which this host is not trusted: stopped and not planned, or planned and paused.</summary>
    public FrozenDictionary<CompartmentRef, LostMachine> Lost { get; init; } =
        FrozenDictionary<CompartmentRef, LostMachine>.Empty;

    internal EnforcedPlan(
        HostPlan plan, CheckedDatacentre datacentre, ImmutableArray<PlacementProposal> proposals, string text)
    {
        Plan = plan;
        Datacentre = datacentre;
        Proposals = proposals;
        Text = text;
        Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        Dictionary<string, CompartmentPlan> machines = new(StringComparer.Ordinal);
        Dictionary<string, DomainPlan> homes = new(StringComparer.Ordinal);
        foreach (DomainPlan domain in plan.Domains)
        {
            foreach (CompartmentPlan machine in domain.Compartments)
            {
                machines.TryAdd(machine.MachineName, machine);
                homes.TryAdd(machine.MachineName, domain);
            }
        }

        _machines = machines.ToFrozenDictionary(StringComparer.Ordinal);
        _homes = homes.ToFrozenDictionary(StringComparer.Ordinal);
        _running = proposals.Where(p => p.Host == plan.Host && p.Running).Select(p => p.Compartment).ToFrozenSet();
    }

    /// <summary>What this host enforces.</summary>
    public HostPlan Plan { get; }
    /// <summary>The policies it was refined from.</summary>
    public CheckedDatacentre Datacentre { get; }
    /// <summary>The Master's suggestions it was refined from.</summary>
    public ImmutableArray<PlacementProposal> Proposals { get; }
    /// <summary>The refinement it is of, which tells the other hosts' plans.</summary>
    public required RefinedDatacentre Refined { get; init; }
    /// <summary>The plan written out.</summary>
    public string Text { get; }
    /// <summary>SHA-256 of <see cref="Text"/>, lower hex.</summary>
    public string Digest { get; }

    /// <summary>Every machine of the plan once, even when it is a member of several domains.</summary>
    public IEnumerable<CompartmentPlan> Machines => _machines.Values;

    /// <summary>The machine with libvirt's name, or null.</summary>
    public CompartmentPlan? Machine(string machineName) => _machines.GetValueOrDefault(machineName);

    /// <summary>The domain whose unit starts and stops the machine: the first it is a member of.</summary>
    public DomainPlan? Home(string machineName) => _homes.GetValueOrDefault(machineName);

    /// <summary>The machines whose home is the domain.</summary>
    public IEnumerable<CompartmentPlan> MachinesAtHome(DomainPlan domain) =>
        domain.Compartments.Where(m => Home(m.MachineName)?.Domain == domain.Domain);

    /// <summary>The domain on this host, or null.</summary>
    public DomainPlan? Domain(DomainRef domain) => Plan.Domains.FirstOrDefault(d => d.Domain == domain);

    /// <summary>The domains of this host whose bridges the machine's ports are on.</summary>
    public IEnumerable<DomainPlan> DomainsOf(CompartmentPlan machine) =>
        Plan.Domains.Where(d => machine.Ports.Any(p => p.Bridge == d.Network.Bridge));

    /// <summary>Why this host is not trusted with a machine, by libvirt's name; null while it is.</summary>
    public LostMachine? LostBy(string machineName) =>
        Lost.Values.FirstOrDefault(lost => MachineLayout.NameOf(lost.Machine) == machineName);

    /// <summary>Whom a machine concerns: its owner, and the owners of the domains that it is a member of.</summary>
    public IntegrityReaders ReadersOf(CompartmentPlan machine) =>
        IntegrityReaders.Of([machine.Ref.Tenant, .. DomainsOf(machine).Select(d => d.Domain.Tenant)]);

    /// <summary>Whether a machine, by libvirt's name, is on this host and ordered to stop.</summary>
    public bool IsToStop(string machineName) => Proposals.Any(p =>
        p.Host == Plan.Host && !p.Running && MachineLayout.NameOf(p.Compartment) == machineName);

    /// <summary>This plan without what the host lost the trust for; nothing in it is new.</summary>
    internal EnforcedPlan Narrowed(FrozenDictionary<DomainRef, OwnStanding> standings)
    {
        NarrowedPlan own = OwnMachines.Narrow(
            Plan, Datacentre, domain => standings.GetValueOrDefault(domain) ?? OwnStanding.Unknown);
        Dictionary<CompartmentRef, LostMachine> lost = new(Lost);
        foreach (LostMachine machine in own.Lost)
        {
            lost[machine.Machine] = machine;
        }

        return new EnforcedPlan(own.Plan, Datacentre, Proposals, Encoding.UTF8.GetString(PlanJson.Write(own.Plan)))
        {
            Refined = Refined,
            Doubts = Doubts,
            Standings = standings,
            Lost = lost.ToFrozenDictionary(),
        };
    }

    /// <summary>Whether the machine is suggested to run now, and this host is trusted with it.</summary>
    public bool WantsRunning(CompartmentPlan machine) =>
        _running.Contains(machine.Ref) && !Lost.ContainsKey(machine.Ref);

    /// <summary>
    /// What a start rests on; one that failed is tried again at once when this is another: another plan, or the first
    /// yes of all who must trust this host.
    /// </summary>
    public string StartsUnder(CompartmentPlan machine) => MayResume(machine) ? $"{Digest} trusted" : Digest;

    /// <summary>
    /// Whether a machine that was paused may execute again: only when each of its domains has said so.
    /// </summary>
    public bool MayResume(CompartmentPlan machine) => !Lost.ContainsKey(machine.Ref)
        && OwnMachines.DomainsOf(Datacentre, machine.Ref)
            .All(domain => Standings.GetValueOrDefault(domain)?.Trust == OwnTrust.Held);
}
