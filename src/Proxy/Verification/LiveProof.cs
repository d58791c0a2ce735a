using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Verification;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Verification;

/// <summary>
/// Proves that the tables in the kernel do what the policies say, for every packet: not by comparing them with what was
/// loaded, but by what they do.
/// </summary>
public sealed class LiveProof(NetworkTools tools)
{
    /// <summary>With more members on its switches a host's tables take longer than a repair may wait.</summary>
    public const int QuickMembers = 1_000;

    private const int MostEffects = 3;

    /// <summary>What the kernel's tables open or close against the policies; none where they are proven.</summary>
    /// <param name="plan">The plan in force.</param>
    /// <exception cref="Host.WorldException">The kernel does not answer.</exception>
    public ImmutableArray<LiveEffect> Effects(EnforcedPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var plans = PlansAround(plan);
        return RefinementProof.OfHost(plan.Plan.Host, plans, plan.Datacentre, Live) switch
        {
            RefinementVerdict.Proven => [],
            RefinementVerdict.Refuted refuted =>
            [
                .. refuted.Examples.Where(example => IsEffect(plan, example)).Take(MostEffects)
                    .Select(example => new LiveEffect(
                    [.. example.Because.Select(origin => origin.Owner).Distinct()],
                    isNamed => FlowEffect.Of(example, plans, isNamed))),
            ],
            RefinementVerdict.Unknown unknown =>
                [.. unknown.Sentences.Take(MostEffects).Select(sentence => new LiveEffect([], _ => sentence))],
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>
    /// What a plan withholds, or keeps from a host that is doubted, is closed although the policies have it open, and
    /// the plan says so itself.
    /// </summary>
    private static bool IsEffect(EnforcedPlan plan, Counterexample example) =>
        example.Difference == Difference.PassesThoughClosed
        || (plan.Plan.Withheld.IsEmpty && plan.Doubts.Values.All(doubt => doubt is null));

    /// <summary>
    /// What a drift's entry says of its effects, named to those whom it concerns. A table waits for it to be replaced,
    /// so on a crowded host it is not computed.
    /// </summary>
    /// <exception cref="Host.WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> OfDrift(EnforcedPlan plan, IntegrityReaders readers)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(readers);
        return !IsQuick(plan.Plan)
            ? [$"What it opened or closed is not computed where there are more than {QuickMembers} members."]
            :
            [
                .. Effects(plan).Where(effect => effect.Owners.Any(readers.Include))
                    .Select(effect => effect.Sentence(Named(plan.Datacentre, readers))),
            ];
    }

    /// <summary>Whether a host's tables are proven in a moment.</summary>
    public static bool IsQuick(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Domains.Sum(domain =>
            domain.Network.Ports.Length + domain.Network.Peers.Sum(peer => peer.Members.Length)) <= QuickMembers;
    }

    /// <summary>
    /// Which domains may be named in an entry: those that all tenants may know (<see cref="DomainSight"/>) whom it
    /// names as its readers. An entry for the whole host names none.
    /// </summary>
    public static Func<DomainRef, bool> Named(CheckedDatacentre datacentre, IntegrityReaders readers)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(readers);
        DomainSight[] sights =
        [
            .. datacentre.Tenants.Values.Where(tenant => readers.Name(tenant.Id))
                .Select(tenant => DomainSight.Of(datacentre, tenant.Id)),
        ];
        return domain => sights.Length > 0 && sights.All(sight => sight.Sees(domain));
    }

    /// <summary>
    /// This host's plan as it is in force, and those of the hosts that run machines of its domains, or of those that
    /// these have passages with: from the refinement that the plan itself is of.
    /// </summary>
    private static List<HostPlan> PlansAround(EnforcedPlan plan)
    {
        HashSet<DomainRef> near =
        [
            .. plan.Plan.Domains.Select(domain => domain.Domain),
            .. plan.Plan.Passages.SelectMany(passage => passage.Between),
        ];
        return
        [
            plan.Plan,
            .. plan.Proposals.Where(proposal => proposal.Running && proposal.Host != plan.Plan.Host
                    && OwnMachines.DomainsOf(plan.Datacentre, proposal.Compartment).Any(near.Contains))
                .Select(proposal => proposal.Host).Distinct().Select(plan.Refined.ForHost),
        ];
    }

    private HostRulesets Live(HostPlan plan) => new(
        Read(null, table => table.Family == "bridge" || table is { Family: "inet", Name: "bw_underlay" }),
        plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>().ToImmutableSortedDictionary(
            gateway => gateway.Namespace, gateway => Read(gateway.Namespace, _ => true), StringComparer.Ordinal));

    private RulesetReading Read(string? space, Func<(string Family, string Name), bool> isAsked) =>
        tools.Rules(space, tools.AllTables(space).Where(isAsked));
}

/// <summary>What tables open or close against the policies.</summary>
/// <param name="Owners">Whose statements it is against; nobody's where it cannot be said what tables do.</param>
/// <param name="Sentence">
/// The effect and the packet that shows it, for who may be told some domains by their names.
/// </param>
public sealed record LiveEffect(ImmutableArray<PartyId> Owners, Func<Func<DomainRef, bool>, string> Sentence);
