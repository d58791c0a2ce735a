using System.Xml.Linq;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Tests.Fakes;

/// <summary>
/// libvirt as the managers use it: it asks the hook before a start, plugs a machine's taps into their bridges, and
/// refuses what no manager should do.
/// </summary>
internal sealed class FakeHypervisor(FakeHost host) : IHypervisor
{
    private readonly SortedDictionary<string, (Guid Id, string Xml, bool Active)> _machines =
        new(StringComparer.Ordinal);

    private readonly SortedDictionary<Guid, string> _secrets = [];

    /// <summary>Who is asked, as libvirt asks its hook; null when nobody answers.</summary>
    public IHookJudge? Hook { get; set; }

    /// <summary>Happens at the begin of each start, before anybody is asked.</summary>
    public Action Starting { get; set; } = () => { };

    public IEnumerable<string> Running => _machines.Where(m => m.Value.Active).Select(m => m.Key);

    /// <summary>What somebody does behind the Proxy's back.</summary>
    public void StartBehindTheBack(string name, Guid id) => _machines[name] = (id, "<domain/>", true);

    public void ChangeBehindTheBack(string name, Func<string, string> change) =>
        _machines[name] = _machines[name] with { Xml = change(_machines[name].Xml) };

    /// <summary>The machine's process ends by itself; libvirt tells the hook, if anybody answers.</summary>
    public void Crash(string name)
    {
        foreach (XElement port in Ports(name))
        {
            host.Network.RemoveLink(Tap(port));
        }

        _machines[name] = _machines[name] with { Active = false };
        Hook?.JudgeAsync(new HookRequest("release", "end", name, ""), CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>The host loses its power: every machine and all that is in its kernel is gone.</summary>
    public void CutPower()
    {
        Hook = null;
        foreach (string name in Running.ToList())
        {
            _machines[name] = _machines[name] with { Active = false };
        }

        _secrets.Clear();
        host.Network.Clear();
    }

    public HypervisorFacts Facts() => throw new InvalidOperationException("nobody asks that");

    public IReadOnlyList<MachineStatus> List() => [.. _machines.Select(m => Status(m.Key))];

    public MachineStatus? Find(Guid machine) =>
        _machines.Any(m => m.Value.Id == machine) ? Status(NameOf(machine)) : null;

    public MachineStatus? Find(string name) => _machines.ContainsKey(name) ? Status(name) : null;

    public Guid Define(string xml)
    {
        Change("define");
        XElement root = XElement.Parse(xml);
        string name = root.Element("name")?.Value ?? "";
        Guid id = Guid.Parse(root.Element("uuid")?.Value ?? "");
        _machines[name] = (id, xml, _machines.TryGetValue(name, out var before) && before.Active);
        host.Invariant();
        return id;
    }

    public void Start(Guid machine, bool paused = false)
    {
        string name = NameOf(machine);
        Starting();
        Ask(name, "prepare");
        Change("start");
        foreach (XElement port in Ports(name))
        {
            string bridge = port.Element("source")?.Attribute("bridge")?.Value ?? "";
            if (!host.Network.Links.ContainsKey(bridge))
            {
                throw new WorldException(["start", name], 1, $"Cannot get interface MTU on '{bridge}': No such device");
            }

            host.Network.Links[Tap(port)] = new FakeLink { Kind = "tun", Master = bridge, Up = true };
        }

        _machines[name] = _machines[name] with { Active = true };
        host.Invariant();
    }

    /// <summary>The machines that were asked to end; all of them do.</summary>
    public List<string> Asked { get; } = [];

    public void Shutdown(Guid machine)
    {
        Asked.Add(NameOf(machine));
        Kill(machine);
    }

    public void Kill(Guid machine)
    {
        string name = NameOf(machine);
        Change("destroy");
        Paused.Remove(name);
        foreach (XElement port in Ports(name))
        {
            host.Network.RemoveLink(Tap(port));
        }

        _machines[name] = _machines[name] with { Active = false };
        host.Invariant();
    }

    /// <summary>The machines whose processors are stopped.</summary>
    public HashSet<string> Paused { get; } = [];

    public void Suspend(Guid machine)
    {
        Change("suspend");
        Paused.Add(NameOf(machine));
        host.Invariant();
    }

    public void Resume(Guid machine)
    {
        Change("resume");
        Paused.Remove(NameOf(machine));
        host.Invariant();
    }

    public string Xml(Guid machine, MachineXmlView view, bool withSecrets = false) => _machines[NameOf(machine)].Xml;

    public void DefineSecret(Guid secret, string volume)
    {
        Change("define secret");
        _secrets[secret] = volume;
    }

    public void SetSecret(Guid secret, ReadOnlySpan<byte> value)
    {
        Change("set secret");
        Assert.Contains(secret, _secrets.Keys);
    }

    public bool RemoveSecret(Guid secret) => _secrets.Remove(secret);

    public IReadOnlyDictionary<Guid, string> Secrets() => _secrets;

    public void Undefine(Guid machine) => throw Unused();

    public void AttachDevice(Guid machine, string xml, DeviceScope scope) => throw Unused();

    public void UpdateDevice(Guid machine, string xml, DeviceScope scope) => throw Unused();

    public void DetachDevice(Guid machine, string xml, DeviceScope scope) => throw Unused();

    public string? Metadata(Guid machine, string namespaceUri) => throw Unused();

    public void SetMetadata(Guid machine, string prefix, string namespaceUri, string? xml) => throw Unused();

    public Stream OpenConsole(Guid machine, string? device = null, bool takeOver = false) => throw Unused();

    public IMachineWatch Watch() => throw Unused();

    public void Dispose()
    {
        // It outlives the Proxy, as libvirt does.
    }

    private static InvalidOperationException Unused() => new("No manager does that.");

    private void Change(string what) => host.Change(["libvirt", what]);

    private void Ask(string name, string operation)
    {
        HookAnswer answer = Hook is null
            ? HookAnswer.No("nobody answers")
            : Hook.JudgeAsync(new HookRequest(operation, "begin", name, _machines[name].Xml), CancellationToken.None)
                .GetAwaiter().GetResult();
        if (!answer.Allowed)
        {
            throw new WorldException(
                ["virDomainCreate", name], 70, $"Hook script execution failed: {string.Join("; ", answer.Reasons)}");
        }
    }

    private string NameOf(Guid machine) => _machines.First(m => m.Value.Id == machine).Key;

    private MachineStatus Status(string name) => new(
        _machines[name].Id, name,
        !_machines[name].Active ? MachineRunState.Off
            : Paused.Contains(name) ? MachineRunState.Paused : MachineRunState.Running, 1,
        _machines[name].Active ? 1 : null, true);

    private IEnumerable<XElement> Ports(string name) =>
        XElement.Parse(_machines[name].Xml).Descendants("interface");

    private static string Tap(XElement port) => port.Element("target")?.Attribute("dev")?.Value ?? "";
}
