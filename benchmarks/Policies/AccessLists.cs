namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// Access lists drawn by a seed as operators have them: from networks of some sizes to networks and single servers, to
/// well-known ports and ranges, refusals among permissions, so that the order matters. One list, the same otherwise
/// written, and that one with one packet decided otherwise.
/// </summary>
internal sealed class AccessLists
{
    private static readonly int[] Ports = [22, 25, 53, 80, 123, 389, 443, 636, 993, 1433, 3306, 5432, 6379, 8080, 8443];
    private readonly Random _random;

    public AccessLists(int count, int seed)
    {
        _random = new Random(seed);
        var drawn = Enumerable.Range(0, count - (count / 6)).Select(_ => Drawn()).ToList();
        One = Padded(drawn, count);
        Same = Rewritten(drawn, count);
        Odd = Packet();
        // It stands first, so nothing else can decide about that packet; all others pass it by.
        Other =
        [
            new AccessRule(
                !Permits(One, Odd), Odd.Protocol, new Prefix(Odd.Source, 32), new Prefix(Odd.Destination, 32),
                Odd.Port, Odd.Port),
            .. Same,
        ];
    }

    /// <summary>The list.</summary>
    public IReadOnlyList<AccessRule> One { get; }

    /// <summary>The same, otherwise written.</summary>
    public IReadOnlyList<AccessRule> Same { get; }

    /// <summary>That one, but for one packet.</summary>
    public IReadOnlyList<AccessRule> Other { get; }

    /// <summary>The packet.</summary>
    public ListedPacket Odd { get; }

    /// <summary>What becomes of a packet; of one that meets no rule, nothing good.</summary>
    public static bool Permits(IReadOnlyList<AccessRule> list, ListedPacket packet) =>
        list.FirstOrDefault(rule => rule.Has(packet))?.Permits ?? false;

    private AccessRule Drawn()
    {
        var kind = _random.Next(10);
        var protocol = kind == 0 ? 0 : kind < 7 ? AccessRule.Tcp : AccessRule.Udp;
        var source = _random.Next(8) == 0 ? Prefix.Any : Network([16, 20, 24, 24, 27, 32]);
        var (first, last) = protocol == 0 ? (0, AccessRule.MostPort) : _random.Next(6) switch
        {
            0 => (1024, AccessRule.MostPort),
            1 => (Ports[_random.Next(Ports.Length)], 9000 + _random.Next(1000)),
            _ => (Ports[_random.Next(Ports.Length)], 0),
        };
        return new AccessRule(
            _random.Next(3) > 0, protocol, source, Network([20, 24, 28, 32, 32, 32]), first, last == 0 ? first : last);
    }

    /// <summary>A network of 10.0.0.0/12, of one of these lengths.</summary>
    private Prefix Network(int[] lengths)
    {
        var length = lengths[_random.Next(lengths.Length)];
        var address = 0x0a00_0000u | (uint)_random.Next(1 << 20);
        return new Prefix(address >> (32 - length) << (32 - length), length);
    }

    /// <summary>Rules that never decide are added: each is a part of one before it.</summary>
    private List<AccessRule> Padded(List<AccessRule> drawn, int count)
    {
        List<AccessRule> list = [.. drawn];
        while (list.Count < count)
        {
            var at = _random.Next(list.Count);
            list.Insert(at + 1 + _random.Next(list.Count - at), Part(list[at]) with { Permits = _random.Next(2) == 0 });
        }

        return list;
    }

    private AccessRule Part(AccessRule rule) =>
        rule.Source.Length < 32 ? rule with { Source = rule.Source.Half(_random.Next(2)) }
        : rule.Destination.Length < 32 ? rule with { Destination = rule.Destination.Half(_random.Next(2)) } : rule;

    /// <summary>Rules are written as two, and neighbours that no packet meets both of, or that say the same, change
    /// places.</summary>
    private List<AccessRule> Rewritten(List<AccessRule> drawn, int count)
    {
        List<AccessRule> list = [.. drawn];
        while (list.Count < count)
        {
            var at = _random.Next(list.Count);
            var rule = list[at];
            if (rule.Source.Length < 32)
            {
                list[at] = rule with { Source = rule.Source.Half(0) };
                list.Insert(at, rule with { Source = rule.Source.Half(1) });
            }
        }

        for (var turn = 0; turn < 20 * count; turn++)
        {
            var at = _random.Next(count - 1);
            var (one, next) = (list[at], list[at + 1]);
            if (one.Permits == next.Permits || !one.Meets(next))
            {
                (list[at], list[at + 1]) = (next, one);
            }
        }

        return list;
    }

    private ListedPacket Packet()
    {
        var near = One[_random.Next(One.Count)];
        return new ListedPacket(near.Source.Last, near.Destination.First, AccessRule.Tcp, near.FirstPort);
    }
}
