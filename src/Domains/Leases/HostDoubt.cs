using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Leases;

/// <summary>Why a host is not trusted for a domain at this moment; null while it is.</summary>
/// <param name="host">The host.</param>
/// <param name="domain">The domain whose frames, machines or keys would be there.</param>
public delegate string? HostDoubt(HostRef host, DomainRef domain);
