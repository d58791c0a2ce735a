using System.Globalization;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// What ovn-nbctl is told of domains that accept nothing but one port of TCP from each of their next peers: a switch
/// and a group of ports for each domain, everything between switches dropped but what an ACL lets in.
/// </summary>
internal static class OvnCommands
{
    /// <summary>All switches, ports, groups and ACLs.</summary>
    public static IEnumerable<string[]> All(int domains, int ports, int peers)
    {
        for (var domain = 0; domain < domains; domain++)
        {
            yield return ["ls-add", Switch(domain)];
            for (var port = 0; port < ports; port++)
            {
                foreach (var command in Port(domain, port))
                {
                    yield return command;
                }
            }

            yield return
                ["pg-add", Group(domain), .. Enumerable.Range(0, ports).Select(port => Name(domain, port))];
        }

        for (var domain = 0; domain < domains; domain++)
        {
            yield return ["acl-add", Group(domain), "from-lport", "1001", $"inport == @{Group(domain)} && ip", "drop"];
            yield return ["acl-add", Group(domain), "to-lport", "1001", $"outport == @{Group(domain)} && ip", "drop"];
            for (var peer = 1; peer <= peers; peer++)
            {
                yield return Accept(domain, (domain + peer) % domains, EqualDomains.Port(peer));
            }
        }
    }

    /// <summary>One port more in the first domain, in its group too, and one ACL more.</summary>
    public static IEnumerable<string[]> OneMore(int number, int ports)
    {
        foreach (var command in Port(0, ports + number))
        {
            yield return command;
        }

        yield return ["pg-set-ports", Group(0),
            .. Enumerable.Range(0, ports + number + 1).Select(port => Name(0, port))];
        yield return Accept(0, 1, 9_000 + number);
    }

    private static string[] Accept(int domain, int from, int port) =>
    [
        "acl-add", Group(domain), "to-lport", "1002",
        string.Create(
            CultureInfo.InvariantCulture,
            $"outport == @{Group(domain)} && ip4.src == ${Group(from)}_ip4 && tcp.dst == {port}"),
        "allow-related",
    ];

    private static IEnumerable<string[]> Port(int domain, int port)
    {
        var name = Name(domain, port);
        var address = string.Create(
            CultureInfo.InvariantCulture,
            $"02:00:{domain >> 8:x2}:{domain & 255:x2}:{port >> 8:x2}:{port & 255:x2} "
            + $"10.{domain >> 8}.{domain & 255}.{port + 10}");
        yield return ["lsp-add", Switch(domain), name];
        yield return ["lsp-set-addresses", name, address];
        yield return ["lsp-set-port-security", name, address];
    }

    private static string Switch(int domain) => string.Create(CultureInfo.InvariantCulture, $"s{domain}");

    private static string Group(int domain) => string.Create(CultureInfo.InvariantCulture, $"g{domain}");

    private static string Name(int domain, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"s{domain}p{port}");
}
