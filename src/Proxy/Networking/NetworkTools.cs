using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Bailiwick.Domains.Verification;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// What the Proxy asks of iproute2, bridge and nft: observations as typed values, and commands. Each program's output
/// is read strictly; what cannot be read is a failure of the world, never an empty world.
/// </summary>
public sealed class NetworkTools(IHost host, RulesWatch watch)
{
    /// <summary>A network of a hundred thousand machines fits.</summary>
    private const int MaxListingBytes = 256 << 20;

    private static readonly string[] Absences =
    [
        "Cannot find device", "No such file or directory", "No such device", "Cannot find specified qdisc",
        "Invalid handle", "Cannot delete qdisc with handle of zero",
    ];

    private const int EndingTenths = 30;

    /// <summary>All devices of the host, or of one namespace.</summary>
    public ImmutableSortedDictionary<string, ObservedLink> Links(string? inNamespace = null)
    {
        string[] argv = [.. Ip(inNamespace), "-j", "-d", "link", "show"];
        string json = Output(argv);
        return Parsed(argv, () => ObservedLink.ReadAll(json));
    }

    /// <summary>Devices and forwarding tables of the host.</summary>
    public ObservedNetwork Observe() => new(Links(), Forwards());

    /// <summary>All forwarding entries of the host.</summary>
    public ImmutableArray<ObservedForward> Forwards()
    {
        string[] argv = ["bridge", "-j", "fdb", "show"];
        string json = Output(argv);
        return Parsed(argv, () => ObservedForward.ReadAll(json));
    }

    /// <summary>The names of the host's network namespaces.</summary>
    public IReadOnlySet<string> Namespaces()
    {
        string[] argv = ["ip", "-j", "netns", "list"];
        string json = Output(argv);
        return Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json.Trim().Length == 0 ? "[]" : json);
            return document.RootElement.EnumerateArray()
                .Select(row => ObservedLink.Text(row, "name") ?? "").ToHashSet(StringComparer.Ordinal);
        });
    }

    /// <summary>
    /// A namespace's addresses, routes and neighbours as one text: equal text is equal configuration.
    /// </summary>
    public string NamespaceState(string inNamespace)
    {
        string[][] listings =
        [
            ["-o", "addr", "show"], ["-o", "-4", "route", "show"], ["-o", "-6", "route", "show"],
            ["neigh", "show", "nud", "permanent"],
        ];
        // A route is marked while its device has no carrier: that is weather, not configuration. Neighbours come in the
        // order of the kernel's hash table, which changes when it grows.
        return string.Join('\n', listings
            .SelectMany(what => Output([.. Ip(inNamespace), .. what]).Split('\n'))
            .Select(line => line.Replace(" linkdown", "", StringComparison.Ordinal).TrimEnd())
            .Order(StringComparer.Ordinal));
    }

    /// <summary>Each line that one configuration has and another has not, as a sentence.</summary>
    public static IEnumerable<string> Differences(string place, string wanted, string found)
    {
        string[] should = wanted.Split('\n'), are = found.Split('\n');
        return are.Except(should).Select(line => $"{place}: \"{line}\" is not in the plan.")
            .Concat(should.Except(are).Select(line => $"{place}: \"{line}\" is not there."));
    }

    /// <summary>The device that has an IPv4 address of the host; null when none or several do.</summary>
    public string? DeviceOf(string ipv4)
    {
        string[] argv = ["ip", "-j", "-4", "addr", "show", "to", ipv4 + "/32"];
        string json = Output(argv);
        return Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json.Trim().Length == 0 ? "[]" : json);
            string[] names =
            [
                .. document.RootElement.EnumerateArray().Select(row => ObservedLink.Text(row, "ifname"))
                    .OfType<string>(),
            ];
            return names is [var only] ? only : null;
        });
    }

    /// <summary>Whether a device's frames wait in queues of this handle.</summary>
    public bool HasQueues(string device, string handle) =>
        Queues([device], []).Contains($"\"handle\":\"{handle}:\"", StringComparison.Ordinal);

    /// <summary>A device's queues and classes as one text.</summary>
    public string Classes(string device) =>
        Queues([device], []) + Output(["tc", "class", "show", "dev", device]);

    /// <summary>How frames are queued at these devices, as one text: equal text is equal configuration.</summary>
    /// <param name="devices">The devices.</param>
    /// <param name="filtered">Those whose incoming frames are redirected.</param>
    public string Queues(IReadOnlyCollection<string> devices, IEnumerable<string> filtered)
    {
        string[] argv = ["tc", "-j", "qdisc", "show"];
        string json = Output(argv);
        IEnumerable<string> queues = Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json.Trim().Length == 0 ? "[]" : json);
            return document.RootElement.EnumerateArray()
                .Where(row => devices.Contains(ObservedLink.Text(row, "dev") ?? ""))
                .Select(row => row.GetRawText()).Order(StringComparer.Ordinal).ToArray();
        });
        return string.Join('\n', queues.Concat(filtered.Select(
            device => Output(["tc", "-j", "filter", "show", "dev", device, "parent", "ffff:"]))));
    }

    /// <summary>The devices whose incoming frames meet filters of tc(8) before anything else.</summary>
    public ImmutableArray<string> IngressDevices()
    {
        string[] argv = ["tc", "-j", "qdisc", "show"];
        string json = Output(argv);
        return Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json.Trim().Length == 0 ? "[]" : json);
            return document.RootElement.EnumerateArray()
                .Where(row => ObservedLink.Text(row, "kind") is "ingress" or "clsact")
                .Select(row => ObservedLink.Text(row, "dev") ?? "").ToImmutableArray();
        });
    }

    /// <summary>
    /// BPF programs that see packets of these devices: of a namespace's, or of the host's and those in netfilter.
    /// </summary>
    public ImmutableArray<AttachedPrograms> AttachedPrograms(
        IEnumerable<ObservedLink> devices, string? inNamespace = null) =>
        host.Programs([.. devices.Select(link => link.Index)], inNamespace);

    /// <summary>Who listens to whole frames on the host, or in one namespace (packet(7)).</summary>
    public ImmutableArray<ObservedListener> Listeners(string? inNamespace = null)
    {
        string[] argv = ["cat", "/proc/net/packet"];
        string text = host.Run(new ProgramCall(argv) { NetworkNamespace = inNamespace }).Text;
        return Parsed(argv, () => ObservedListener.ReadAll(text));
    }

    /// <summary>The programs that are in a namespace, whoever started them.</summary>
    public ImmutableArray<int> Programs(string inNamespace)
    {
        string[] argv = ["ip", "netns", "pids", inNamespace];
        string[] lines = Output(argv).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. lines.Select(line => int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                ? id : throw new WorldException(argv, -1, $"\"{line}\" is no process")),
        ];
    }

    /// <summary>Ends all programs that are in a namespace.</summary>
    /// <exception cref="WorldException">They do not end.</exception>
    public void EndPrograms(string inNamespace)
    {
        for (int tenth = 0; Programs(inNamespace) is { IsEmpty: false } programs; tenth++)
        {
            if (tenth == EndingTenths)
            {
                throw new WorldException(["end", inNamespace], -1, $"{programs.Length} programs do not end");
            }

            string[] ids = [.. programs.Select(id => id.ToString(CultureInfo.InvariantCulture))];
            host.Run(new ProgramCall(["kill", "-KILL", .. ids]) { Answers = [0, 1] });
            Thread.Sleep(100);
        }
    }

    /// <summary>The names of the tables of a family whose names begin with a prefix.</summary>
    public IReadOnlySet<string> Tables(string family)
    {
        string[] argv = ["nft", "-j", "list", "tables", family];
        string json = Output(argv);
        return Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("nftables").EnumerateArray()
                .Where(row => row.TryGetProperty("table", out _))
                .Select(row => ObservedLink.Text(row.GetProperty("table"), "name") ?? "")
                .ToHashSet(StringComparer.Ordinal);
        });
    }

    /// <summary>What the kernel holds of a table, or null when there is no such table.</summary>
    public TableContent? Table(string? inNamespace, string family, string name) =>
        Listing(inNamespace, family, name) is { } json
            ? Parsed(["nft", "-j", "list", "table", family, name], () => TableContent.Read(json)) : null;

    /// <summary>What nft prints of a table, as JSON; null when there is no such table.</summary>
    public string? Listing(string? inNamespace, string family, string name) =>
        OutputOrMissing(["nft", "-j", "list", "table", family, name], inNamespace);

    /// <summary>
    /// What tables mean as the kernel has them now; one that is not there is in none. Where anything in one of them is
    /// not understood, nothing is.
    /// </summary>
    public RulesetReading Rules(string? inNamespace, IEnumerable<(string Family, string Name)> tables)
    {
        ArgumentNullException.ThrowIfNull(tables);
        List<FilterTable> found = [];
        foreach ((string family, string name) in tables)
        {
            switch (Listing(inNamespace, family, name) is { } json ? RulesetJsonReader.Read(json) : null)
            {
                case RulesetReading.Understood understood:
                    found.AddRange(understood.Ruleset.Tables);
                    break;
                case RulesetReading.Unknown unknown:
                    return unknown;
                case null:
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return new RulesetReading.Understood(new Ruleset([.. found]));
    }

    /// <summary>Every table of a namespace, whosesoever: family and name.</summary>
    public ImmutableArray<(string Family, string Name)> AllTables(string? inNamespace)
    {
        string[] argv = ["nft", "-j", "list", "tables"];
        string json = OutputOrMissing(argv, inNamespace) ?? "";
        return Parsed(argv, () =>
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("nftables").EnumerateArray()
                .Where(row => row.TryGetProperty("table", out _)).Select(row => row.GetProperty("table"))
                .Select(table => (
                    ObservedLink.Text(table, "family") ?? "", ObservedLink.Text(table, "name") ?? ""))
                .ToImmutableArray();
        });
    }

    /// <summary>What nft prints, as JSON, of a set that must be there.</summary>
    public string Elements(string? inNamespace, string family, string table, string set) => host.Run(
        new ProgramCall("nft", "-j", "list", "set", family, table, set)
        {
            NetworkNamespace = inNamespace,
            MaxOutputBytes = MaxListingBytes,
        }).Text;

    /// <summary>Runs nft commands as one transaction.</summary>
    public void Load(string text, string? inNamespace)
    {
        ProgramCall call = new("nft", "-f", "-")
        {
            Input = Encoding.UTF8.GetBytes(text),
            NetworkNamespace = inNamespace,
        };
        if (inNamespace is null)
        {
            watch.Transact(() => host.Run(call));
        }
        else
        {
            host.Run(call);
        }
    }

    /// <summary>Runs one command that must succeed.</summary>
    public void Run(IReadOnlyList<string> argv, string? inNamespace = null) =>
        host.Run(new ProgramCall(argv) { NetworkNamespace = inNamespace });

    /// <summary>Puts devices into groups, with one program. One that has gone is in none.</summary>
    /// <exception cref="WorldException">One that is there is not in its group.</exception>
    public void SetGroups(IReadOnlyCollection<(string Device, int Group)> wanted)
    {
        if (wanted.Count == 0)
        {
            return;
        }

        string[] argv = ["ip", "-force", "-batch", "-"];
        ProgramResult result = host.Run(new ProgramCall(argv)
        {
            Input = Encoding.ASCII.GetBytes(string.Concat(wanted.Select(
                one => string.Join(' ', SegmentCommands.Group(one.Device, one.Group)[1..]) + "\n"))),
            Answers = [0, 1],
        });
        if (result.ExitCode != 0)
        {
            ImmutableSortedDictionary<string, ObservedLink> links = Links();
            if (wanted.Any(one => links.TryGetValue(one.Device, out ObservedLink? link) && link.Group != one.Group))
            {
                throw new WorldException(argv, result.ExitCode, result.Errors);
            }
        }
    }

    /// <summary>
    /// Runs commands of bridge(8) in their order, the first that fails ends it: one program, however many there are.
    /// </summary>
    public void RunBridge(IReadOnlyCollection<string[]> commands)
    {
        if (commands.Count > 0)
        {
            host.Run(new ProgramCall("bridge", "-batch", "-")
            {
                Input = Encoding.ASCII.GetBytes(string.Concat(commands.Select(c => string.Join(' ', c[1..]) + "\n"))),
            });
        }
    }

    /// <summary>Removes something that may be gone already.</summary>
    public void RunIgnoringAbsence(IReadOnlyList<string> argv)
    {
        ProgramResult result = host.Run(new ProgramCall(argv) { Answers = [0, 1, 2] });
        if (result.ExitCode != 0 && !Absences.Any(a => result.Errors.Contains(a, StringComparison.Ordinal)))
        {
            throw new WorldException(argv, result.ExitCode, result.Errors);
        }
    }

    private static string[] Ip(string? inNamespace) => inNamespace is null ? ["ip"] : ["ip", "-n", inNamespace];

    private string Output(string[] argv) => host.Run(new ProgramCall(argv) { MaxOutputBytes = MaxListingBytes }).Text;

    private string? OutputOrMissing(string[] argv, string? inNamespace)
    {
        ProgramResult result = host.Run(new ProgramCall(argv)
        {
            NetworkNamespace = inNamespace,
            Answers = [0, 1],
            MaxOutputBytes = MaxListingBytes,
        });
        return result.ExitCode == 0 ? result.Text
            : result.Errors.Contains("No such file or directory", StringComparison.Ordinal) ? null
            : throw new WorldException(argv, result.ExitCode, result.Errors);
    }

    private static T Parsed<T>(string[] argv, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new WorldException([$"read what {string.Join(' ', argv)} printed"], -1, error.Message);
        }
    }
}
