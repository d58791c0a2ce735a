using System.Collections.Immutable;

namespace Bailiwick.Simulation.World;

/// <summary>One side of a flow: the other domain as <c>tenant/domain</c>, and a TCP port.</summary>
internal sealed record FlowTerm(string Peer, int Port);

/// <summary>What a tenant signed about a domain, in the words in which the scheduler changes it.</summary>
internal sealed record DomainTerms
{
    public required string Tenant { get; init; }

    public required string Name { get; init; }

    public required string Subnet { get; init; }

    public required DateTimeOffset Expires { get; init; }

    public ImmutableArray<string> Jurisdictions { get; init; } = ["CH", "DE"];

    public ImmutableArray<FlowTerm> Grants { get; init; } = [];

    public ImmutableArray<FlowTerm> Accepts { get; init; } = [];

    public bool Encrypted { get; init; }

    public string Path => $"{Tenant}/{Name}";
}

/// <summary>What a tenant signed about a machine.</summary>
internal sealed record MachineTerms(string Tenant, string Name, string Domain, string Address)
{
    public string Path => $"{Tenant}/{Name}";

    public string DomainPath => $"{Tenant}/{Domain}";
}

/// <summary>One revision of one subject as its owner really signed it.</summary>
internal sealed record SignedTerms(string Digest, DomainTerms? Domain, MachineTerms? Machine);
