using System.Collections.Immutable;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy;

/// <summary>Which way a change goes, from the data's point of view.</summary>
public enum PolicyEffect
{
    /// <summary>More may pass, run or be read than before.</summary>
    Opens = 1,
    /// <summary>Less may.</summary>
    Closes,
    /// <summary>Something is otherwise than before.</summary>
    Changes,
}

/// <summary>What a change is about. Closed.</summary>
public enum PolicyChangeCode
{
    /// <summary>A network flow.</summary>
    NetworkFlow = 1,
    /// <summary>The loan of a volume or device.</summary>
    LentResource,
    /// <summary>A domain appears or disappears.</summary>
    Domain,
    /// <summary>A machine appears or disappears.</summary>
    Machine,
    /// <summary>A machine's domains.</summary>
    Membership,
    /// <summary>A machine's other members.</summary>
    MachineDescription,
    /// <summary>Software that a domain accepts, or what an image is made from.</summary>
    Software,
    /// <summary>Which hosts a domain accepts.</summary>
    HostDemand,
    /// <summary>What a domain demands of its machines' firmware and TPMs.</summary>
    MachineDemand,
    /// <summary>When network traffic must be ciphertext.</summary>
    NetworkConfidentiality,
    /// <summary>Whether volumes must be ciphertext.</summary>
    StorageConfidentiality,
    /// <summary>How many keys must approve an act.</summary>
    Approvals,
    /// <summary>Where a domain's information may not come.</summary>
    Information,
    /// <summary>When a policy ends.</summary>
    Expiry,
    /// <summary>Quota or reservation.</summary>
    Capacity,
    /// <summary>Subnets or network number.</summary>
    Addresses,
    /// <summary>Services in a domain's network.</summary>
    NetworkServices,
    /// <summary>A volume appears, disappears or changes.</summary>
    Volume,
    /// <summary>A host appears, disappears or changes.</summary>
    Host,
    /// <summary>A link appears, disappears or changes.</summary>
    Link,
    /// <summary>A tenant is admitted to the datacentre or no longer.</summary>
    Tenant,
}

/// <summary>One difference between two states of a datacentre's policies.</summary>
/// <param name="Effect">Which way it goes.</param>
/// <param name="Code">What it is about.</param>
/// <param name="Sentence">For people.</param>
public sealed record PolicyChange(PolicyEffect Effect, PolicyChangeCode Code, string Sentence);

/// <summary>Says in words what a change of policies opens and what it closes.</summary>
public static class PolicyDiff
{
    /// <summary>Every difference, what opens first; none when both states demand and permit the same.</summary>
    public static ImmutableArray<PolicyChange> Describe(CheckedDatacentre before, CheckedDatacentre after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var changes = new List<PolicyChange>();
        Differences.FlowDifferences.Add(changes, FlowMatrix.Of(before), FlowMatrix.Of(after));
        Differences.DomainDifferences.Add(changes, before, after);
        Differences.InformationDifferences.Add(changes, before, after);
        Differences.MachineDifferences.Add(changes, before, after);
        Differences.InventoryDifferences.Add(changes, before, after);
        return [.. changes.Distinct().OrderBy(change => change.Effect).ThenBy(change => change.Code)
            .ThenBy(change => change.Sentence, StringComparer.Ordinal)];
    }
}
