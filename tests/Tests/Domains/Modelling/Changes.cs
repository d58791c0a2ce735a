using System.Collections.Immutable;
using System.Globalization;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>A change of what is stated or proposed, drawn with a state in mind; it applies to any.</summary>
/// <param name="Words">For people.</param>
/// <param name="Apply">The state after it.</param>
internal sealed record Change(string Words, Func<Sketch, Sketch> Apply)
{
    public override string ToString() => Words;
}

/// <summary>Changes drawn at random.</summary>
internal static class Changes
{
    private static readonly Func<Random, Sketch, Change>[] All =
    [
        Term, Term, Term, Narrower, Removed, Removed, Comes, Comes, Goes, Moves, Moves, Stops, Twice, Expires, Country,
        HostGoes, Wire, Demand, TenantLeaves, DomainGoes, Group, Nat, Disk, Disk, Volume, Image, Apart, Doubt,
        .. RuleChanges.All,
    ];

    /// <summary>One change.</summary>
    public static Change Draw(Random random, Sketch sketch) => All[random.Next(All.Length)](random, sketch);

    private static Change Term(Random random, Sketch sketch)
    {
        string from = Domain(random, sketch), to = Domain(random, sketch);
        SketchedTerm grant = SketchDraw.Term(random, sketch, from, to);
        SketchedTerm accept = SketchDraw.Term(random, sketch, to, from);
        // Mostly what meets, sometimes one side alone.
        int sides = from == to ? 0 : random.Next(4);
        if (random.Next(3) > 0)
        {
            accept = accept with { What = grant.What };
        }

        return new Change($"{from} to {to}: {grant.What} {List(grant.Only)} meets {accept.What} {List(accept.Only)}, "
            + $"{sides} of nothing, the grant, the acceptance, both", one =>
        {
            one = sides is 1 or 3 ? Said(one, from, said => said with { Grants = said.Grants.Add(grant) }) : one;
            return sides is 2 or 3 ? Said(one, to, said => said with { Accepts = said.Accepts.Add(accept) }) : one;
        });
    }

    private static Change Narrower(Random random, Sketch sketch)
    {
        var (domain, isGrant, at) = (Domain(random, sketch), random.Next(2) == 0, random.Next(8));
        string only = Local(random, sketch, domain);
        bool byName = random.Next(2) == 0;
        return new Change($"term {at} of {domain} ({(isGrant ? "grants" : "accepts")}) becomes narrower", one =>
            Terms(one, domain, isGrant, terms => terms.IsEmpty ? terms : terms.SetItem(at % terms.Length,
                Narrow(terms[at % terms.Length], byName ? only : null))));
    }

    private static SketchedTerm Narrow(SketchedTerm term, string? only) => (only, term.What) switch
    {
        ({ } name, _) => term with { Only = [name] },
        (_, Resource.Network { First: var first, Last: var last } net) when first < last =>
            term with { What = net with { Last = (first + last) / 2 } },
        (_, Resource.Volume { Writes: true } lent) => term with { What = lent with { Writes = false } },
        _ => term,
    };

    private static Change Removed(Random random, Sketch sketch)
    {
        var (domain, isGrant, at) = (Domain(random, sketch), random.Next(2) == 0, random.Next(8));
        return new Change($"term {at} of {domain} ({(isGrant ? "grants" : "accepts")}) goes", one =>
            Terms(one, domain, isGrant, terms => terms.IsEmpty ? terms : terms.RemoveAt(at % terms.Length)));
    }

    private static Change Comes(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        string name = Text($"{Sketch.TenantOf(domain)}/m{random.Next(100, 200)}");
        SketchedMachine machine = SketchDraw.Machine(random, sketch, domain, random.Next(100, 250));
        string host = Host(random, sketch);
        return new Change($"{name} comes to {host}: {string.Join(", ", machine.Nics)}", one => one with
        {
            Machines = one.Machines.SetItem(name, machine), Places = Elsewhere(one, name).Add((name, host)),
        });
    }

    private static Change Goes(Random random, Sketch sketch)
    {
        string name = Machine(random, sketch);
        return new Change($"{name} goes", one => one with { Machines = one.Machines.Remove(name) });
    }

    private static Change Moves(Random random, Sketch sketch)
    {
        var (name, host) = (Machine(random, sketch), Host(random, sketch));
        return new Change($"{name} moves to {host}", one => one with
        {
            Places = Elsewhere(one, name).Add((name, host)),
        });
    }

    private static Change Stops(Random random, Sketch sketch)
    {
        string name = Machine(random, sketch);
        return new Change($"{name} stops", one => one with { Places = Elsewhere(one, name) });
    }

    private static Change Twice(Random random, Sketch sketch)
    {
        var (name, host) = (Machine(random, sketch), Host(random, sketch));
        return new Change($"{name} is proposed for {host} too", one => one with
        {
            Places = one.Places.Add((name, host)),
        });
    }

    private static Change Expires(Random random, Sketch sketch)
    {
        var (domain, expiry) = (Domain(random, sketch), (Expiry)random.Next(1, 4));
        return new Change($"{domain} expires {expiry}", one =>
            Said(one, domain, said => said with { Expiry = expiry }));
    }

    private static Change Country(Random random, Sketch sketch)
    {
        var (host, country) = (Host(random, sketch), SketchDraw.Pick(random, SketchDraw.Countries));
        return new Change($"{host} is in {country}", one => one with
        {
            Hosts = one.Hosts.TryGetValue(host, out SketchedHost? was)
                ? one.Hosts.SetItem(host, was with { Country = country }) : one.Hosts,
        });
    }

    private static Change HostGoes(Random random, Sketch sketch)
    {
        string host = Text($"h{random.Next(sketch.Hosts.Count + 1)}");
        return new Change($"{host} goes, or comes", one => one.Hosts.ContainsKey(host) && one.Hosts.Count > 1
            ? one with
            {
                Hosts = one.Hosts.Remove(host),
                Links = [.. one.Links.Where(link => !link.Hosts.Contains(host))],
            }
            : one with { Hosts = one.Hosts.SetItem(host, new SketchedHost("CH", 40)) });
    }

    private static Change Wire(Random random, Sketch sketch)
    {
        var (one, other) = (Host(random, sketch), Host(random, sketch));
        var (name, isTrusted) = (Text($"l{random.Next(4)}"), random.Next(3) > 0);
        return new Change($"the wire {name} joins {one} and {other}, trusted {isTrusted}", state => state with
        {
            Links =
            [
                .. state.Links.Where(link => link.Name != name),
                .. one != other && state.Hosts.ContainsKey(one) && state.Hosts.ContainsKey(other)
                    ? [new SketchedLink(name, [one, other], isTrusted)] : Array.Empty<SketchedLink>(),
            ],
        });
    }

    private static Change Demand(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch), word = SketchDraw.Pick(random, SketchDraw.Confidentialities);
        string country = SketchDraw.Pick(random, SketchDraw.Countries);
        bool isOfWires = random.Next(2) == 0;
        return new Change($"{domain} demands {(isOfWires ? word : country)}", one => Said(one, domain, said => isOfWires
            ? said with { Confidentiality = word } : said with { Countries = [country] }));
    }

    private static Change TenantLeaves(Random random, Sketch sketch)
    {
        string tenant = SketchDraw.Pick(random, [.. sketch.Tenants]);
        return new Change($"{tenant} leaves, or comes back", one => one with
        {
            Left = one.Left.SymmetricExcept([tenant]),
        });
    }

    private static Change DomainGoes(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        return new Change($"{domain} goes", one => one.Domains.Count < 2 ? one : one with
        {
            Domains = one.Domains.Remove(domain),
        });
    }

    private static Change Doubt(Random random, Sketch sketch)
    {
        var (host, domain) = (Host(random, sketch), Domain(random, sketch));
        return new Change($"{host} has not proven itself for {domain}, or has again", one => one with
        {
            Doubts = one.Doubts.SymmetricExcept([(host, domain)]),
        });
    }

    private static Change Group(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch), name = Local(random, sketch, domain);
        // A group may get the name of a machine, and then it is nobody.
        string group = random.Next(5) == 0 ? name : "front";
        bool isEmpty = random.Next(4) == 0;
        return new Change($"the group {group} of {domain} is {(isEmpty ? "empty" : name)}", one =>
            Said(one, domain, said => said with { Groups = said.Groups.SetItem(group, isEmpty ? [] : [name]) }));
    }

    private static Change Nat(Random random, Sketch sketch)
    {
        string one = Domain(random, sketch), other = Domain(random, sketch);
        Block?[] known = [SketchDraw.Alias(random), random.Next(3) == 0 ? null : SketchDraw.Alias(random)];
        int sides = one == other ? 0 : random.Next(1, 5);
        return new Change($"{one} and {other} know each other by {known[0]} and {known[1]} ({sides})", state =>
        {
            state = Said(state, one, said => said with
            {
                Nats = With(said.Nats, other, sides > 0 ? new SketchedNat(other, known[0], known[1]) : null),
            });
            // The other says the same, or nothing, or the wrong way round.
            return Said(state, other, said => said with
            {
                Nats = With(said.Nats, one, sides switch
                {
                    1 => null,
                    2 => new SketchedNat(one, known[0], known[1]),
                    _ => sides > 0 ? new SketchedNat(one, known[1], known[0]) : null,
                }),
            });
        });
    }

    private static ImmutableArray<SketchedNat> With(ImmutableArray<SketchedNat> nats, string peer, SketchedNat? nat) =>
        [.. nats.Where(one => one.With != peer), .. nat is null ? Array.Empty<SketchedNat>() : [nat]];

    private static Change Disk(Random random, Sketch sketch)
    {
        string machine = Machine(random, sketch);
        string volume = SketchDraw.Pick(random, [.. sketch.Volumes.Keys.DefaultIfEmpty("t0/v0")]);
        bool writes = random.Next(2) == 0;
        return new Change($"{machine} has {volume}, writes {writes}", one => one with
        {
            Machines = one.Machines.TryGetValue(machine, out SketchedMachine? was)
                ? one.Machines.SetItem(machine, was with { Disks = [(volume, writes)] }) : one.Machines,
        });
    }

    private static Change Volume(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        string name = Text($"{Sketch.TenantOf(domain)}/v{random.Next(3)}");
        string sharing = SketchDraw.Pick(random, SketchDraw.Sharings);
        return new Change($"{name} is a volume of {domain}, {sharing}", one => one with
        {
            Volumes = one.Volumes.SetItem(name, new SketchedVolume(domain, sharing)),
        });
    }

    private static Change Image(Random random, Sketch sketch)
    {
        var (machine, image) = (Machine(random, sketch), random.Next(2) == 0 ? "guest" : "other");
        return new Change($"{machine} starts from {image}", one => one with
        {
            Machines = one.Machines.TryGetValue(machine, out SketchedMachine? was)
                ? one.Machines.SetItem(machine, was with { Image = image }) : one.Machines,
        });
    }

    private static Change Apart(Random random, Sketch sketch)
    {
        string machine = Machine(random, sketch), other = Sketch.LocalOf(Machine(random, sketch));
        return new Change($"{machine} must be apart from {other}", one => one with
        {
            Machines = one.Machines.TryGetValue(machine, out SketchedMachine? was) && Sketch.LocalOf(machine) != other
                ? one.Machines.SetItem(machine, was with
                {
                    ApartFrom = [other], TogetherWith = was.TogetherWith.Remove(other),
                }) : one.Machines,
        });
    }

    internal static Sketch Said(Sketch sketch, string domain, Func<SketchedDomain, SketchedDomain> change) =>
        sketch.Domains.TryGetValue(domain, out SketchedDomain? said)
            ? sketch with { Domains = sketch.Domains.SetItem(domain, change(said)) } : sketch;

    private static Sketch Terms(
        Sketch sketch, string domain, bool grants,
        Func<ImmutableArray<SketchedTerm>, ImmutableArray<SketchedTerm>> change) => Said(sketch, domain, said => grants
            ? said with { Grants = change(said.Grants) } : said with { Accepts = change(said.Accepts) });

    private static ImmutableSortedSet<(string, string)> Elsewhere(Sketch sketch, string machine) =>
        sketch.Places.Except(sketch.Places.Where(place => place.Machine == machine));

    internal static string Domain(Random random, Sketch sketch) => SketchDraw.Pick(random, [.. sketch.Domains.Keys]);

    internal static string Machine(Random random, Sketch sketch) =>
        SketchDraw.Pick(random, [.. sketch.Machines.Keys.DefaultIfEmpty("t0/m0")]);

    internal static string Host(Random random, Sketch sketch) => SketchDraw.Pick(random, [.. sketch.Hosts.Keys]);

    /// <summary>A machine of the domain's tenant, without the tenant.</summary>
    internal static string Local(Random random, Sketch sketch, string domain) => Sketch.LocalOf(SketchDraw.Pick(
        random,
        [
            .. sketch.Machines.Keys.Where(name => Sketch.TenantOf(name) == Sketch.TenantOf(domain))
                .DefaultIfEmpty("t/m0"),
        ]));

    private static string List(ImmutableArray<string>? names) =>
        names is { } only ? $"[{string.Join(' ', only)}]" : "all";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
