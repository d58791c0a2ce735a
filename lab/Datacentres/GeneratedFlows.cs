using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Bailiwick.Lab.Datacentres;

/// <summary>The domains of a <see cref="GeneratedDatacentre"/>, and who speaks with whom.</summary>
internal static class GeneratedFlows
{
    private static readonly int[] Services = [22, 53, 80, 123, 389, 443, 514, 3306, 5432, 6379, 8080, 8443, 9092, 9100];

    /// <summary>Sizes fall with the square root of the rank; subnets do not overlap.</summary>
    public static ImmutableArray<GeneratedDomain> Domains(DatacentreShape shape, Random random)
    {
        var ranks = Enumerable.Range(0, shape.Domains).ToArray();
        random.Shuffle(ranks);
        var weights = ranks.Select(rank => Math.Pow(rank + 1, -0.5)).ToArray();
        var (sum, spare) = (weights.Sum(), shape.Machines - shape.Domains);
        var sizes = weights.Select(weight => 1 + (int)(spare * weight / sum)).ToArray();
        for (var left = shape.Machines - sizes.Sum(); left > 0; left--)
        {
            sizes[left % sizes.Length]++;
        }

        var domains = ImmutableArray.CreateBuilder<GeneratedDomain>(shape.Domains);
        var next = 0x0A000000u;
        for (var number = 0; number < shape.Domains; number++)
        {
            // Room for as many again with a second port here, and for those that a change adds.
            var length = Math.Min(26, 32 - BitOperations.Log2((uint)(2 * sizes[number]) + 120) - 1);
            var size = 1u << (32 - length);
            next = (next + size - 1) / size * size;
            domains.Add(new GeneratedDomain(number, Tenant(shape, random), sizes[number], next, length)
            {
                Confidentiality = random.Next(10) switch { < 5 => "none", < 9 => "untrusted-links", _ => "always" },
                IsAnywhere = random.Next(5) > 0,
                HasIpv6 = random.Next(4) == 0,
                ReservedCpus = random.Next(10) == 0 ? random.Next(1, 5) : 0,
            });
            next += size;
        }

        return domains.MoveToImmutable();
    }

    /// <summary>
    /// A domain speaks with about one peer for six flows: most of its own tenant, a part the hubs of all, few others.
    /// Of twenty terms that grant, one is accepted by nobody, and five by a wider range of ports.
    /// </summary>
    public static void Draw(DatacentreShape shape, Random random, ImmutableArray<GeneratedDomain> domains)
    {
        var hubs = domains.Where(_ => random.Next(100) < 3).DefaultIfEmpty(domains[0]).ToArray();
        var siblings = domains.ToLookup(domain => domain.Tenant);
        foreach (var domain in domains)
        {
            var own = siblings[domain.Tenant].ToArray();
            for (var left = shape.Flows; left > 0;)
            {
                var peer = random.Next(20) switch
                {
                    < 12 => own[random.Next(own.Length)],
                    < 17 => hubs[random.Next(hubs.Length)],
                    _ => domains[random.Next(domains.Length)],
                };
                var several = Math.Min(left, 1 + random.Next(11));
                left -= several;
                if (peer != domain)
                {
                    Meet(random, domain, peer, several);
                }
            }
        }
    }

    private static void Meet(Random random, GeneratedDomain domain, GeneratedDomain peer, int several)
    {
        for (; several > 0 && peer.CanAccept && domain.CanGrant; several--)
        {
            var port = random.Next(3) == 0 ? random.Next(1024, 60_000) : Services[random.Next(Services.Length)];
            var protocol = port is 53 or 123 or 514 ? "udp" : "tcp";
            var (from, to) = (random.Next(5) == 0, random.Next(5) > 0);
            domain.Grants.Add(Term("to", peer, from, protocol, $"{port}"));
            if (random.Next(20) > 0)
            {
                peer.Accepts.Add(Term(
                    "from", domain, to, protocol,
                    random.Next(4) == 0 ? $"\"{Math.Max(1, port - 5)}-{port + 5}\"" : $"{port}"));
                if (!from && !to && domain.Tenant == peer.Tenant && !domain.Open.Contains(peer))
                {
                    domain.Open.Add(peer);
                }
            }
        }
    }

    private static string Term(string word, GeneratedDomain peer, bool ofGroup, string protocol, string ports) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{{{word}: {peer.Reference}, {(ofGroup ? "machines: [front], " : "")}"
            + $"network: {{protocol: {protocol}, ports: [{ports}]}}}}");

    /// <summary>Each next tenant has fewer.</summary>
    private static int Tenant(DatacentreShape shape, Random random) =>
        (int)(shape.Tenants * Math.Pow(random.NextDouble(), 2));
}
