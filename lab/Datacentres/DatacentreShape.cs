namespace Bailiwick.Lab.Datacentres;

/// <summary>How large a <see cref="GeneratedDatacentre"/> is, and which of all those it is.</summary>
/// <param name="Domains">Trusted virtual domains, at most 60,000.</param>
/// <param name="Machines">Machines, at least one for each domain.</param>
/// <param name="Hosts">Hosts, at most 60,000.</param>
/// <param name="Flows">Network flows that a domain grants; as many are wanted on the other side.</param>
/// <param name="Seed">Equal seeds and sizes give equal datacentres, byte for byte.</param>
public sealed record DatacentreShape(int Domains, int Machines, int Hosts, int Flows, int Seed)
{
    private const int Most = 60_000;

    /// <summary>Why there is no datacentre of this shape; null where there is.</summary>
    public string? Obstacle =>
        Domains is < 1 or > Most ? $"There are 1 to {Most} domains, not {Domains}."
        : Hosts is < 1 or > Most ? $"There are 1 to {Most} hosts, not {Hosts}."
        : Machines < Domains ? $"Each domain has a machine: {Machines} are too few for {Domains} domains."
        : Machines > Most * 20 ? $"There are at most {Most * 20} machines, not {Machines}."
        : Flows is < 0 or > 200 ? $"A domain grants 0 to 200 flows, not {Flows}."
        : null;

    /// <summary>The tenants: the first has most of the domains, most have few.</summary>
    public int Tenants => Math.Clamp(Domains / 4, 1, 300);

    /// <summary>Hosts in a rack, which one trusted segment joins.</summary>
    public int HostsInRack => Math.Clamp(Hosts / 2, 1, 40);
}
