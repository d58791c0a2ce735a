using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>A sketch as its parties would write it: one file for each document that changes by itself.</summary>
internal static class SketchText
{
    /// <summary>Paths and texts.</summary>
    public static IEnumerable<(string Path, string Text)> Of(Sketch sketch)
    {
        yield return ($"{Sketch.Operator}/datacentre.yaml", Text(
            $"kind: Datacentre\nname: {Sketch.Operator}\ntenants: [{List(sketch.Tenants.Except(sketch.Left))}]\n"));
        foreach (var (name, host) in sketch.Hosts)
        {
            yield return ($"{Sketch.Operator}/{name}.yaml", Text(
                $"kind: Host\nname: {name}\njurisdiction: {host.Country}\nassurance: software\n")
                + $"underlay: {{ipv4: {Sketch.UnderlayOf(name)}{Member("vlans", host.Vlans)}}}\n"
                + Text($"capacity: {{cpus: {host.Cpus}, memoryMiB: {host.MemoryMib}")
                + $"{Member("uplinkMbit", host.UplinkMbit)}}}\n");
        }

        foreach (SketchedLink link in sketch.Links)
        {
            yield return ($"{Sketch.Operator}/{link.Name}.yaml", Text(
                $"kind: Link\nname: {link.Name}\nhosts: [{List(link.Hosts)}]\n")
                + $"medium: {(link.IsTrusted ? "trusted-segment" : "untrusted")}\n"
                + (link.Numbers is { } vlans ? Text($"vlans: {{first: {vlans.First}, last: {vlans.Last}}}\n") : ""));
        }

        foreach (string tenant in sketch.Tenants)
        {
            yield return ($"{tenant}/tenant.yaml", $"kind: Tenant\nname: {tenant}\nlegalName: {tenant}\n"
                + Image("guest") + Image("other"));
        }

        foreach (var (name, domain) in sketch.Domains)
        {
            yield return ($"{name}.yaml", Domain(Sketch.LocalOf(name), domain));
        }

        foreach (var (name, machine) in sketch.Machines)
        {
            yield return ($"{name}.yaml", Machine(sketch, name, machine));
        }

        foreach (var (name, volume) in sketch.Volumes)
        {
            yield return ($"{name}.yaml", Text($"kind: Volume\nname: {Sketch.LocalOf(name)}\n")
                + Text($"domain: {Sketch.LocalOf(volume.Domain)}\nsizeMiB: {volume.SizeMib}\nwipe: crypto-erase\n")
                + $"sharing: {volume.Sharing}\n"
                + Members("mount", ("images", volume.OnlyImages), ("hosts", volume.OnlyOn)));
        }
    }

    /// <summary>All of it but what is in every sketch, for people.</summary>
    public static string InOne(Sketch sketch) => string.Concat(Of(sketch)
        .Where(file => !file.Path.EndsWith("/tenant.yaml", StringComparison.Ordinal))
        .Select(file => $"# {file.Path}\n{file.Text}")) + string.Join(' ', sketch.Places);

    private static string Image(string name) =>
        $"---\nkind: Image\nname: {name}\nkernel: {{file: vmlinuz}}\ninitrd: {{file: initrd.gz}}\narguments: quiet\n";

    private static string Domain(string name, SketchedDomain domain)
    {
        string expires = domain.Expiry switch
        {
            Expiry.Late => "2036-01-01T00:00:00Z",
            Expiry.InASecond => Moment(ExamplePlacements.Now.AddSeconds(1)),
            Expiry.Now => Moment(ExamplePlacements.Now),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var text = new StringBuilder(Text(
            $$"""
            kind: Domain
            name: {{name}}
            legalOwner: {name: Owner, jurisdiction: {{domain.Owner}}}
            expires: {{expires}}
            hosts: {operators: [alpine], assurance: [software], jurisdictions: [{{List(domain.Countries)}}]}
            machines: {images: [{{List(domain.Images)}}]}

            """));
        text.Append(Text($"network: {{subnets: [{domain.Block.Subnets}], confidentiality: {domain.Confidentiality}, "))
            .Append(Text($"number: {domain.Number}}}\nstorage: {{confidentiality: required}}\n"))
            .Append(Text($"quota: {{machines: {domain.Quota.Machines}, cpus: {domain.Quota.Cpus}, "))
            .Append(Text($"memoryMiB: {domain.Quota.MemoryMib}, storageMiB: {domain.Quota.StorageMib}}}\n"))
            .Append(domain.Asked == default ? "" : Text(
                $"reservation: {{cpus: {domain.Reserves.Cpus}, memoryMiB: {domain.Reserves.MemoryMib}}}\n"))
            .Append(Demand(domain)).Append(Services(domain))
            .Append(Text($"groups: {{{List(domain.Groups.Select(one => $"{one.Key}: [{List(one.Value)}]"))}"))
            .Append("}\nflows:\n");
        Entries(text, "grants", domain.Grants.Select(term => Term("to", term)));
        Entries(text, "accepts", domain.Accepts.Select(term => Term("from", term)));
        if (!domain.Nats.IsEmpty)
        {
            Entries(text, "nat", domain.Nats.Select(nat =>
                $"{{with: {nat.With}{Known("own", nat.Own)}{Known("peer", nat.Peer)}}}"));
        }

        return text.ToString();
    }

    private static string Known(string word, Block? block) => block is null ? "" : $", {word}: [{block.Subnets}]";

    private static string Term(string word, SketchedTerm term)
    {
        string only = term.Only is { } names ? $"machines: [{List(names)}], " : "";
        return $"{{{word}: {term.Peer}, {only}" + term.What switch
        {
            Resource.Network { Protocol: "icmp" } => "network: {protocol: icmp}}",
            Resource.Network net => Text(
                $"network: {{protocol: {net.Protocol}, ports: [\"{net.First}-{net.Last}\"]}}}}"),
            Resource.Volume volume => $"volume: {{name: {volume.Name}, access: {Access(volume.Writes)}}}}}",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static string Machine(Sketch sketch, string name, SketchedMachine machine)
    {
        var text = new StringBuilder($"kind: Compartment\nname: {Sketch.LocalOf(name)}\n"
            + Text($"cpus: {machine.Needs.Cpus}\nmemoryMiB: {machine.Needs.MemoryMib}\n"));
        string disks = List(machine.Disks.Select(disk =>
            $"{{volume: {Volume(name, disk.Volume)}, access: {Access(disk.Writes)}}}"));
        text.Append(Text($"boot: {{image: {machine.Image}}}\ndisks: [{disks}]\nnics:\n"));
        foreach (SketchedNic nic in machine.Nics)
        {
            Block? block = sketch.Domains.GetValueOrDefault(nic.Domain)?.Block ?? new Block(9_999, IsAlias: false);
            text.Append(Text($"  - {{domain: {Sketch.LocalOf(nic.Domain)}"))
                .Append(nic.HasIpv4 ? Text($", ipv4: {block.Address(nic.Place, ipv6: false)}") : "")
                .Append(nic.HasIpv6 ? Text($", ipv6: \"{block.Address(nic.Place, ipv6: true)}\"") : "").Append("}\n");
        }

        return text.Append(Members(
            "placement", ("hosts", machine.OnlyOn), ("apartFrom", machine.ApartFrom),
            ("togetherWith", machine.TogetherWith))).ToString();
    }

    private static string Services(SketchedDomain domain)
    {
        string[] told =
        [
            .. domain.AddressesBy switch
            {
                "none" => Array.Empty<string>(),
                "host" => ["addresses: host"],
                var machine => [$"addresses: {{machine: {machine}}}"],
            },
            .. domain.TellsNames ? ["names: host"] : Array.Empty<string>(),
        ];
        return (told.Length == 0 ? "" : $"services: {{{List(told)}}}\n") + (domain.Bandwidth is { } part
            ? Text($"bandwidth: {{reserveMbit: {part.Reserve}{Member("limitMbit", part.Limit)}}}\n") : "");
    }

    private static string Member(string name, object? value) => value is null ? "" : Text($", {name}: {value}");

    private static string Demand(SketchedDomain domain) => domain.Information is not { } demand ? "" : Members(
        "information", ("notTo", demand.NotTo), ("jurisdictions", domain.MayBeKnownIn), ("keepers", demand.Keepers),
        ("conflicts", demand.Conflicts.Select((rivals, at) => Text($"{{class: c{at}, with: [{List(rivals)}]}}"))));

    /// <summary>A member with those of its lists that name anything; nothing where none does.</summary>
    private static string Members(string name, params (string Name, IEnumerable<string>? Those)[] lists)
    {
        string[] named = [.. lists.Where(list => list.Those?.Any() == true)
            .Select(list => $"{list.Name}: [{List(list.Those ?? [])}]")];
        return named.Length == 0 ? "" : $"{name}: {{{List(named)}}}\n";
    }

    private static string Volume(string machine, string volume) =>
        Sketch.TenantOf(machine) == Sketch.TenantOf(volume) ? Sketch.LocalOf(volume) : volume;

    private static string Access(bool writes) => writes ? "write" : "read";

    private static void Entries(StringBuilder text, string name, IEnumerable<string> entries)
    {
        var all = entries.ToImmutableArray();
        text.Append(Text($"  {name}:{(all.IsEmpty ? " []" : "")}\n"));
        foreach (string entry in all)
        {
            text.Append(Text($"    - {entry}\n"));
        }
    }

    private static string Moment(DateTimeOffset moment) =>
        moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string List(IEnumerable<string> items) => string.Join(", ", items);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
