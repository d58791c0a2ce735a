namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>What a host tells a domain's machines of their addresses and of others' names, where the domain says so.
/// </summary>
internal sealed class NaiveServices(Sketch said, NaiveModel model)
{
    private static readonly bool[] Families = [false, true];

    /// <summary>The services that a domain has on a host: none, addresses, names or both.</summary>
    public string Services(string host, string domain) => !Members(domain, host).Any() ? ""
        : (said.Domains[domain].AddressesBy == "host" ? "addresses " : "")
            + (said.Domains[domain].TellsNames ? "names" : "");

    /// <summary>The addresses that each machine there is told as its own.</summary>
    public IEnumerable<string> Told(string host, string domain) => Services(host, domain).Length == 0 ? []
        : Members(domain, host).Select(machine => $"{Sketch.LocalOf(machine)} {Addresses(machine, domain, domain)}");

    /// <summary>
    /// The names that it knows: the domain's own machines wherever they run, and of other domains those that an open
    /// flow joins with a machine of this host, by the addresses that the domain knows them by.
    /// </summary>
    public IEnumerable<string> Known(string host, string domain) => !said.Domains[domain].TellsNames
        || !Members(domain, host).Any() ? [] : Members(domain).Select(machine => Entry(machine, domain, domain))
            .Concat(said.Domains.Keys.Where(peer => peer != domain).SelectMany(peer => Members(peer)
                .Where(other => Members(domain, host).Any(own => model.IsAnyOpen(domain, peer, own, other)
                    || model.IsAnyOpen(peer, domain, other, own)))
                .Select(other => Entry(other, peer, domain))));

    /// <summary>The machine that alone may tell a domain's others their addresses; null for none that runs.</summary>
    public string? Server(string domain) => Members(domain)
        .SingleOrDefault(machine => Sketch.LocalOf(machine) == said.Domains[domain].AddressesBy);

    private string Entry(string machine, string domain, string by) => Sketch.LocalOf(machine)
        + $".{Sketch.LocalOf(domain)}.{Sketch.TenantOf(domain)}.internal {Addresses(machine, domain, by)}";

    private string Addresses(string machine, string domain, string by) => string.Join(' ', Families
        .Where(said.Machines[machine].Nics.Single(nic => nic.Domain == domain).Has)
        .Select(ipv6 => model.Address(machine, domain, by, ipv6)));

    private IEnumerable<string> Members(string domain, string? host = null) => model.Runs
        .Where(one => host is null || one.Value == host).Select(one => one.Key)
        .Where(machine => said.Machines[machine].IsIn(domain));
}
