using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bailiwick.Tests.Fakes;

/// <summary>A device of the fake kernel.</summary>
internal sealed class FakeLink
{
    public required string Kind { get; init; }

    public string? Master { get; set; }

    public bool Up { get; set; }

    public int Mtu { get; set; } = 1500;

    public bool Learning { get; set; } = true;

    public bool Deaf { get; set; }

    public int Group { get; set; }

    public int Number { get; init; }

    public string Local { get; init; } = "";

    public string? Space { get; init; }

    /// <summary>The namespace through which a tunnel's packets go.</summary>
    public string? Apart { get; init; }
}

/// <summary>Devices, forwarding entries, namespaces and tables of one host's kernel.</summary>
internal sealed partial class FakeNetwork
{
    public SortedDictionary<string, FakeLink> Links { get; } = new(StringComparer.Ordinal);

    public List<(string Mac, string Device, string? Destination, bool Bridge)> Forwards { get; } = [];

    public SortedSet<string> Namespaces { get; } = new(StringComparer.Ordinal);

    /// <summary>Tables by place: namespace or <c>-</c>, family, name; each with its lines.</summary>
    public SortedDictionary<string, List<string>> Tables { get; } = new(StringComparer.Ordinal);

    public FakeWireGuard WireGuard { get; } = new();

    /// <summary>Devices of ours that are in a group.</summary>
    public IEnumerable<string> LivePorts =>
        Links.Where(l => l.Key.StartsWith("bw", StringComparison.Ordinal) && l.Value.Group != 0).Select(l => l.Key);

    private int _snapshot;
    private uint _generation = 1;

    /// <summary>A kernel that has just started.</summary>
    public void Clear()
    {
        Links.Clear();
        Forwards.Clear();
        Namespaces.Clear();
        Tables.Clear();
        WireGuard.Clear();
    }

    public void AddTunnel(string name, string number, string local, string? apart) => Links.Add(name, new FakeLink
    {
        Kind = "vxlan", Number = int.Parse(number, CultureInfo.InvariantCulture), Local = local,
        Apart = apart,
    });

    public string LinksJson() => new JsonArray(
        [.. Links.Where(l => l.Value.Space is null).Select(l => (JsonNode)LinkJson(l.Key, l.Value))]).ToJsonString();

    public string ForwardsJson() => new JsonArray([.. Forwards.Select(f => (JsonNode)new JsonObject
    {
        ["mac"] = f.Mac,
        ["ifname"] = f.Device,
        ["dst"] = f.Destination,
        ["master"] = f.Bridge ? Links[f.Device].Master : null,
        ["state"] = "static",
    })]).ToJsonString();

    public string? TableJson(string place) => !Tables.TryGetValue(place, out List<string>? lines)
        ? null
        : Listing([.. lines.Select(line => new JsonObject { ["rule"] = new JsonObject { ["expr"] = line } })]);

    public string TablesJson(string family) => Listing(
    [
        .. Tables.Keys.Select(p => p.Split(' ')).Where(p => p[0] == "-" && p[1] == family)
            .Select(p => new JsonObject { ["table"] = new JsonObject { ["family"] = p[1], ["name"] = p[2] } }),
    ]);

    /// <summary>
    /// Counts transactions as the kernel does; what a test changed by itself is somebody else's transaction.
    /// </summary>
    public uint Generation()
    {
        int now = Snapshot();
        if (now != _snapshot)
        {
            _snapshot = now;
            _generation++;
        }

        return _generation;
    }

    /// <summary>Runs nft text as one transaction: all of it, or an error and nothing.</summary>
    public void Load(string space, string text)
    {
        _ = Generation();
        Act(space, text);
        _snapshot = Snapshot();
        _generation += space == "-" ? 1u : 0;
    }

    /// <summary>Changes something without the kernel's counting it.</summary>
    public void Hide(Action change)
    {
        change();
        _snapshot = Snapshot();
    }

    private int Snapshot()
    {
        HashCode hash = default;
        foreach (string text in Tables.Where(t => t.Key.StartsWith("- ", StringComparison.Ordinal))
            .SelectMany(t => t.Value.Prepend(t.Key)))
        {
            hash.Add(text);
        }

        return hash.ToHashCode();
    }

    private void Act(string space, string text)
    {
        string? open = null;
        foreach (string line in text.Split('\n'))
        {
            if (open is not null)
            {
                if (line == "}")
                {
                    open = null;
                }
                else
                {
                    Tables[open].Add(line);
                }
            }
            else if (OpenTable().Match(line) is { Success: true } table)
            {
                open = $"{space} {table.Groups[1]} {table.Groups[2]}";
                Tables[open] = Tables.GetValueOrDefault(open) ?? [];
            }
            else if (line.Length > 0)
            {
                Command(space, line);
            }
        }
    }

    public void RemoveLink(string name)
    {
        Links.Remove(name);
        // One end of a pair takes the other with it (veth(4)).
        foreach (string end in Links.Keys.Where(k => k.EndsWith($":{name}", StringComparison.Ordinal)).ToList())
        {
            Links.Remove(end);
        }

        Forwards.RemoveAll(f => f.Device == name);
        foreach (FakeLink link in Links.Values.Where(l => l.Master == name))
        {
            link.Master = null;
        }
    }

    private void Command(string space, string line)
    {
        if (AnyElement().Match(line) is { Success: true } any)
        {
            Element($"{space} {any.Groups[2]}", any.Groups[3].Value, any.Groups[1].Value == "add", any.Groups[4].Value);
        }
        else if (PlainTable().Match(line) is { Success: true } table)
        {
            string place = $"{space} {table.Groups[2]} {table.Groups[3]}";
            if (table.Groups[1].Length == 0)
            {
                Tables.TryAdd(place, []);
                return;
            }

            Tables.Remove(place);
        }
        else
        {
            throw new InvalidOperationException($"The fake nft does not know: {line}");
        }
    }

    private void Element(string place, string set, bool adds, string element)
    {
        List<string> lines = Tables[place];
        int head = lines.FindIndex(l => l == $"\tset {set} {{" || l == $"\tmap {set} {{");
        Assert.True(head >= 0, $"{place} has no set {set}");
        int end = lines.IndexOf("\t}", head);
        int first = lines.IndexOf("\t\telements = {", head, end - head) + 1;
        if (first == 0)
        {
            Assert.True(adds, $"{element} is not in {set}");
            lines.InsertRange(end, ["\t\telements = {", $"\t\t\t{element},", "\t\t}"]);
            return;
        }

        int after = lines.IndexOf("\t\t}", first);
        int at = lines.IndexOf($"\t\t\t{element},", first, after - first);
        Assert.Equal(adds, at < 0);
        if (!adds)
        {
            lines.RemoveAt(at);
            if (after == first + 1)
            {
                lines.RemoveRange(first - 1, 2);
            }

            return;
        }

        // The order of a listing says nothing; here it is that of the text.
        int where = lines.FindIndex(first, l => l == "\t\t}" || string.CompareOrdinal(l, $"\t\t\t{element},") > 0);
        lines.Insert(where, $"\t\t\t{element},");
    }

    private static JsonObject LinkJson(string name, FakeLink link)
    {
        JsonObject info = new() { ["info_kind"] = link.Kind };
        if (link.Kind == "bridge")
        {
            info["info_data"] = new JsonObject
            {
                ["stp_state"] = 0, ["mcast_snooping"] = link.Deaf ? 0 : 1,
                ["group_fwd_mask"] = link.Deaf ? "0x4000" : "0", ["no_linklocal_learn"] = link.Deaf ? 1 : 0,
            };
        }

        if (link.Kind == "vxlan")
        {
            info["info_data"] = new JsonObject
            {
                ["id"] = link.Number, ["local"] = link.Local, ["port"] = 4789, ["learning"] = false,
            };
        }

        if (link.Master is not null)
        {
            info["info_slave_kind"] = "bridge";
            info["info_slave_data"] = new JsonObject
            {
                ["learning"] = link.Learning, ["isolated"] = !link.Learning,
            };
        }

        JsonObject row = new()
        {
            ["ifname"] = name,
            ["flags"] = link.Up ? new JsonArray("UP") : [],
            ["mtu"] = link.Mtu,
            ["master"] = link.Master,
            ["address"] = "02:00:00:00:00:00",
            ["linkinfo"] = info,
            ["group"] = link.Group == 0 ? "default" : link.Group.ToString(CultureInfo.InvariantCulture),
        };
        if (link.Apart is not null)
        {
            row["link_netnsid"] = 1;
        }

        return row;
    }

    private static string Listing(IEnumerable<JsonObject> rows) => new JsonObject
    {
        ["nftables"] = new JsonArray([new JsonObject { ["metainfo"] = new JsonObject() }, .. rows]),
    }.ToJsonString();

    [GeneratedRegex(@"^table (\w+) (\w+) \{$")]
    private static partial Regex OpenTable();

    [GeneratedRegex(@"^(delete )?table (\w+) (\w+)$")]
    private static partial Regex PlainTable();

    [GeneratedRegex(@"^(add|delete) element (\w+ \w+) (\w+) \{ (.*) \}$")]
    private static partial Regex AnyElement();
}
