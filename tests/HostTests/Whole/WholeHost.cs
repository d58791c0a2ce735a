using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Wire;
using Bailiwick.Domains.Rendering;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Api;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.HostTests.Whole;

/// <summary>What happened on a host, as its integrity log tells the operator.</summary>
internal sealed record Happening(long Number, IntegrityKind Kind, string Subject, string Detail)
{
    public override string ToString() => $"{Number} {Kind} {Subject}: {Detail[..Math.Min(160, Detail.Length)]}";
}

/// <summary>One host with its Proxy: what it says, and what its kernel holds.</summary>
internal sealed partial class WholeHost(LabHost space, LabDeployment deployment)
{
    private const int AnswerLimit = 16 << 20;

    internal string Name => space.Name;

    internal LabHost Space => space;

    /// <summary>The host as the board names it.</summary>
    internal string Reference => $"{deployment.Desks.Operator.Facts.Id}/{Name}";

    /// <summary>The Proxy's own status, as its operator sees it.</summary>
    internal Task<ProxyStatus> Status() => Get<ProxyStatus>("/v1/status");

    /// <summary>The integrity log from an entry on.</summary>
    internal async Task<IReadOnlyList<Happening>> Log(long from)
    {
        var all = new List<Happening>();
        while (true)
        {
            IntegrityBody page = await Get<IntegrityBody>($"/v1/integrity-log?from={from + all.Count}&limit=1000");
            foreach (IntegrityLineBody line in page.Lines)
            {
                IntegrityEntry entry = IntegrityEntry.Read(Convert.FromBase64String(line.Entry ?? ""))
                    ?? throw new InvalidDataException(line.Entry);
                all.Add(new Happening(
                    entry.Sequence, entry.Kind ?? throw new InvalidDataException(entry.KindName), entry.Subject,
                    line.Detail ?? ""));
            }

            if (page.Lines.Length < 1000)
            {
                return all;
            }
        }
    }

    /// <summary>The entries of some kinds, from an entry on.</summary>
    internal async Task<Happening[]> Log(long from, params IntegrityKind[] kinds) =>
        [.. (await Log(from)).Where(h => kinds.Contains(h.Kind))];

    /// <summary>How many entries there are now.</summary>
    internal async Task<long> Mark() => (await Get<IntegrityBody>("/v1/integrity-log?from=0&limit=1")).Entries;

    /// <summary>
    /// All rules of the host and of its gateways, without counters and the tables that only count, in the order of the
    /// tables' names.
    /// </summary>
    internal async Task<string> Rules()
    {
        List<string> tables = Split("-", await space.Must("nft", "-s", "list", "ruleset"));
        foreach (string line in (await space.Must("ip", "netns", "list")).Split('\n'))
        {
            string name = line.Split(' ')[0];
            tables.AddRange(name.Length == 0 ? [] : Split(name, await space.Must(
                "ip", "netns", "exec", name, "nft", "-s", "list", "ruleset")));
        }

        return string.Join('\n', tables.Order(StringComparer.Ordinal));

        static List<string> Split(string place, string ruleset) =>
            [.. ("\n" + Sorted(ruleset)).Split("\ntable ")
                .Where(t => t.Length > 0 && !t.StartsWith($"bridge {FlowTables.Prefix}", StringComparison.Ordinal)
                    && !t.StartsWith($"inet {FlowTables.GatewayTable} ", StringComparison.Ordinal))
                .Select(t => $"{place}: {t.TrimEnd()}")];

        static string Sorted(string ruleset) => Elements().Replace(ruleset, list => string.Join(", ", list.Value
            .Split(["elements = {", ",", "}"], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Order(StringComparer.Ordinal)));
    }

    /// <summary>Elements of a set or map: the kernel lists them in any order.</summary>
    [GeneratedRegex(@"elements = \{[^{}]*\}")]
    private static partial Regex Elements();

    /// <summary>Ports that may carry frames.</summary>
    internal Task<string[]> LivePorts() => space.LivePorts();

    /// <summary>The bridge a device is plugged into, or empty.</summary>
    internal async Task<string> BridgeOf(string device)
    {
        LabProgramResult shown = await space.Run(["ip", "-j", "link", "show", "dev", device]);
        if (shown.ExitCode != 0)
        {
            return "";
        }

        using JsonDocument json = JsonDocument.Parse(shown.Output);
        return json.RootElement[0].TryGetProperty("master", out JsonElement master) ? master.GetString() ?? "" : "";
    }

    /// <summary>The tap of a machine.</summary>
    internal async Task<string> TapOf(string machine)
    {
        string listed = (await space.Virsh("domiflist", WholeLab.NameOf(deployment, machine)))
            .Expect(Name, "virsh").Output;
        return listed.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .Single(w => w.StartsWith("bwt", StringComparison.Ordinal));
    }

    /// <summary>What a port takes to its machine and from it, 10^6 bits a second; null where the kernel limits nothing.
    /// </summary>
    internal async Task<(int? In, int? Out)> PortRates(string tap)
    {
        JsonElement[] queues = await Queues();
        string redirector = PortLimits.Redirector(tap);
        bool redirected = queues.Any(one => Text(one, "dev") == tap && Text(one, "kind") == "ingress")
            && (await space.Must("tc", "filter", "show", "dev", tap, "parent", "ffff:"))
                .Contains($"Redirect to device {redirector}", StringComparison.Ordinal);
        return (Rate(tap), redirected ? Rate(redirector) : null);

        int? Rate(string device) => queues
            .Where(one => Text(one, "dev") == device && Text(one, "kind") == "tbf")
            .Select(one => (int?)(one.GetProperty("options").GetProperty("rate").GetInt64() * 8 / 1_000_000))
            .SingleOrDefault();
    }

    /// <summary>The first domain's part of the uplink, reserved and at most, 10^6 bits a second; or null.</summary>
    internal async Task<(int Reserved, int Most)?> UplinkPart()
    {
        string classes = await space.Must("tc", "class", "show", "dev", LabHost.UnderlayInterface);
        return FirstPart().Match(classes) is { Success: true } found
            ? (Mbit(found, 1), Mbit(found, 3)) : null;

        static int Mbit(Match found, int at) =>
            int.Parse(found.Groups[at].Value, CultureInfo.InvariantCulture)
                * (found.Groups[at + 1].Value == "G" ? 1000 : 1);
    }

    /// <summary>How frames are queued at every device.</summary>
    internal async Task<JsonElement[]> Queues() =>
        [.. JsonElement.Parse(await space.Must("tc", "-j", "qdisc", "show")).EnumerateArray()];

    private static string? Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    [GeneratedRegex(@"class htb b1:10 .* rate (\d+)([MG])bit ceil (\d+)([MG])bit ")]
    private static partial Regex FirstPart();

    /// <summary>The table of a bridge: both names end with the digits of what they belong to.</summary>
    internal static string TableOf(string bridge) => "bw_" + bridge[3..];

    /// <summary>The tables of the bridge family.</summary>
    internal async Task<string[]> Tables() =>
    [
        .. (await space.Must("nft", "list", "tables", "bridge")).Split('\n').Select(l => l.Split(' ')[^1])
            .Where(t => t.Length > 0),
    ];

    /// <summary>Puts a rule before all others that forward packets in one of its gateways.</summary>
    internal async Task SlipIntoGateway(params string[] rule)
    {
        string gateway = (await space.Must("ip", "netns", "list")).Split('\n')
            .Select(line => line.Split(' ')[0]).First(name => name.StartsWith("bwg", StringComparison.Ordinal));
        await space.Must(
            ["ip", "netns", "exec", gateway, "nft", "insert", "rule", "inet", "bw_gateway", "forward", .. rule]);
    }

    /// <summary>
    /// Live ports on bridges without a table: there must never be one. Seen twice, because what is looked at one after
    /// the other may change in between.
    /// </summary>
    internal async Task<string[]> LiveWithoutRules() => [.. (await Bare()).Intersect(await Bare())];

    private async Task<List<string>> Bare()
    {
        List<string> bare = [];
        foreach (string port in await LivePorts())
        {
            string bridge = await BridgeOf(port);
            if (bridge.Length > 0 && !(await Tables()).Contains(TableOf(bridge)))
            {
                bare.Add($"{port} on {bridge}");
            }
        }

        return bare;
    }

    private async Task<T> Get<T>(string path)
        where T : class
    {
        using BoardDesk desk = deployment.Board(WholeLab.Operator);
        using HttpClient client = desk.Host(Reference);
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode ? StrictJson.Read<T>(body, AnswerLimit) : throw new HttpRequestException(
            $"{Name} answers {(int)answer.StatusCode} to {path}");
    }
}
