using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// Where what passes inside a domain goes beyond what passes between domains: members of a domain exchange everything,
/// whatever the other domains that they are in have agreed on. Each statement says so; whether their owner meant it is
/// asked.
/// </summary>
internal static class Meetings
{
    /// <summary>Finds them: one pair for each domain that others meet in, one machine for each flow.</summary>
    public static void Find(FindingPlaces places, AdmissionGround ground)
    {
        var several = ground.Datacentre.Machinery.Compartments.Values
            .Select(machine => (Machine: machine, Domains: AdmissionCase.DomainsOf(ground, machine)))
            .Where(member => member.Domains.Length > 1).ToArray();
        foreach (var meeting in several.SelectMany(member => member.Domains.Select(domain => (domain, member)))
            .GroupBy(pair => pair.domain.Ref, pair => (pair.domain, pair.member.Machine, pair.member.Domains)))
        {
            var members = meeting.ToImmutableArray();
            // Of the machines in one other domain the first speaks for all.
            var firsts = members.SelectMany(member => member.Domains.Where(one => one.Ref != meeting.Key)
                .Select(other => (Other: other, member.Machine))).DistinctBy(pair => pair.Other.Ref).ToArray();
            var pairs = firsts.SelectMany((one, i) => firsts.Skip(i + 1).Select(two => (one, two)))
                .Where(pair => !ground.Flows.Joins(pair.one.Other.Ref, pair.two.Other.Ref));
            if (pairs.FirstOrDefault() is { one.Other: not null, two.Other: not null } first)
            {
                Elsewhere(places, members[0].domain, first.one, first.two);
            }
        }

        foreach (var flow in ground.Flows.Open.Where(one => one.Resource is FlowResource.Network)
            .DistinctBy(one => (one.From, one.To)))
        {
            if (several.FirstOrDefault(member => member.Domains.Any(one => one.Ref == flow.From)
                && member.Domains.Any(one => one.Ref == flow.To)) is { Machine: { } machine })
            {
                Beside(places, flow, machine);
            }
        }
    }

    private static void Elsewhere(
        FindingPlaces places, DomainModel shared, (DomainModel Other, CompartmentModel Machine) one,
        (DomainModel Other, CompartmentModel Machine) two)
    {
        int nic = two.Machine.Nics.ToList().FindIndex(port => port.Domain == shared.Ref.Name);
        places.Add(
            two.Machine.Origin, FindingCode.MeetElsewhere, $"/nics/{nic}/domain",
            $"{Display.Of(one.Other)} and {Display.Of(two.Other)} agree on no flow, and "
            + $"{Display.Of(one.Machine)} of the one ({places.At(one.Machine.Origin, "/nics")}) and "
            + $"{Display.Of(two.Machine)} of the other exchange everything in {Display.Of(shared)}. If that is not "
            + "meant: take one of the two out of it; that is the least change.");
    }

    private static void Beside(FindingPlaces places, OpenFlow flow, CompartmentModel machine)
    {
        var (grant, accept) = (flow.Sides.Grant, flow.Sides.Accept);
        places.Add(
            grant.Domain.Origin, FindingCode.FlowBesideMember, grant.Term.Pointer,
            $"What this lets out to {Display.Of(accept.Domain)} limits nothing for {Display.Of(machine)}, which is in "
            + $"both ({places.At(machine.Origin, "/nics")}): everything passes between it and each member of either, "
            + "and what it hands on no rule sees. If that is not meant: give it one of the two ports only; that is the "
            + "least change.");
    }
}
