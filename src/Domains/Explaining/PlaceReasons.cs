using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Explaining;

/// <summary>Why a machine may run on a host: what admission control says, in the order of its chain.</summary>
internal static class PlaceReasons
{
    public static ImmutableArray<WhyLink> Links(
        CheckedDatacentre datacentre, WhyQuestion.Place question, IReadOnlyList<PlacementProposal> placed,
        DateTimeOffset now) =>
        AdmissionControl.Decide(datacentre, question.Machine, question.Host, placed, now) switch
        {
            AdmissionVerdict.Admitted admitted =>
                [.. admitted.Because.Select(origin => new WhyLink(true, Said(datacentre, origin), origin))],
            AdmissionVerdict.Refused refused =>
                [.. refused.Refusals.Select(one => new WhyLink(false, one.Sentence, one.Because))],
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    /// <summary>What a statement says to the question.</summary>
    private static string Said(CheckedDatacentre datacentre, StatementOrigin origin)
    {
        var reference = $"{origin.Owner}/{origin.Name}";
        return origin.Kind switch
        {
            StatementKind.Compartment => Said(datacentre.Machinery.Compartments[reference]),
            StatementKind.Domain => Said(datacentre.Domains[reference]),
            StatementKind.Image => $"{origin} states what its kernel and initrd must be.",
            StatementKind.Host => Said(datacentre.Inventory.Hosts[reference]),
            StatementKind.Datacentre => $"{origin} admits the tenant, and its operator runs the host.",
            StatementKind.Tenant or StatementKind.Link or StatementKind.Volume or StatementKind.KeyChange =>
                $"{origin} has a part in it.",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static string Said(CompartmentModel machine)
    {
        var (where, apart, together) =
            (machine.Placement.Hosts, machine.Placement.ApartFrom, machine.Placement.TogetherWith);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{machine.Origin} starts from {machine.Image}, wants {machine.Cpus} processors and {machine.MemoryMib} "
            + $"MiB, and is a member of {Display.List(machine.Nics.Select(nic => nic.Domain))}")
            + (where is { } hosts ? $"; it may run on {Display.List(hosts)}" : "; it may run on any host")
            + (apart.IsEmpty ? "" : $", apart from {Display.List(apart)}")
            + (together.IsEmpty ? "." : $", together with {Display.List(together)}.");
    }

    private static string Said(DomainModel domain) =>
        $"{domain.Origin} accepts hosts at {Display.List(domain.Hosts.Assurance.Select(WireText.Of))} in "
        + $"{Display.List(domain.Hosts.Jurisdictions)}, and machines from {Display.List(domain.Machines.Images)}.";

    private static string Said(HostModel host) => string.Create(
        CultureInfo.InvariantCulture,
        $"{host.Origin} gives {WireText.Of(host.Assurance)}, stands in {host.Jurisdiction} and has "
        + $"{host.CapacityCpus} processors and {host.CapacityMemoryMib} MiB, of which enough is free.");
}
