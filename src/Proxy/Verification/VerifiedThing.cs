using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;

namespace Bailiwick.Proxy.Verification;

/// <summary>What is compared with the plan.</summary>
public enum VerifiedKind
{
    /// <summary>The host's own guard, its uplink, and what is there and in no plan.</summary>
    Host = 1,
    /// <summary>A domain's switch: rules, bridge, ports, forwarding.</summary>
    Switch,
    /// <summary>A domain's gateway.</summary>
    Gateway,
    /// <summary>A domain's service point.</summary>
    ServicePoint,
    /// <summary>A domain's encrypted tunnels.</summary>
    Tunnels,
    /// <summary>The segment between two domains' gateways.</summary>
    Passage,
    /// <summary>A machine that runs.</summary>
    Machine,
    /// <summary>A machine's disk.</summary>
    Volume,
}

/// <summary>One thing that was read back from the host and compared with the plan.</summary>
/// <param name="Kind">What.</param>
/// <param name="Subject">Its name, for people.</param>
/// <param name="Readers">Whom it concerns.</param>
/// <param name="Differences">Each way in which it is not as planned; none where it is proven to be.</param>
public sealed record VerifiedThing(
    VerifiedKind Kind, string Subject, IntegrityReaders Readers, ImmutableArray<string> Differences);
