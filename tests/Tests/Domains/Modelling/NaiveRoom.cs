namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>Processors and memory, in MiB.</summary>
internal readonly record struct Amount(long Cpus, long MemoryMib)
{
    public static Amount operator +(Amount one, Amount other) =>
        new(one.Cpus + other.Cpus, one.MemoryMib + other.MemoryMib);

    public static Amount operator -(Amount one, Amount other) =>
        new(one.Cpus - other.Cpus, one.MemoryMib - other.MemoryMib);

    /// <summary>Whether another is no more than this.</summary>
    public bool Holds(Amount other) => other.Cpus <= Cpus && other.MemoryMib <= MemoryMib;

    /// <summary>All of several together.</summary>
    public static Amount Sum(IEnumerable<Amount> all) => all.Aggregate(default(Amount), (sum, one) => sum + one);
}

/// <summary>Who has room when something is short: hosts, quotas, and what domains have reserved.</summary>
/// <param name="said">What is stated.</param>
/// <param name="runs">The machines that run already, and where.</param>
internal sealed class NaiveRoom(Sketch said, IReadOnlyDictionary<string, string> runs)
{
    /// <summary>Whether a machine finds room on a host, beside those that run.</summary>
    public bool Has(string machine, string host) => IsWithinQuotas(machine)
        && Free(host).Holds(said.Machines[machine].Needs)
        && said.Domains.Keys.All(domain => LeavesWhatIsKept(machine, host, domain));

    /// <summary>No domain has more machines, processors or memory than its quota, or a volume beyond it.</summary>
    private bool IsWithinQuotas(string machine) => said.Machines[machine].Nics.Select(nic => nic.Domain).All(domain =>
    {
        SketchedQuota quota = said.Domains[domain].Quota;
        return Members(domain).Count() < quota.Machines
            && new Amount(quota.Cpus, quota.MemoryMib).Holds(Used(domain) + said.Machines[machine].Needs);
    }) && said.Machines[machine].Disks.All(disk => !IsBeyondQuota(disk.Volume));

    /// <summary>A domain's volumes fill its quota in the order of their names, whoever has them.</summary>
    private bool IsBeyondQuota(string volume) =>
        said.Volumes.TryGetValue(volume, out var asked) && said.Domains.TryGetValue(asked.Domain, out var owner)
        && said.Volumes.Where(one => one.Value.Domain == asked.Domain && string.CompareOrdinal(one.Key, volume) <= 0)
            .Sum(one => one.Value.SizeMib) > owner.Quota.StorageMib;

    /// <summary>
    /// What a domain reserved is kept for its machines, together with what others reserved on the same hosts or on some
    /// of them: no machine of others takes it.
    /// </summary>
    private bool LeavesWhatIsKept(string machine, string host, string domain)
    {
        string[] hosts = Hosts(domain);
        return IsOwn(domain) || Kept(domain) == default || !hosts.Contains(host)
            || (Amount.Sum(hosts.Select(Free)) - said.Machines[machine].Needs).Holds(Amount.Sum(
                said.Domains.Keys.Where(other => !IsOwn(other) && Hosts(other).All(hosts.Contains)).Select(Kept)));

        bool IsOwn(string one) => said.Machines[machine].IsIn(one);
    }

    /// <summary>
    /// A reservation is the tenant's own word: it is honoured up to an equal share of the hosts that the domain
    /// accepts, among all tenants and the tenant's own domains; what members use is no longer kept.
    /// </summary>
    private Amount Kept(string domain)
    {
        SketchedDomain statement = said.Domains[domain];
        string tenant = Sketch.TenantOf(domain);
        if (statement.Expiry == Expiry.Now || said.Left.Contains(tenant))
        {
            return default;
        }

        int shares = said.Tenants.Except(said.Left).Count
            * said.Domains.Keys.Count(other => Sketch.TenantOf(other) == tenant);
        Amount all = Amount.Sum(Hosts(domain).Select(Whole));
        Amount left = new Amount(
            Math.Min(statement.Reserves.Cpus, all.Cpus / shares),
            Math.Min(statement.Reserves.MemoryMib, all.MemoryMib / shares)) - Used(domain);
        return new Amount(Math.Max(0, left.Cpus), Math.Max(0, left.MemoryMib));
    }

    private string[] Hosts(string domain) =>
    [
        .. said.Hosts.Where(host => said.Domains[domain].Countries.Contains(host.Value.Country))
            .Select(host => host.Key),
    ];

    private Amount Whole(string host) => new(said.Hosts[host].Cpus, said.Hosts[host].MemoryMib);

    private Amount Free(string host) => Whole(host) - Amount.Sum(
        runs.Where(one => one.Value == host).Select(one => said.Machines[one.Key].Needs));

    private IEnumerable<string> Members(string domain) => runs.Keys.Where(one => said.Machines[one].IsIn(domain));

    private Amount Used(string domain) => Amount.Sum(Members(domain).Select(one => said.Machines[one].Needs));
}
