using static Bailiwick.Tests.Domains.Modelling.Changes;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>Changes of rules that bear on others: where information may come, room, company, and who opens a volume.
/// </summary>
internal static class RuleChanges
{
    /// <summary>Each kind of them; what machines can be short of the more often.</summary>
    public static readonly Func<Random, Sketch, Change>[] All =
        [Information, Information, Owner, Together, Mount, Mount, Size, Size, Quota, Quota, Reserve, Room];

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
            one.Hosts.TryGetValue(host, out SketchedHost? was) ? one with
            {
                Hosts = one.Hosts.SetItem(host, was with { Cpus = cpus, MemoryMib = memory }),
            } : one);
    }

    private static Sketch Sized(Sketch sketch, string machine, Func<SketchedMachine, SketchedMachine> change) =>
        sketch.Machines.TryGetValue(machine, out SketchedMachine? was)
            ? sketch with { Machines = sketch.Machines.SetItem(machine, change(was)) } : sketch;

    private static string Words(SketchedDemand? demand) => demand is null ? "nothing"
        : $"not to [{string.Join(' ', demand.NotTo)}] within [{string.Join(' ', demand.Within ?? [])}] in conflict "
            + $"with [{string.Join(' ', demand.Conflicts.SelectMany(one => one))}] kept by "
            + $"[{string.Join(' ', demand.Keepers)}]";
}
