using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>The tables of one host, as they were read.</summary>
/// <param name="Host">In the host's own namespace: guard, underlay, domains and passages.</param>
/// <param name="Gateways">In each gateway's namespace, by the namespace's name.</param>
public sealed record HostRulesets(
    RulesetReading Host, ImmutableSortedDictionary<string, RulesetReading> Gateways)
{
    /// <summary>What a plan is rendered to.</summary>
    public static HostRulesets Of(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new HostRulesets(
            RulesetTextReader.Read(string.Concat(
            [
                NftTables.ForHost(plan), .. plan.Passages.Select(NftTables.ForPassage),
                .. plan.Domains.SelectMany(domain => new[]
                {
                    NftTables.ForDomain(domain), FlowTables.ForDomain(domain),
                }),
            ])),
            plan.Domains.Where(domain => domain.Gateway is not null).ToImmutableSortedDictionary(
                domain => domain.Gateway?.Namespace ?? "",
                domain => RulesetTextReader.Read(
                    (domain.Gateway is { } gateway ? NftTables.ForGateway(gateway) : "")
                    + FlowTables.ForGateway(domain)),
                StringComparer.Ordinal));
    }
}

/// <summary>Whether tables do what policies say, for every packet. A closed set.</summary>
public abstract record RefinementVerdict
{
    private RefinementVerdict() { }

    /// <summary>They do.</summary>
    /// <param name="Hosts">On how many hosts.</param>
    /// <param name="Nodes">How many different nodes the sets of packets had, for those who measure.</param>
    public sealed record Proven(int Hosts, int Nodes) : RefinementVerdict;

    /// <summary>They do not.</summary>
    /// <param name="Examples">A packet for each place and direction in which they differ.</param>
    public sealed record Refuted(ImmutableArray<Counterexample> Examples) : RefinementVerdict;

    /// <summary>It cannot be said: something in the tables is not known.</summary>
    /// <param name="Sentences">What, for people.</param>
    public sealed record Unknown(ImmutableArray<string> Sentences) : RefinementVerdict;
}

/// <summary>
/// Compares what hosts' tables do with what policies promise, as sets of packets: not for some packets but for all.
/// The promise is computed from the statements alone, and from plans only which device leads where.
/// </summary>
public static class RefinementProof
{
    /// <summary>The room that earlier proofs had, for as long as nobody else needs the memory.</summary>
    private static readonly ConcurrentBag<WeakReference<PacketSets>> Spare = [];

    /// <summary>Proves the plans of all hosts of a datacentre, or shows packets for which they are wrong.</summary>
    /// <param name="plans">The plans of all hosts that have a part in each other's domains.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="tables">The tables of a host; what its plan is rendered to where it is left out.</param>
    public static RefinementVerdict Of(
        IEnumerable<HostPlan> plans, CheckedDatacentre datacentre, Func<HostPlan, HostRulesets>? tables = null)
    {
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentNullException.ThrowIfNull(datacentre);
        var scene = new ProofScene(plans, datacentre);
        return Of(scene, scene.Plans, tables ?? HostRulesets.Of);
    }

    /// <summary>The same for one host among the others.</summary>
    /// <param name="host">Whose tables are asked.</param>
    /// <param name="plans">The plans of all hosts that have a part in its domains.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="tables">The host's tables; what its plan is rendered to where it is left out.</param>
    public static RefinementVerdict OfHost(
        HostRef host, IEnumerable<HostPlan> plans, CheckedDatacentre datacentre,
        Func<HostPlan, HostRulesets>? tables = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentNullException.ThrowIfNull(datacentre);
        var scene = new ProofScene(plans, datacentre, host);
        return Of(scene, scene.Plans.Where(plan => plan.Host == host), tables ?? HostRulesets.Of);
    }

    private static RefinementVerdict Of(
        ProofScene scene, IEnumerable<HostPlan> plans, Func<HostPlan, HostRulesets> tables)
    {
        List<Func<PacketSets, PlaceProof>> places = [];
        var hosts = 0;
        foreach (var plan in plans)
        {
            places.AddRange(Places(scene, plan, tables(plan)));
            hosts++;
        }

        // Each place has sets of its own, so they are proven on as many processors as there are; gateways, which take
        // longest, first.
        var proofs = new PlaceProof[places.Count];
        Parallel.ForEach(
            Partitioner.Create(Enumerable.Range(0, places.Count).Reverse(), EnumerablePartitionerOptions.NoBuffering),
            i => proofs[i] = Proven(places[i]));
        return proofs.SelectMany(proof => proof.Unknown).Distinct().ToImmutableArray() is { IsEmpty: false } unknown
                ? new RefinementVerdict.Unknown(unknown)
            : proofs.SelectMany(proof => proof.Examples).ToImmutableArray() is { IsEmpty: false } examples
                ? new RefinementVerdict.Refuted(examples)
            : new RefinementVerdict.Proven(hosts, proofs.Sum(proof => proof.Nodes));
    }

    private static PlaceProof Proven(Func<PacketSets, PlaceProof> place)
    {
        var sets = Unused();
        try
        {
            return place(sets);
        }
        catch (TooManyKindsException tooMany)
        {
            return PlaceProof.NotKnown(tooMany.Message);
        }
        finally
        {
            Spare.Add(new WeakReference<PacketSets>(sets));
        }
    }

    private static PacketSets Unused()
    {
        while (Spare.TryTake(out var spare))
        {
            if (spare.TryGetTarget(out var sets))
            {
                sets.Clear();
                return sets;
            }
        }

        return new PacketSets();
    }

    private static IEnumerable<Func<PacketSets, PlaceProof>> Places(
        ProofScene scene, HostPlan plan, HostRulesets read)
    {
        switch (read.Host)
        {
            case RulesetReading.Understood understood:
                var chains = new BaseChains(understood.Ruleset);
                var switches = SwitchPorts.Of(scene, plan);
                foreach (var one in switches)
                {
                    yield return sets => new SwitchProof(scene, plan, chains, switches, one, sets).Run();
                }

                yield return sets => new UnderlayProof(scene, plan, chains, sets).Run();
                break;
            case RulesetReading.Unknown word:
                yield return _ => PlaceProof.NotKnown(word.Sentence);
                break;
            default:
                throw new UnreachableException();
        }

        foreach (var domain in plan.Domains)
        {
            if (domain.Gateway is { } gateway)
            {
                var reading = read.Gateways.GetValueOrDefault(gateway.Namespace)
                    ?? new RulesetReading.Unknown($"namespace {gateway.Namespace}", "nothing");
                yield return reading switch
                {
                    RulesetReading.Understood understood =>
                        sets => new GatewayProof(scene, plan, domain, understood.Ruleset, sets).Run(),
                    RulesetReading.Unknown word => _ => PlaceProof.NotKnown(word.Sentence),
                    _ => throw new UnreachableException(),
                };
            }
        }
    }
}
