using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Leases;

/// <summary>
/// Whether a host that showed evidence may be trusted for a domain for a while. Every verifier asks this.
/// </summary>
public static class LeaseControl
{
    /// <summary>Everything against it, in sentences; empty for a lease.</summary>
    /// <param name="verdict">What the verifier made of the host's evidence.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="host">The host.</param>
    /// <param name="domain">The domain whose demands count.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static ImmutableArray<string> Against(
        EvidenceVerdict verdict, CheckedDatacentre datacentre, HostRef host, DomainRef domain, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(domain);
        switch (verdict)
        {
            case EvidenceVerdict.Refused refused:
                return [.. refused.Refusals.Select(refusal => refusal.Sentence)];
            case EvidenceVerdict.Verified { Evidence: var evidence } when evidence.Host == host.ToString():
                return datacentre.Domains.TryGetValue(domain.ToString(), out DomainModel? model)
                    ? [.. PlatformJudge.Against(evidence, model), .. Place(datacentre, host, model, now)]
                    : ["no accepted statement describes the domain."];
            case EvidenceVerdict.Verified { Evidence: var other }:
                return [$"the evidence is of {other.Host}."];
            default:
                throw new UnreachableException();
        }
    }

    private static IEnumerable<string> Place(
        CheckedDatacentre datacentre, HostRef host, DomainModel domain, DateTimeOffset now)
    {
        if (now >= domain.Expires)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{domain.Origin} expired at {domain.Expires:u}.");
        }

        if (!datacentre.Inventory.Hosts.TryGetValue(host.ToString(), out HostModel? model))
        {
            yield return "no accepted statement of an operator describes the host.";
            yield break;
        }

        if (!domain.Hosts.Operators.Contains(host.Operator))
        {
            yield return $"{domain.Origin} does not accept hosts of the operator {host.Operator.Short}.";
        }

        if (!domain.Hosts.Jurisdictions.Contains(model.Jurisdiction, StringComparer.Ordinal))
        {
            yield return $"{domain.Origin} does not accept hosts in {model.Jurisdiction}.";
        }
    }
}
