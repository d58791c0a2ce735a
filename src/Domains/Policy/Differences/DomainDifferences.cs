using System.Collections.Immutable;
using System.Text;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Differences;

/// <summary>What changes in each domain besides its flows.</summary>
internal static class DomainDifferences
{
    /// <summary>Adds the differences.</summary>
    public static void Add(List<PolicyChange> changes, CheckedDatacentre before, CheckedDatacentre after)
    {
        changes.Sets(
            PolicyChangeCode.Domain, before.Domains.Keys, after.Domains.Keys,
            key => $"The domain {FlowMatrix.Display(after.Domains[key])} is new.",
            key => $"The domain {FlowMatrix.Display(before.Domains[key])} is gone.");
        foreach (var key in before.Domains.Keys.Intersect(after.Domains.Keys))
        {
            One(changes, before.Domains[key], after.Domains[key]);
        }
    }

    private static void One(List<PolicyChange> changes, DomainModel old, DomainModel now)
    {
        var name = FlowMatrix.Display(now);
        Hosts(changes, name, old.Hosts, now.Hosts);
        changes.Sets(
            PolicyChangeCode.Software, old.Machines.Images, now.Machines.Images,
            image => $"{name} now accepts machines of the image {image}.",
            image => $"{name} no longer accepts machines of the image {image}.");
        Weaker(
            changes, PolicyChangeCode.MachineDemand, (int)old.Machines.Firmware, (int)now.Machines.Firmware,
            $"What {name} demands of machines",
            $"firmware: {WireText.Of(old.Machines.Firmware)} becomes {WireText.Of(now.Machines.Firmware)}");
        Weaker(
            changes, PolicyChangeCode.MachineDemand, (int)old.Machines.Tpm, (int)now.Machines.Tpm,
            $"What {name} demands of machines",
            $"TPM: {WireText.Of(old.Machines.Tpm)} becomes {WireText.Of(now.Machines.Tpm)}");
        Weaker(
            changes, PolicyChangeCode.NetworkConfidentiality, (int)old.Network.Confidentiality,
            (int)now.Network.Confidentiality, $"Confidentiality of {name}",
            $"network: {WireText.Of(old.Network.Confidentiality)} becomes {WireText.Of(now.Network.Confidentiality)}");
        Weaker(
            changes, PolicyChangeCode.StorageConfidentiality, (int)old.Storage, (int)now.Storage,
            $"Confidentiality of {name}",
            $"storage: {WireText.Of(old.Storage)} becomes {WireText.Of(now.Storage)}");
        changes.Sets(
            PolicyChangeCode.StorageConfidentiality, old.TrustedMedia.Select(Words), now.TrustedMedia.Select(Words),
            medium => $"{name} now trusts the medium {medium} with volumes in clear.",
            medium => $"{name} no longer trusts the medium {medium} with volumes in clear.");
        foreach (var action in Enum.GetValues<ApprovedAction>())
        {
            Approvals(changes, name, action, old.Approvals.GetValueOrDefault(action),
                now.Approvals.GetValueOrDefault(action));
        }

        if (old.Expires != now.Expires)
        {
            changes.Add(new PolicyChange(
                now.Expires > old.Expires ? PolicyEffect.Opens : PolicyEffect.Closes, PolicyChangeCode.Expiry,
                $"{name} expires {now.Expires:yyyy-MM-ddTHH:mm:ssZ}, not {old.Expires:yyyy-MM-ddTHH:mm:ssZ}."));
        }

        changes.Number(PolicyChangeCode.Capacity, old.Quota.Machines, now.Quota.Machines, PolicyEffect.Opens,
            $"Quota of {name}, machines");
        changes.Number(PolicyChangeCode.Capacity, old.Quota.Cpus, now.Quota.Cpus, PolicyEffect.Opens,
            $"Quota of {name}, processors");
        changes.Number(PolicyChangeCode.Capacity, old.Quota.MemoryMib, now.Quota.MemoryMib, PolicyEffect.Opens,
            $"Quota of {name}, MiB of memory");
        changes.Number(PolicyChangeCode.Capacity, old.Quota.StorageMib, now.Quota.StorageMib, PolicyEffect.Opens,
            $"Quota of {name}, MiB of storage");
        changes.Number(PolicyChangeCode.Capacity, old.Reservation.Cpus, now.Reservation.Cpus, PolicyEffect.Changes,
            $"Reservation of {name}, processors");
        changes.Number(PolicyChangeCode.Capacity, old.Reservation.MemoryMib, now.Reservation.MemoryMib,
            PolicyEffect.Changes, $"Reservation of {name}, MiB of memory");
        changes.Other(
            PolicyChangeCode.Addresses, string.Join(", ", old.Network.Subnets), string.Join(", ", now.Network.Subnets),
            $"Subnets of {name}");
        changes.Other(
            PolicyChangeCode.Addresses, $"{DerivedNames.NetworkNumber(old)}", $"{DerivedNames.NetworkNumber(now)}",
            $"Network number of {name}");
        changes.Number(PolicyChangeCode.Capacity, old.Bandwidth?.ReserveMbit ?? 0, now.Bandwidth?.ReserveMbit ?? 0,
            PolicyEffect.Changes, $"Reservation of {name}, Mbit/s of each host's uplink");
        changes.Other(
            PolicyChangeCode.Capacity, $"{old.Bandwidth?.LimitMbit ?? 0}", $"{now.Bandwidth?.LimitMbit ?? 0}",
            $"Limit of {name}, Mbit/s of each host's uplink (0 for none)");
        changes.Other(
            PolicyChangeCode.Addresses, Words(old.Translations), Words(now.Translations),
            $"Addresses by which {name} and others know each other");
        changes.Other(
            PolicyChangeCode.NetworkServices, Words(old.Services), Words(now.Services), $"Services in {name}");
        changes.Other(
            PolicyChangeCode.Domain, $"{old.LegalOwner.Name} ({old.LegalOwner.Jurisdiction})",
            $"{now.LegalOwner.Name} ({now.LegalOwner.Jurisdiction})", $"Legal owner of {name}");
    }

    private static void Hosts(List<PolicyChange> changes, string name, HostDemand old, HostDemand now)
    {
        changes.Sets(
            PolicyChangeCode.HostDemand, old.Operators, now.Operators,
            one => $"{name} now accepts hosts of the operator {one.Short}.",
            one => $"{name} no longer accepts hosts of the operator {one.Short}.");
        changes.Sets(
            PolicyChangeCode.HostDemand, old.Assurance, now.Assurance,
            one => $"{name} now accepts hosts that give {WireText.Of(one)}.",
            one => $"{name} no longer accepts hosts that give {WireText.Of(one)}.");
        changes.Sets(
            PolicyChangeCode.HostDemand, old.Jurisdictions, now.Jurisdictions,
            one => $"{name} now accepts hosts in {one}.", one => $"{name} no longer accepts hosts in {one}.");
        changes.Other(
            PolicyChangeCode.HostDemand, Text(old.Evidence), Text(now.Evidence),
            $"What {name} demands of the evidence of hosts");
        changes.Other(
            PolicyChangeCode.HostDemand, old.Vendors ?? "none", now.Vendors ?? "none",
            $"The vendors of TPMs that {name} accepts");
        changes.Other(
            PolicyChangeCode.HostDemand, WireText.Of(old.OnLostTrust), WireText.Of(now.OnLostTrust),
            $"What becomes of machines of {name} on a host that loses its trust");
    }

    private static string Words(ImmutableArray<AddressTranslation> clauses) => clauses.IsEmpty
        ? "their own" : string.Join("; ", clauses.Select(one =>
            $"{one.With}: own {string.Join(", ", one.Own)}, peer {string.Join(", ", one.Peer)}"));

    private static string Text(ImmutableArray<Predicate> evidence) => evidence.IsEmpty
        ? "nothing" : Encoding.UTF8.GetString(PredicateJson.Write(evidence));

    private static string Words(NetworkServices services) => "addresses by " + services.Addresses switch
    {
        AddressService.Nobody => "nobody",
        AddressService.EachHost => "each host",
        AddressService.Machine machine => $"the machine {machine.Name}",
        _ => throw new System.Diagnostics.UnreachableException(),
    } + ", names by " + services.Names switch
    {
        ServiceProvider.None => "nobody",
        ServiceProvider.Host => "each host",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    // These enums are in the order of their strength.
    private static string Words(MediumRef medium) => $"{medium.Operator.Short}/{medium.Name}";

    private static void Weaker(
        List<PolicyChange> changes, PolicyChangeCode code, int old, int now, string what, string words)
    {
        if (old != now)
        {
            changes.Add(new PolicyChange(
                now < old ? PolicyEffect.Opens : PolicyEffect.Closes, code,
                $"{what} is {(now < old ? "weakened" : "strengthened")}, {words}."));
        }
    }

    // Zero is "not listed", which is stricter than any number: the act is always refused.
    private static void Approvals(List<PolicyChange> changes, string name, ApprovedAction action, int old, int now)
    {
        if (old != now)
        {
            static string Words(int count) => count == 0 ? "always refused" : $"approved by {count} keys";
            var opens = now != 0 && (old == 0 || now < old);
            changes.Add(new PolicyChange(
                opens ? PolicyEffect.Opens : PolicyEffect.Closes, PolicyChangeCode.Approvals,
                $"{WireText.Of(action)} in {name} was {Words(old)} and is now {Words(now)}."));
        }
    }
}
