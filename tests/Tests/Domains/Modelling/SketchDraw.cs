using System.Collections.Immutable;
using System.Globalization;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>Sketches, and parts of them, drawn at random.</summary>
internal static class SketchDraw
{
    /// <summary>The link that all hosts may be on.</summary>
    public const string Segment = "seg";

    public static readonly string[] Countries = ["CH", "DE"];
    public static readonly string[] Confidentialities = ["none", "untrusted-links", "always"];
    public static readonly string[] Owners = ["CH", "DE", "FR"];
    public static readonly string[] Sharings = ["exclusive", "readers", "writers"];

    private static readonly (int First, int Last)[] Ports =
        [(80, 80), (443, 443), (5432, 5432), (8000, 8010), (79, 81), (8005, 9000), (1, 65535), (1024, 49151)];

    /// <summary>A datacentre in which most of what is wanted opens.</summary>
    /// <param name="random">What draws it.</param>
    /// <param name="domains">How many domains; a third as many tenants.</param>
    /// <param name="machines">About how many machines.</param>
    /// <param name="hosts">How many hosts.</param>
    public static Sketch Of(Random random, int domains, int machines, int hosts)
    {
        // In every third little is left on the hosts, or something is short.
        bool isTight = random.Next(3) == 0;
        int cpus = isTight ? (machines / hosts) + 2 : (machines * 3 / hosts) + 4;
        var sketch = new Sketch
        {
            Hosts = Enumerable.Range(0, hosts).ToImmutableSortedDictionary(
                number => Text($"h{number}"),
                _ => new SketchedHost(random.Next(4) == 0 ? "DE" : "CH", cpus)
                {
                    MemoryMib = isTight ? cpus * 112 : 262_144,
                    UplinkMbit = random.Next(2) == 0 ? random.Next(100, 1_000) : null,
                    Vlans = random.Next(3) > 0 ? Segment : null,
                },
                StringComparer.Ordinal),
            Links = [.. Enumerable.Range(0, hosts - 1).Select(number => new SketchedLink(
                Text($"w{number}"), [Text($"h{number}"), Text($"h{number + 1}")], random.Next(3) > 0))],
            Tenants = [.. Enumerable.Range(0, Math.Max(2, domains / 3)).Select(number => Text($"t{number}"))],
            Domains = ImmutableSortedDictionary.Create<string, SketchedDomain>(StringComparer.Ordinal),
            Machines = ImmutableSortedDictionary.Create<string, SketchedMachine>(StringComparer.Ordinal),
            Places = [],
        };
        if (random.Next(2) == 0)
        {
            sketch = sketch with
            {
                Links = sketch.Links.Add(new SketchedLink(Segment, [.. sketch.Hosts.Keys], IsTrusted: true)
                {
                    Numbers = new VlanNumbers(100, random.Next(1, domains + 1)),
                }),
            };
        }

        sketch = WithDomains(random, sketch, domains, cpus);
        sketch = WithMachines(random, WithVolumes(random, sketch), machines);
        for (int count = domains * 3; count > 0; count--)
        {
            sketch = Met(random, sketch);
        }

        sketch = sketch with
        {
            Domains = sketch.Domains.SetItems(sketch.Domains.Where(_ => random.Next(8) == 0).Select(one =>
                KeyValuePair.Create(one.Key, one.Value with { Information = Demand(random, sketch, one.Key) }))),
        };
        return sketch with
        {
            Doubts = [.. sketch.Hosts.Keys.SelectMany(_ => sketch.Domains.Keys, (host, domain) => (host, domain))
                .Where(_ => random.Next(20) == 0)],
        };
    }

    /// <summary>A term about a peer, for all machines or some, or for nobody that is there.</summary>
    public static SketchedTerm Term(Random random, Sketch sketch, string domain, string peer)
    {
        string[] names =
        [
            .. sketch.Machines.Keys.Where(name => Sketch.TenantOf(name) == Sketch.TenantOf(domain))
                .Select(Sketch.LocalOf).Append("front").Append("nobody"),
        ];
        // "front" is the last but one.
        return new SketchedTerm(peer, What(random, sketch, domain))
        {
            Only = random.Next(6) switch
            {
                0 => [Pick(random, names)],
                1 => ["front", Pick(random, names[..^2].DefaultIfEmpty("nobody").ToArray())],
                _ => null,
            },
        };
    }

    /// <summary>A machine of a domain; some have a port in another of their tenant's.</summary>
    public static SketchedMachine Machine(Random random, Sketch sketch, string domain, int place)
    {
        string[] own =
        [
            .. sketch.Domains.Keys.Where(one => one != domain && Sketch.TenantOf(one) == Sketch.TenantOf(domain)),
        ];
        SketchedNic first = Nic(random, domain, place);
        return new SketchedMachine(
            own.Length > 0 && random.Next(6) == 0 ? [first, Second(random, sketch, own)] : [first]);
    }

    /// <summary>What a domain may demand of where its information comes; of three kinds one.</summary>
    public static SketchedDemand Demand(Random random, Sketch sketch, string domain)
    {
        string[] others = [.. sketch.Domains.Keys.Where(one => one != domain)];
        random.Shuffle(others);
        string[] named = [.. others.Take(random.Next(1, 3))];
        var kept = new SketchedDemand { Keepers = [.. others.Skip(2).Take(random.Next(3))] };
        return random.Next(3) switch
        {
            0 when named.Length > 0 => kept with { NotTo = [.. named] },
            1 when named.Length > 0 => kept with { Conflicts = [[.. named]] },
            _ => kept with { Within = ["CH"] },
        };
    }

    public static SketchedBandwidth Bandwidth(Random random)
    {
        int reserve = random.Next(1, 500);
        return new SketchedBandwidth(reserve, random.Next(2) == 0 ? null : reserve + random.Next(300));
    }

    public static Block Alias(Random random) => new(random.Next(50), IsAlias: true);

    public static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];

    private static SketchedNic Second(Random random, Sketch sketch, string[] own)
    {
        string domain = Pick(random, own);
        return Nic(random, domain, Place(sketch, domain));
    }

    private static SketchedNic Nic(Random random, string domain, int place) =>
        random.Next(6) switch
        {
            0 => new SketchedNic(domain, place, HasIpv4: true, HasIpv6: false),
            1 => new SketchedNic(domain, place, HasIpv4: false, HasIpv6: true),
            _ => new SketchedNic(domain, place, HasIpv4: true, HasIpv6: true),
        };

    private static Resource What(Random random, Sketch sketch, string domain)
    {
        string[] volumes = [.. sketch.Volumes.Keys.Where(name => Sketch.TenantOf(name) == Sketch.TenantOf(domain))];
        if (volumes.Length > 0 && random.Next(4) == 0)
        {
            return new Resource.Volume(Sketch.LocalOf(Pick(random, volumes)), random.Next(2) == 0);
        }

        var (first, last) = Pick(random, Ports);
        return random.Next(6) == 0 ? new Resource.Network("icmp", 0, 0)
            : new Resource.Network(random.Next(3) == 0 ? "udp" : "tcp", first, last);
    }

    private static Sketch WithMachines(Random random, Sketch sketch, int machines)
    {
        string[] hosts = [.. sketch.Hosts.Keys];
        for (int number = 0; number < machines; number++)
        {
            string domain = Pick(random, [.. sketch.Domains.Keys]);
            string name = Text($"{Sketch.TenantOf(domain)}/m{number}");
            SketchedMachine machine = Machine(random, sketch, domain, Place(sketch, domain)) with
            {
                Disks = random.Next(4) == 0 ? [.. Disk(random, sketch, domain)] : [],
            };
            // At most a few hosts for each domain, as placing would have it.
            string host = hosts[(sketch.Domains[domain].Number + random.Next(4)) % hosts.Length];
            sketch = sketch with
            {
                Machines = sketch.Machines.Add(name, machine),
                Places = random.Next(12) == 0 ? sketch.Places : sketch.Places.Add((name, host)),
            };
        }

        return sketch;
    }

    private static Sketch WithDomains(Random random, Sketch sketch, int domains, int cpus)
    {
        for (int number = 0; number < domains; number++)
        {
            // Every eighth has another's addresses.
            int block = random.Next(8) == 0 ? random.Next(domains) : number;
            sketch = sketch with
            {
                Domains = sketch.Domains.Add(
                    Text($"{Pick(random, [.. sketch.Tenants])}/d{number}"),
                    new SketchedDomain(number + 1, new Block(block, IsAlias: false))
                    {
                        Confidentiality = Pick(random, Confidentialities),
                        Owner = Pick(random, Owners),
                        Countries = random.Next(8) == 0 ? ["CH"] : ["CH", "DE"],
                        Expiry = random.Next(4) == 0 ? Expiry.InASecond : Expiry.Late,
                        Bandwidth = random.Next(5) == 0 ? Bandwidth(random) : null,
                        AddressesBy = random.Next(3) == 0 ? "host" : "none",
                        TellsNames = random.Next(3) == 0,
                        Asked = random.Next(4) == 0
                            ? new Amount(random.Next(1, cpus), random.Next(cpus) * 112) : default,
                    }),
            };
        }

        return sketch;
    }

    /// <summary>A volume for one domain of two, each in the place of its number among its tenant's.</summary>
    private static Sketch WithVolumes(Random random, Sketch sketch) => sketch with
    {
        Volumes = sketch.Volumes.SetItems(sketch.Domains.Where(_ => random.Next(2) == 0).Select(domain =>
            KeyValuePair.Create(
                Text($"{Sketch.TenantOf(domain.Key)}/v{domain.Value.Number % 3}"),
                new SketchedVolume(domain.Key, Pick(random, Sharings))))),
    };

    /// <summary>A volume of a machine's own domain, where there is one.</summary>
    private static IEnumerable<(string Volume, bool Writes)> Disk(Random random, Sketch sketch, string domain) =>
        sketch.Volumes.Where(volume => volume.Value.Domain == domain).Take(1)
            .Select(volume => (volume.Key, random.Next(3) == 0));

    /// <summary>The first free place among a domain's addresses.</summary>
    private static int Place(Sketch sketch, string domain) => Enumerable.Range(10, 90).First(place =>
        sketch.Machines.Values.All(machine => machine.Nics.All(nic => nic.Domain != domain || nic.Place != place)));

    /// <summary>One more flow, most of which both sides want.</summary>
    private static Sketch Met(Random random, Sketch sketch)
    {
        string[] all = [.. sketch.Domains.Keys];
        string from = Pick(random, all), to = Pick(random, all);
        if (from == to)
        {
            return sketch;
        }

        SketchedTerm grant = Term(random, sketch, from, to), accept = Term(random, sketch, to, from);
        accept = random.Next(3) == 0 ? accept : accept with { What = grant.What };
        var (one, other) = (sketch.Domains[from], sketch.Domains[to]);
        return sketch with
        {
            Domains = sketch.Domains.SetItem(from, one with { Grants = one.Grants.Add(grant) })
                .SetItem(to, other with { Accepts = other.Accepts.Add(accept) }),
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
