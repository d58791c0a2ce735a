using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Ledger.Statements;
using Bailiwick.Simulation.World;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Simulation.Auditing;

/// <summary>What must hold does not.</summary>
public sealed class AuditException(string sentence) : Exception(sentence);

/// <summary>
/// Looks at kernels and hypervisors and compares them with what tenants signed, by rules written down a second time and
/// as simply as can be. It asks no part of the product what is right: only which revisions a host holds.
/// </summary>
internal sealed partial class Auditor(SignedWorld world, VirtualClock clock, IReadOnlyList<SimulatedHost> hosts)
{
    /// <summary>What somebody writes who slips a rule in.</summary>
    public const string SlippedIn = "\taccept comment \"slipped in\"";

    private readonly Dictionary<SimulatedHost, HashSet<string>> _running = hosts.ToDictionary(h => h, _ => NewSet());
    private readonly Dictionary<SimulatedHost, Dictionary<string, long>> _revisions =
        hosts.ToDictionary(h => h, _ => new Dictionary<string, long>(StringComparer.Ordinal));

    private readonly Dictionary<(SimulatedHost, string), string> _gateways = [];

    /// <summary>Somebody's hand was there: what runs now is known, whatever it is.</summary>
    public void Accept(SimulatedHost host) => _running[host] = [.. host.Hypervisor.Running];

    /// <summary>After each change that a Proxy makes.</summary>
    public void AfterChange(SimulatedHost host)
    {
        HashSet<string> now = [.. host.Hypervisor.Running];
        foreach (string name in now.Except(_running[host]))
        {
            MachineTerms machine = MayRun(host, name, "started");
            Expect(!host.Kernel.Network.LivePorts.Contains(Tap(machine)),
                $"I8: {machine.Path} was plugged into {host.Ref.Name} with a port that was live already");
        }

        _running[host] = now;
        Gateways(host);
        if (!host.Disturbed)
        {
            LivePorts(host);
        }
    }

    /// <summary>After each step of the schedule.</summary>
    public void AfterStep()
    {
        foreach (SimulatedHost host in hosts.Where(h => h.Alive))
        {
            Revisions(host);
        }
    }

    /// <summary>After a turn in which nothing was refused to a Proxy: everything is as its policy says.</summary>
    public void AfterCleanTurn(SimulatedHost host)
    {
        foreach (string name in host.Hypervisor.Running)
        {
            MachineTerms machine = MayRun(host, name, "runs");
            string tap = Tap(machine);
            Expect(host.Kernel.Network.Links.TryGetValue(tap, out FakeLink? link)
                && link.Master == "bwb" + Digits(world.Reference(machine.DomainPath), 10),
                $"I8: the port of {machine.Path} is not on its domain's bridge of {host.Ref.Name}");
        }

        foreach ((string place, List<string> lines) in host.Kernel.Network.Tables)
        {
            Expect(!lines.Contains(SlippedIn), $"{place} of {host.Ref.Name} has a rule that was slipped in");
        }

        Gateways(host);
        LivePorts(host);
    }

    /// <summary>After the last fault and enough turns; empty when everything is as it must be in the end.</summary>
    public IEnumerable<string> NotConverged(IReadOnlyDictionary<string, (int Host, bool Running)> placed)
    {
        for (int index = 0; index < hosts.Count; index++)
        {
            SimulatedHost host = hosts[index];
            Dictionary<string, long> held = _revisions[host];
            foreach ((string subject, long newest) in world.Newest)
            {
                if (held.GetValueOrDefault(subject) != newest)
                {
                    yield return $"{host.Ref.Name} holds revision {held.GetValueOrDefault(subject)} of {subject}, "
                        + $"not {newest}";
                }
            }

            string[] wanted = [.. world.Machines.Values
                .Where(m => placed.TryGetValue(m.Path, out var place) && place == (index, true) && Admits(host, m))
                .Select(m => m.Path)];
            string[] running = [.. host.Hypervisor.Running.Select(n => Known(n)?.Path ?? n).Order()];
            if (!wanted.Order().SequenceEqual(running))
            {
                yield return $"{host.Ref.Name} runs [{string.Join(", ", running)}], not [{string.Join(", ", wanted)}]";
            }

            foreach (string lack in wanted.Select(w => world.Machines[w]).SelectMany(m => Unserved(host, m, placed)))
            {
                yield return lack;
            }
        }
    }

    private IEnumerable<string> Unserved(
        SimulatedHost host, MachineTerms machine, IReadOnlyDictionary<string, (int Host, bool Running)> placed)
    {
        FakeNetwork network = host.Kernel.Network;
        if (!network.LivePorts.Contains(Tap(machine)))
        {
            yield return $"the port of {machine.Path} on {host.Ref.Name} is dead";
        }

        HashSet<string> open = [.. network.Tables
            .Where(t => t.Key == $"bwg{Digits(world.Reference(machine.DomainPath), 10)} inet bw_gateway")
            .SelectMany(t => Triples(t.Value))];
        foreach (MachineTerms other in world.Machines.Values.Where(o => placed.TryGetValue(o.Path, out var place)
            && place.Running && Admits(hosts[place.Host], o) && o.DomainPath != machine.DomainPath))
        {
            foreach (int port in Simulator.Ports.Where(p => IsFlow(machine, other, p, world.Domains)))
            {
                if (!open.Contains($"{machine.Address} . {other.Address} . {port}"))
                {
                    yield return $"the flow from {machine.Path} to {other.Path} on {port} is closed on {host.Ref.Name}";
                }
            }
        }
    }

    private MachineTerms MayRun(SimulatedHost host, string name, string how)
    {
        string where = $"on {host.Ref.Name}";
        Expect(Known(name) is not null, $"I1: {name} {how} {where} and is nobody's");
        var (domains, machines) = Held(host);
        MachineTerms? machine = machines.Values.FirstOrDefault(m => MachineName(m) == name);
        Expect(machine is not null, $"I1: {Known(name)?.Path} {how} {where}, which holds no statement of it");
        DomainTerms? domain = domains.GetValueOrDefault(machine!.DomainPath); // Expect has thrown otherwise.
        Expect(domain is not null, $"I1: {machine.Path} {how} {where}, which holds no statement of its domain");
        Expect(domain!.Expires > clock.Now, $"I1: {machine.Path} {how} {where} after its domain expired"); // Likewise.
        Expect(domain.Jurisdictions.Contains(Jurisdiction(host)),
            $"I1: {machine.Path} {how} {where}, which its domain does not admit");
        return machine;
    }

    private void LivePorts(SimulatedHost host)
    {
        FakeNetwork network = host.Kernel.Network;
        foreach (string port in network.LivePorts)
        {
            if (network.Links[port].Master is not { } bridge)
            {
                continue;
            }

            Expect(network.Tables.TryGetValue($"- bridge bw_{bridge[3..]}", out List<string>? rules) && rules.Count > 0,
                $"I8: {port} of {host.Ref.Name} is live on {bridge}, which has no rules");
            MachineTerms? owner = world.Machines.Values.FirstOrDefault(m => Tap(m) == port);
            Expect(owner is null || bridge == "bwb" + Digits(world.Reference(owner.DomainPath), 10),
                $"I8: the port of {owner?.Path} on {host.Ref.Name} is live on another domain's bridge");
            Expect(owner is not null || !port.StartsWith("bwt", StringComparison.Ordinal),
                $"I8: {port} of {host.Ref.Name} is live and nobody's");
        }
    }

    private void Gateways(SimulatedHost host)
    {
        if (!host.Alive)
        {
            return;
        }

        foreach ((string place, List<string> lines) in host.Kernel.Network.Tables
            .Where(t => t.Key.EndsWith(" inet bw_gateway", StringComparison.Ordinal)))
        {
            string text = string.Join('\n', Triples(lines));
            if (_gateways.GetValueOrDefault((host, place)) == text)
            {
                continue;
            }

            _gateways[(host, place)] = text;
            var (domains, machines) = Held(host);
            foreach (string triple in Triples(lines))
            {
                string[] words = triple.Split(" . ");
                bool open = machines.Values.Any(from => from.Address == words[0] && machines.Values.Any(to =>
                    to.Address == words[1] && IsFlow(from, to, int.Parse(words[2]), domains)));
                Expect(open, $"{place} of {host.Ref.Name} lets {triple} through, which both owners did not sign");
            }
        }
    }

    private void Revisions(SimulatedHost host)
    {
        foreach (VerifiedStatement statement in Book(host))
        {
            string subject = Subject(statement);
            Expect(world.Signed.TryGetValue((subject, statement.Revision), out SignedTerms? signed)
                && signed.Digest == statement.Digest.Hex,
                $"{host.Ref.Name} holds {statement}, which its owner never signed");
            Expect(statement.Revision >= _revisions[host].GetValueOrDefault(subject),
                $"I4: {host.Ref.Name} went back to {statement}");
        }

        _revisions[host] = Book(host).ToDictionary(Subject, s => s.Revision, StringComparer.Ordinal);
    }

    private (Dictionary<string, DomainTerms> Domains, Dictionary<string, MachineTerms> Machines) Held(
        SimulatedHost host)
    {
        SignedTerms[] all = [.. Book(host).Select(s => world.Signed.GetValueOrDefault((Subject(s), s.Revision)))
            .OfType<SignedTerms>()];
        return (
            all.Select(s => s.Domain).OfType<DomainTerms>().ToDictionary(d => d.Path, StringComparer.Ordinal),
            all.Select(s => s.Machine).OfType<MachineTerms>().ToDictionary(m => m.Path, StringComparer.Ordinal));
    }

    private bool IsFlow(
        MachineTerms from, MachineTerms to, int port, IReadOnlyDictionary<string, DomainTerms> domains) =>
        domains.TryGetValue(from.DomainPath, out DomainTerms? sender)
        && domains.TryGetValue(to.DomainPath, out DomainTerms? receiver)
        && sender.Expires > clock.Now && receiver.Expires > clock.Now
        && sender.Grants.Contains(new FlowTerm(receiver.Path, port))
        && receiver.Accepts.Contains(new FlowTerm(sender.Path, port));

    private bool Admits(SimulatedHost host, MachineTerms machine) =>
        world.Domains[machine.DomainPath] is { } domain && domain.Expires > clock.Now
        && domain.Jurisdictions.Contains(Jurisdiction(host));

    private string Jurisdiction(SimulatedHost host) => world.Jurisdictions[hosts.ToList().IndexOf(host)];

    private MachineTerms? Known(string name) => world.Machines.Values.FirstOrDefault(m => MachineName(m) == name);

    public string MachineName(MachineTerms machine) => "bw-" + Digits(world.Reference(machine.Path), 16);

    public string Tap(MachineTerms machine) => "bwt" + Digits($"port {world.Reference(machine.Path)} 0", 10);

    private static IEnumerable<string> Triples(IEnumerable<string> lines) =>
        lines.Select(l => Triple().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value);

    private static IEnumerable<VerifiedStatement> Book(SimulatedHost host) =>
        Enum.GetValues<StatementKind>().SelectMany(k => host.Plans?.Book.Current(k) ?? []);

    private static string Subject(VerifiedStatement s) => $"{s.Kind} {s.Owner}/{s.Name}";

    private static string Digits(string reference, int count) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference)))[..count];

    private static HashSet<string> NewSet() => new(StringComparer.Ordinal);

    private static void Expect(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new AuditException(otherwise);
        }
    }

    [GeneratedRegex(@"^\s*(\d+\.\d+\.\d+\.\d+ \. \d+\.\d+\.\d+\.\d+ \. \d+),$")]
    private static partial Regex Triple();
}
