using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Tests.Fakes;

/// <summary>
/// A host that models what iproute2, bridge, nft, sysctl, sync, qemu-img and qemu-nbd do to a kernel, and refuses every
/// command it does not know. Before each change it can end the Proxy, as a power cut would, or fail it.
/// </summary>
internal sealed class FakeHost : IHost
{
    public FakeNetwork Network { get; } = new();

    /// <summary>What reads volumes for the Proxy.</summary>
    public FakeNbdServer Nbd { get; } = new();

    /// <summary>Changes so far.</summary>
    public int Changes { get; private set; }

    /// <summary>Bytes of nft text so far.</summary>
    public long LoadedBytes { get; private set; }

    /// <summary>The change before which the Proxy dies; 0 for never.</summary>
    public int DieAt { get; set; }

    /// <summary>The change that fails; 0 for never.</summary>
    public int FailAt { get; set; }

    /// <summary>Commands that fail as long as the test wants it, changes and observations alike.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    /// <summary>Called after each change: what must hold at every moment.</summary>
    public Action Invariant { get; set; } = () => { };

    public ProgramResult Run(ProgramCall call)
    {
        string argv = string.Join(' ', call.Argv);
        string space = call.NetworkNamespace ?? "-";
        if (Refuses(argv))
        {
            throw new WorldException(call.Argv, 1, "the test wants it to fail");
        }

        if (call.NetworkNamespace is not null && !Network.Namespaces.Contains(space))
        {
            string errors = $"Cannot open network namespace \"{space}\": No such file or directory";
            return call.Answers.Contains(255) ? Answer(255, "", errors)
                : throw new WorldException(call.Argv, 255, errors);
        }

        if (Observe(argv, space) is { } seen)
        {
            return seen.Missing ? Missing(call) : Answer(0, seen.Text, "");
        }

        Change(call.Argv);
        ProgramResult result = Act(call, argv, space);
        Invariant();
        return result;
    }

    public uint RulesGeneration() => Network.Generation();

    /// <inheritdoc/>
    public ImmutableArray<AttachedPrograms> Programs(
        IReadOnlyCollection<int> devices, string? inNamespace = null) => [];

    /// <summary>Counts a change of the world, and dies or fails before it when the test wants so.</summary>
    public void Change(IReadOnlyList<string> argv)
    {
        Changes++;
        if (Changes == DieAt)
        {
            throw new MachineDiedException();
        }

        if (Changes == FailAt)
        {
            throw new WorldException(argv, 1, "the test wants it to fail");
        }
    }

    private (string Text, bool Missing)? Observe(string argv, string space)
    {
        string[] words = argv.Split(' ');
        return argv switch
        {
            "ip -j -d link show" => (Network.LinksJson(), false),
            "bridge -j fdb show" => (Network.ForwardsJson(), false),
            "ip -j netns list" =>
                ($"[{string.Join(',', Network.Namespaces.Select(n => $"{{\"name\":\"{n}\"}}"))}]", false),
            _ when words is ["ip", "netns", "pids", _] => ("", false),
            _ when words is ["ip", "-j", "-4", "addr", ..] => ("[]", false),
            "nft -j list tables bridge" => (Network.TablesJson("bridge"), false),
            _ when words is ["nft", "-j", "list", "table", var family, var name] =>
                Text(Network.TableJson($"{space} {family} {name}")),
            _ when words is ["wg", "show", var device, var what] => Text(Network.WireGuard.Show(space, device, what)),
            _ when words is ["ip", "-n", _, "-o", ..] or ["ip", "-n", _, "neigh", "show", ..] => ("", false),
            _ => null,
        };
    }

    private static (string Text, bool Missing) Text(string? json) => json is null ? ("", true) : (json, false);

    private ProgramResult Act(ProgramCall call, string argv, string space)
    {
        string[] words = [.. call.Argv];
        switch (words)
        {
            case ["nft", "-f", "-"]:
                LoadedBytes += call.Input.Length;
                Network.Load(space, Encoding.UTF8.GetString(call.Input.Span));
                break;
            case ["sysctl", "-q", ..] or ["sync", _]:
                break;
            case ["qemu-img", "create", "-q", "-f", "raw", var file, var size]:
                FakeImages.Raw(file, size);
                break;
            case ["qemu-img", "create", "-q", "-f", "luks", .., var file, var size]:
                FakeImages.Luks(file, size);
                break;
            case ["timeout", _, _, "qemu-nbd", ..]:
                Nbd.Serve(words.Single(w => w.StartsWith("--socket=", StringComparison.Ordinal))["--socket=".Length..],
                    words.Contains("--read-only"), words[^1].Split("file.filename=")[^1]);
                break;
            case ["ip", "netns", "add", var name]:
                Network.Namespaces.Add(name);
                break;
            case ["ip", "netns", "del", var name]:
                return RemoveNamespace(call, name);
            case ["ip", "link", ..]:
                return Link(call, words);
            case ["wg", "set", var device, .. var what]:
                Network.WireGuard.Set(space, device, what, call.Input.Span);
                break;
            case ["bridge", "-batch", "-"]:
                Batch(call, Encoding.ASCII.GetString(call.Input.Span).TrimEnd('\n').Split('\n'));
                break;
            case ["ip", "-force", "-batch", "-"]:
                return Groups(call);
            case ["ip", "-n", ..]:
                break;
            default:
                throw new InvalidOperationException($"The fake host does not know: {argv}");
        }

        return Answer(0, "", "");
    }

    private ProgramResult Groups(ProgramCall call)
    {
        string errors = "";
        foreach (string line in Encoding.ASCII.GetString(call.Input.Span).TrimEnd('\n').Split('\n'))
        {
            if (line.Split(' ') is not ["link", "set", "dev", var device, "group", var group])
            {
                throw new InvalidOperationException($"The fake ip does not know: {line}");
            }

            if (Network.Links.TryGetValue(device, out FakeLink? link))
            {
                link.Group = int.Parse(group, CultureInfo.InvariantCulture);
            }
            else
            {
                errors += $"Cannot find device \"{device}\"\n";
            }
        }

        return Answer(errors.Length == 0 ? 0 : 1, "", errors);
    }

    private static readonly string[] Deaf =
    [
        "type", "bridge", "stp_state", "0", "mcast_snooping", "0", "group_fwd_mask", "0x4000",
        "no_linklocal_learn", "1",
    ];

    private ProgramResult Link(ProgramCall call, string[] words)
    {
        switch (words)
        {
            case ["ip", "link", "add", var bridge, .. var settings] when settings.SequenceEqual(Deaf):
                Network.Links.Add(bridge, new FakeLink { Kind = "bridge", Deaf = true });
                break;
            case ["ip", "link", "set", var bridge, .. var settings] when settings.SequenceEqual(Deaf):
                Network.Links[bridge].Deaf = true;
                break;
            case ["ip", "link", "add", var tunnel, "type", "vxlan", "id", var number, "local", var local, ..]:
                Network.AddTunnel(tunnel, number, local, null);
                break;
            case ["ip", "link", "add", var inner, "link-netns", var apart, "type", "vxlan", "id", var number, "local",
                var local, ..]:
                Assert.Contains(apart, Network.Namespaces);
                Network.AddTunnel(inner, number, local, apart);
                break;
            case ["ip", "link", "add", var device, "type", "wireguard"]:
                Network.WireGuard.Add(device);
                break;
            case ["ip", "link", "set", var device, "netns", var apart]:
                Network.WireGuard.Move(device, apart);
                break;
            case ["ip", "link", "add", var outer, "mtu", _, "type", "veth", "peer", "name", _, .., "netns", var space]:
                Network.Links.Add(outer, new FakeLink { Kind = "veth" });
                Network.Links.Add($"{space}:{outer}", new FakeLink { Kind = "veth", Space = space });
                break;
            case ["ip", "link", "set", var device, "mtu", var mtu, "addrgenmode", "none", "up"]:
                Network.Links[device].Mtu = int.Parse(mtu, CultureInfo.InvariantCulture);
                Network.Links[device].Up = true;
                break;
            case ["ip", "link", "set", var device, "master", var bridge]:
                Network.Links[device].Master = bridge;
                break;
            case ["ip", "link", "set", var device, "nomaster"]:
                if (!Network.Links.TryGetValue(device, out FakeLink? unplugged))
                {
                    return Failed(call, $"Cannot find device \"{device}\"");
                }

                unplugged.Master = null;
                break;
            case ["ip", "link", "set", var device, "type", "bridge_slave", "learning", "off", "isolated", "on"]:
                Network.Links[device].Learning = false;
                break;
            case ["ip", "link", "del", var device]:
                if (!Network.WireGuard.Remove("-", device) && !Network.Links.ContainsKey(device))
                {
                    return Failed(call, $"Cannot find device \"{device}\"");
                }

                if (Network.Links.ContainsKey(device))
                {
                    Network.RemoveLink(device);
                }

                break;
            default:
                throw new InvalidOperationException($"The fake ip does not know: {string.Join(' ', words)}");
        }

        return Answer(0, "", "");
    }

    /// <summary>Each line is a change of its own: the world can end between any two.</summary>
    private void Batch(ProgramCall call, string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            if (i > 0)
            {
                Invariant();
                Change(call.Argv);
            }

            if (lines[i].Split(' ') is not ["fdb", var verb, var mac, "dev", var device, .. var rest])
            {
                throw new InvalidOperationException($"The fake bridge does not know: {lines[i]}");
            }

            Forward(verb, mac, device, rest);
        }
    }

    private void Forward(string verb, string mac, string device, string[] rest)
    {
        bool bridge = rest.Contains("master");
        string? destination = rest is ["dst", var peer, ..] ? peer : null;
        int removed = Network.Forwards.RemoveAll(f =>
            f.Mac == mac && f.Device == device && f.Bridge == bridge
            && (verb == "replace" || f.Destination == destination));
        Assert.True(verb != "del" || removed == 1, $"{mac} is not in the table of {device}");
        if (verb != "del")
        {
            Network.Forwards.Add((mac, device, destination, bridge));
        }
    }

    private ProgramResult RemoveNamespace(ProgramCall call, string name)
    {
        if (!Network.Namespaces.Remove(name))
        {
            return Failed(call, "Cannot remove namespace file: No such file or directory");
        }

        foreach (string inner in Network.Links.Where(l => l.Value.Space == name).Select(l => l.Key).ToList())
        {
            Network.RemoveLink(inner);
            Network.RemoveLink(inner[(name.Length + 1)..]);
        }

        Network.WireGuard.RemoveAll(name);
        foreach (string inside in Network.Links.Where(l => l.Value.Apart == name).Select(l => l.Key).ToList())
        {
            Network.RemoveLink(inside);
        }

        foreach (string table in Network.Tables.Keys.Where(t => t.StartsWith($"{name} ", StringComparison.Ordinal))
            .ToList())
        {
            Network.Tables.Remove(table);
        }

        return Answer(0, "", "");
    }

    private static ProgramResult Missing(ProgramCall call) => Failed(call, "Error: No such file or directory");

    private static ProgramResult Failed(ProgramCall call, string errors) => call.Answers.Contains(1)
        ? Answer(1, "", errors)
        : throw new WorldException(call.Argv, 1, errors);

    private static ProgramResult Answer(int code, string output, string errors) =>
        new(code, Encoding.UTF8.GetBytes(output), errors);
}
