using static Bailiwick.Tests.Domains.Modelling.Changes;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>Changes of rules that bear on others: where information may come, room, company, and who opens a volume.
/// </summary>
internal static class RuleChanges
{
    /// <summary>Each kind of them; what machines can be short of the more often.</summary>
    public static readonly Func<Random, Sketch, Change>[] All =
    [
        Information, Information, Owner, Together, Mount, Mount, Size, Size, Quota, Quota, Reserve, Reserve,
        Room, Segment, Carries, Uplink, Bandwidth, Services, Services,
    ];

    /// <summary>One of these changes.</summary>
    public static Change Draw(Random random, Sketch sketch) => All[random.Next(All.Length)](random, sketch);

    private static Change Information(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        SketchedDemand? demand = random.Next(4) == 0 ? null : SketchDraw.Demand(random, sketch, domain);
        return new Change($"{domain} demands of its information {Words(demand)}", one =>
            Said(one, domain, said => said with { Information = demand }));
    }

    private static Change Owner(Random random, Sketch sketch)
    {
        var (domain, country) = (Domain(random, sketch), SketchDraw.Pick(random, SketchDraw.Owners));
        return new Change($"the owner of {domain} is in {country}", one =>
            Said(one, domain, said => said with { Owner = country }));
    }

    private static Change Together(Random random, Sketch sketch)
    {
        string machine = Machine(random, sketch), other = Sketch.LocalOf(Machine(random, sketch));
        return new Change($"{machine} must be together with {other}", one =>
            Sized(one, machine, said => Sketch.LocalOf(machine) == other
                ? said : said with { TogetherWith = [other], ApartFrom = said.ApartFrom.Remove(other) }));
    }

    private static Change Mount(Random random, Sketch sketch)
    {
        string volume = SketchDraw.Pick(random, [.. sketch.Volumes.Keys.DefaultIfEmpty("t0/v0")]);
        string? image = random.Next(3) == 0 ? "other" : random.Next(2) == 0 ? "guest" : null;
        string? host = random.Next(2) == 0 ? Host(random, sketch) : null;
        int size = random.Next(3) == 0 ? 64 : 16;
        return new Change($"{volume} of {size} MiB is opened for {image ?? "any image"} on {host ?? "any host"}", one =>
            one.Volumes.TryGetValue(volume, out SketchedVolume? was) ? one with
            {
                Volumes = one.Volumes.SetItem(volume, was with
                {
                    SizeMib = size, OnlyImages = image is null ? null : [image], OnlyOn = host is null ? null : [host],
                }),
            } : one);
    }

    private static Change Size(Random random, Sketch sketch)
    {
        string machine = Machine(random, sketch);
        var needs = new Amount(random.Next(1, 4), random.Next(2) == 0 ? 112 : 512);
        return new Change($"{machine} needs {needs}", one => Sized(one, machine, said => said with { Needs = needs }));
    }

    private static Change Quota(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        var quota = new SketchedQuota(
            random.Next(3) == 0 ? random.Next(1, 5) : 60, random.Next(3) == 0 ? random.Next(2, 8) : 400,
            random.Next(3) == 0 ? random.Next(100, 1_000) : 262_144, random.Next(3) == 0 ? random.Next(4, 40) : 16_384);
        return new Change($"{domain} may have {quota}", one =>
            Said(one, domain, said => said with { Quota = quota }));
    }

    private static Change Reserve(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        Amount asked = random.Next(4) == 0 ? default : new Amount(random.Next(2, 60), random.Next(3) * 300);
        return new Change($"{domain} reserves {asked}", one =>
            Said(one, domain, said => said with { Asked = asked }));
    }

    private static Change Room(Random random, Sketch sketch)
    {
        var (host, cpus) = (Host(random, sketch), random.Next(2, 12));
        int memory = random.Next(2) == 0 ? 262_144 : random.Next(200, 2_000);
        return new Change($"{host} has room for {cpus} and {memory} MiB", one =>
            Offered(one, host, said => said with { Cpus = cpus, MemoryMib = memory }));
    }

    private static Change Segment(Random random, Sketch sketch)
    {
        VlanNumbers? numbers = random.Next(5) == 0 ? null : new VlanNumbers(random.Next(2, 4_000), random.Next(1, 6));
        bool isTrusted = random.Next(6) > 0;
        return new Change($"all hosts are on a segment with the VLANs {numbers}, trusted {isTrusted}", one => one with
        {
            Links =
            [
                .. one.Links.Where(link => link.Name != SketchDraw.Segment),
                .. one.Hosts.Count < 2 ? Array.Empty<SketchedLink>() :
                    [new SketchedLink(SketchDraw.Segment, [.. one.Hosts.Keys], isTrusted) { Numbers = numbers }],
            ],
        });
    }

    private static Change Carries(Random random, Sketch sketch)
    {
        string host = Host(random, sketch);
        string? segment = random.Next(3) == 0 ? null : SketchDraw.Segment;
        return new Change($"{host} carries the VLANs of {segment ?? "nothing"}", one =>
            Offered(one, host, said => said with { Vlans = segment }));
    }

    private static Change Uplink(Random random, Sketch sketch)
    {
        string host = Host(random, sketch);
        int? mbit = random.Next(4) == 0 ? null : random.Next(100, 1_000);
        return new Change($"{host} sends {mbit} Mbit/s", one =>
            Offered(one, host, said => said with { UplinkMbit = mbit }));
    }

    private static Change Bandwidth(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch);
        SketchedBandwidth? part = random.Next(3) == 0 ? null : SketchDraw.Bandwidth(random);
        return new Change($"{domain} has the part {part} of uplinks", one =>
            Said(one, domain, said => said with { Bandwidth = part }));
    }

    private static Change Services(Random random, Sketch sketch)
    {
        string domain = Domain(random, sketch), machine = Local(random, sketch, domain);
        string by = random.Next(3) switch { 0 => "none", 1 => "host", _ => machine };
        bool tells = random.Next(3) > 0;
        return new Change($"{domain} is told addresses by {by}, names {tells}", one =>
            Said(one, domain, said => said with { AddressesBy = by, TellsNames = tells }));
    }

    private static Sketch Offered(Sketch sketch, string host, Func<SketchedHost, SketchedHost> change) =>
        sketch.Hosts.TryGetValue(host, out SketchedHost? was)
            ? sketch with { Hosts = sketch.Hosts.SetItem(host, change(was)) } : sketch;

    private static Sketch Sized(Sketch sketch, string machine, Func<SketchedMachine, SketchedMachine> change) =>
        sketch.Machines.TryGetValue(machine, out SketchedMachine? was)
            ? sketch with { Machines = sketch.Machines.SetItem(machine, change(was)) } : sketch;

    private static string Words(SketchedDemand? demand) => demand is null ? "nothing"
        : $"not to [{string.Join(' ', demand.NotTo)}] within [{string.Join(' ', demand.Within ?? [])}] in conflict "
            + $"with [{string.Join(' ', demand.Conflicts.SelectMany(one => one))}] kept by "
            + $"[{string.Join(' ', demand.Keepers)}]";
}
