using System.Collections.Immutable;
using System.Diagnostics;

namespace Bailiwick.Domains.Verification;

/// <summary>What one rule, or a chain's policy, decided about which packets.</summary>
/// <param name="Table">Its table.</param>
/// <param name="Chain">Its chain.</param>
/// <param name="Rule">The rule; null for the chain's policy.</param>
/// <param name="Packets">Of a <see cref="PacketSets"/>.</param>
/// <param name="Accepts">Whether they go on, to the next base chain.</param>
internal sealed record Decided(FilterTable Table, FilterChain Chain, FilterRule? Rule, int Packets, bool Accepts)
{
    /// <summary>For people.</summary>
    public string Words => $"table {Table.Family} {Table.Name}, chain {Chain.Name}: "
        + (Rule?.Text ?? $"policy {(Chain.Place?.Accepts == true ? "accept" : "drop")}");
}

/// <summary>
/// What tables do with all packets at once, as the kernel would with each: base chains by priority, rules in order,
/// jumps and returns (nft(8)). A drop is final, an accept ends one base chain.
/// </summary>
/// <param name="named">What their sets mean.</param>
/// <param name="chains">The tables.</param>
/// <param name="sameAs">Fields that are known to be another, as a first packet's ports are its connection's.</param>
internal sealed class HookEvaluation(
    NamedSets named, BaseChains chains, IReadOnlyDictionary<HeaderField, HeaderField>? sameAs = null)
{
    /// <summary>The kernel's own limit (NFT_JUMP_STACK_SIZE).</summary>
    private const int MostJumps = 16;

    private readonly PacketSets _sets = named.Packets;
    private readonly List<(HeaderField Field, ImmutableArray<ValueRange> Values)> _asked = [];
    private readonly Dictionary<int, (ImmutableArray<ValueRange>? In, ImmutableArray<ValueRange>? Out)> _groups = [];
    private readonly List<Decided> _decided = [];
    private readonly List<string> _unproven = [];
    private (ImmutableArray<ValueRange>? In, ImmutableArray<ValueRange>? Out) _here;

    /// <summary>What came to the base chain, while its rules are asked about everything.</summary>
    private int _came = PacketSets.All;

    /// <summary>Everything that was decided, in order.</summary>
    public IReadOnlyList<Decided> Decided => _decided;

    /// <summary>Rules of which it cannot be said what they do, and why.</summary>
    public IReadOnlyList<string> Unproven => _unproven;

    /// <summary>The packets that pass a hook, as they are afterwards.</summary>
    /// <param name="family">The tables' family.</param>
    /// <param name="hook">The hook.</param>
    /// <param name="packets">Those that come to it.</param>
    public int Passing(string family, PacketHook hook, int packets) => Passing(family, [hook], packets);

    /// <summary>The packets that pass several hooks, one after the other.</summary>
    public int Passing(string family, IEnumerable<PacketHook> hooks, int packets)
    {
        foreach (var hook in hooks)
        {
            foreach (var chain in chains.At(family, hook))
            {
                if (packets != PacketSets.None)
                {
                    packets = Base(chain, packets);
                }
            }
        }

        return packets;
    }

    private int Base(BaseChain one, int packets)
    {
        if (!_groups.TryGetValue(packets, out var groups))
        {
            groups = (_sets.Asked(packets, HeaderField.InGroup), _sets.Asked(packets, HeaderField.OutGroup));
            _groups[packets] = groups;
        }

        _here = groups;
        var (accepted, through) = one.IsElsewhere(groups.In, groups.Out)
            ? (PacketSets.None, packets) : Filtered(one, packets);
        if (through != PacketSets.None)
        {
            _decided.Add(new Decided(one.Table, one.Chain, null, through, one.Place.Accepts));
        }

        return one.Place.Accepts ? _sets.Either(accepted, through) : accepted;
    }

    /// <summary>
    /// Rules that change nothing of a packet do with each what they do with every packet that is like it in what they
    /// ask. So they are asked about all packets there could be, which are told apart by nothing else, and what came is
    /// kept of what passes. Only where that leaves something unsaid they are asked about what came.
    /// </summary>
    private (int Accepted, int Through) Filtered(BaseChain one, int packets)
    {
        var (decided, unproven) = (_decided.Count, _unproven.Count);
        if (!one.Changes)
        {
            _came = packets;
            var (accepted, through) = Run(one.Table, one.Chain, PacketSets.All, 0);
            if (_unproven.Count == unproven)
            {
                return (_sets.Both(packets, accepted), _sets.Both(packets, through));
            }

            _decided.RemoveRange(decided, _decided.Count - decided);
            _unproven.RemoveRange(unproven, _unproven.Count - unproven);
        }

        _came = PacketSets.All;
        return Run(one.Table, one.Chain, packets, 0);
    }

    /// <summary>What a chain accepts, and what it decides nothing about.</summary>
    private (int Accepted, int Through) Run(FilterTable table, FilterChain chain, int packets, int depth)
    {
        if (depth > MostJumps)
        {
            _unproven.Add($"table {table.Family} {table.Name}, chain {chain.Name}: more than {MostJumps} jumps");
            return (PacketSets.None, packets);
        }

        var state = new Progress { Left = packets };
        foreach (var rule in chain.Rules)
        {
            if (state.Left == PacketSets.None)
            {
                break;
            }

            var hit = Matching(table, chain, rule, state.Left);
            if (hit != PacketSets.None)
            {
                state.Left = _sets.Without(state.Left, hit);
                Act(table, chain, rule, hit, depth, state);
            }
        }

        return (_sets.Any(state.Accepted), _sets.Either(state.Left, _sets.Any(state.Through)));
    }

    private void Act(FilterTable table, FilterChain chain, FilterRule rule, int hit, int depth, Progress state)
    {
        foreach (var act in rule.Acts)
        {
            switch (act)
            {
                case RuleAct.Decide decide:
                    Decide(table, chain, rule, decide.Verdict, hit, depth, state);
                    return;
                case RuleAct.Choose choose:
                    foreach (var (values, verdict) in choose.Choices)
                    {
                        var chosen = _sets.Both(hit, _sets.Of(Known(choose.Field), [values]));
                        hit = _sets.Without(hit, chosen);
                        Decide(table, chain, rule, verdict, chosen, depth, state);
                    }

                    break;
                case RuleAct.ChooseFrom choose:
                    foreach (var group in Groups(Set(table, choose.Map), choose.Key))
                    {
                        var chosen = _sets.Both(hit, group.Packets);
                        hit = _sets.Without(hit, chosen);
                        Decide(table, chain, rule, group.Verdict ?? new Verdict.Return(), chosen, depth, state);
                    }

                    break;
                case RuleAct.Rewrite rewrite:
                    hit = _sets.Both(
                        _sets.Forget(hit, rewrite.Field),
                        _sets.Of(rewrite.Field, [ValueRange.Of(rewrite.Value)]));
                    break;
                case RuleAct.Translate translate:
                    hit = Translated(hit, translate, Set(table, translate.Map));
                    break;
                case RuleAct.Count or RuleAct.Record or RuleAct.ClampSegments:
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        state.Left = _sets.Either(state.Left, hit);
    }

    private void Decide(
        FilterTable table, FilterChain chain, FilterRule rule, Verdict verdict, int hit, int depth, Progress state)
    {
        if (hit == PacketSets.None)
        {
            return;
        }

        switch (verdict)
        {
            case Verdict.Accept:
                _decided.Add(new Decided(table, chain, rule, hit, Accepts: true));
                state.Accepted.Add(hit);
                break;
            case Verdict.Drop:
                _decided.Add(new Decided(table, chain, rule, hit, Accepts: false));
                break;
            case Verdict.Return:
                state.Through.Add(hit);
                break;
            case Verdict.Jump jump:
                var (jumped, back) = To(table, jump.Chain, hit, depth);
                state.Accepted.Add(jumped);
                state.Left = _sets.Either(state.Left, back);
                break;
            case Verdict.Goto other:
                var (gone, through) = To(table, other.Chain, hit, depth);
                state.Accepted.Add(gone);
                state.Through.Add(through);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private (int Accepted, int Through) To(FilterTable table, string name, int hit, int depth)
    {
        if (table.Chains.GetValueOrDefault(name) is { } chain)
        {
            return Run(table, chain, hit, depth + 1);
        }

        _unproven.Add($"table {table.Family} {table.Name}: there is no chain {name}");
        return (PacketSets.None, PacketSets.None);
    }

    /// <summary>The packets of a set for which all is so that a rule asks.</summary>
    private int Matching(FilterTable table, FilterChain chain, FilterRule rule, int packets)
    {
        if (IsElsewhere(rule, HeaderField.InGroup, _here.In) || IsElsewhere(rule, HeaderField.OutGroup, _here.Out))
        {
            return PacketSets.None;
        }

        packets = _sets.Both(packets, Asked(rule));
        if (!rule.Raw.IsEmpty)
        {
            CheckPlaces(table, chain, rule, _sets.Both(_came, packets));
        }

        foreach (var lookup in rule.Lookups)
        {
            if (packets == PacketSets.None)
            {
                break;
            }

            var asked = Set(table, lookup.Set) is { } set ? named.Of(set, Known(lookup.Key)) : PacketSets.None;
            packets = lookup.IsIn ? _sets.Both(packets, asked) : _sets.Without(packets, asked);
        }

        return packets;
    }

    /// <summary>What a rule reads by its place all packets must have that come to it.</summary>
    private void CheckPlaces(FilterTable table, FilterChain chain, FilterRule rule, int packets)
    {
        foreach (var need in rule.Raw.SelectMany(field => HeaderFields.Needs(field)))
        {
            if (_sets.Without(packets, _sets.Of(need.Field, need.Values)) != PacketSets.None)
            {
                _unproven.Add($"table {table.Family} {table.Name}, chain {chain.Name}: {rule.Text} reads by its place "
                    + "what some of the packets that come there do not have");
                return;
            }
        }
    }

    private static bool IsElsewhere(FilterRule rule, HeaderField group, ImmutableArray<ValueRange>? here) =>
        here is { } known && rule.Fields.TryGetValue(group, out var asked) && !Ranges.Meet(known, asked);

    /// <summary>The packets whose fields are as a rule asks.</summary>
    private int Asked(FilterRule rule)
    {
        _asked.Clear();
        foreach (var (field, values) in rule.Fields)
        {
            // A mask on groups names many that there are not.
            var here = field switch
            {
                HeaderField.InGroup => _here.In,
                HeaderField.OutGroup => _here.Out,
                _ => null,
            };
            Ask(Known(field), here is { } some ? Ranges.Both(values, some) : values);
        }

        var packets = PacketSets.All;
        for (var i = _asked.Count - 1; i >= 0; i--)
        {
            packets = _sets.Over(_asked[i].Field, _asked[i].Values, packets);
        }

        return packets;
    }

    /// <summary>Adds a question in the order of fields, where two may have become one.</summary>
    private void Ask(HeaderField field, ImmutableArray<ValueRange> values)
    {
        var at = _asked.Count;
        while (at > 0 && _asked[at - 1].Field >= field)
        {
            at--;
        }

        if (at < _asked.Count && _asked[at].Field == field)
        {
            _asked[at] = (field, Ranges.Both(_asked[at].Values, values));
        }
        else
        {
            _asked.Insert(at, (field, values));
        }
    }

    private ReadOnlySpan<ElementGroup> Groups(NamedSet? map, ImmutableArray<HeaderField> key) =>
        map is null ? [] : named.Groups(map, Known(key));

    private NamedSet? Set(FilterTable table, string name)
    {
        var set = table.Sets.GetValueOrDefault(name);
        if (set is null || set.Flags.Contains("timeout"))
        {
            _unproven.Add($"table {table.Family} {table.Name}, set {name}: "
                + (set is null ? "a rule asks for it and it is not there" : "what is in it changes by itself"));
        }

        return set;
    }

    /// <summary>Packets whose last key field becomes what a map says; others stay as they are.</summary>
    private int Translated(int packets, RuleAct.Translate translate, NamedSet? map)
    {
        var address = translate.Key[^1];
        var done = PacketSets.None;
        foreach (var group in Groups(map, translate.Key))
        {
            var chosen = _sets.Both(packets, group.Packets);
            packets = _sets.Without(packets, chosen);
            done = _sets.Either(done, _sets.Both(
                _sets.Forget(chosen, address), _sets.Of(address, [ValueRange.Of(group.Value ?? 0)])));
        }

        return _sets.Either(packets, done);
    }

    private ImmutableArray<HeaderField> Known(ImmutableArray<HeaderField> key) =>
        sameAs is null ? key : [.. key.Select(Known)];

    private HeaderField Known(HeaderField field) => sameAs?.GetValueOrDefault(field) is { } other and not 0
        ? other : field;

    private sealed class Progress
    {
        public int Left { get; set; }

        public List<int> Accepted { get; } = [];

        public List<int> Through { get; } = [];
    }
}
