using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Tables of nftables as what they mean, whichever way they were written: two that read to equal
/// <see cref="RulesetWords"/> treat every packet alike.
/// </summary>
/// <param name="Tables">In the order in which they were read.</param>
public sealed record Ruleset(ImmutableArray<FilterTable> Tables);

/// <summary>One table.</summary>
/// <param name="Family"><c>bridge</c> or <c>inet</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Sets">Named sets and maps.</param>
/// <param name="Chains">Its chains.</param>
/// <param name="Counters">Names of its counters.</param>
public sealed record FilterTable(
    string Family, string Name, ImmutableSortedDictionary<string, NamedSet> Sets,
    ImmutableSortedDictionary<string, FilterChain> Chains, ImmutableSortedSet<string> Counters);

/// <summary>When the kernel asks a chain (nft(8), "Chains").</summary>
public enum PacketHook
{
    /// <summary>Whatever comes in, before it is known where it goes.</summary>
    Prerouting = 1,
    /// <summary>What is for this host itself.</summary>
    Input,
    /// <summary>What passes.</summary>
    Forward,
    /// <summary>What this host itself sends.</summary>
    Output,
    /// <summary>Whatever leaves.</summary>
    Postrouting,
}

/// <summary>Where a base chain stands.</summary>
/// <param name="Hook">When it is asked.</param>
/// <param name="Priority">Chains of a lower one are asked before.</param>
/// <param name="IsNat">Whether it translates addresses, and is asked of a connection's first packet only.</param>
/// <param name="Accepts">What becomes of a packet about which no rule decides.</param>
public sealed record ChainPlace(PacketHook Hook, int Priority, bool IsNat, bool Accepts);

/// <summary>A chain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Place">Where it stands; null where others send packets to it.</param>
/// <param name="Rules">In order.</param>
public sealed record FilterChain(string Name, ChainPlace? Place, ImmutableArray<FilterRule> Rules);

/// <summary>A rule: what it does with packets for which all that it asks is so.</summary>
/// <param name="Fields">Of which values fields must be; what a packet must be to have a field that is asked is in it.
/// </param>
/// <param name="Lookups">Which sets fields must be in, or out of.</param>
/// <param name="Raw">Fields that it reads by their place, without a look at whether the packet has them.</param>
/// <param name="Acts">What it does, in order.</param>
/// <param name="Text">As it was read, for people.</param>
public sealed record FilterRule(
    ImmutableSortedDictionary<HeaderField, ImmutableArray<ValueRange>> Fields, ImmutableArray<SetLookup> Lookups,
    ImmutableArray<HeaderField> Raw, ImmutableArray<RuleAct> Acts, string Text);

/// <summary>A question to a named set.</summary>
/// <param name="Key">The fields, in the set's order.</param>
/// <param name="Set">The set's name.</param>
/// <param name="IsIn">Whether they must be in it, or must not.</param>
public sealed record SetLookup(ImmutableArray<HeaderField> Key, string Set, bool IsIn);

/// <summary>A named set or map.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Types">The types of an element's parts, as nftables calls them.</param>
/// <param name="Data">The type of what elements are mapped to; null for a set.</param>
/// <param name="Flags"><c>interval</c>, <c>timeout</c>; what is dynamic has a size and elements of its own.</param>
/// <param name="Elements">In no meaningful order.</param>
public sealed record NamedSet(
    string Name, ImmutableArray<string> Types, string? Data, ImmutableSortedSet<string> Flags,
    ImmutableArray<SetElement> Elements);

/// <summary>An element.</summary>
/// <param name="Parts">A range of values for each part of the key.</param>
/// <param name="Verdict">What a verdict map says.</param>
/// <param name="Value">What another map says.</param>
public sealed record SetElement(ImmutableArray<ValueRange> Parts, Verdict? Verdict = null, UInt128? Value = null);

/// <summary>Where a packet goes on. A closed set.</summary>
public abstract record Verdict
{
    private Verdict() { }

    /// <summary>To the next base chain.</summary>
    public sealed record Accept : Verdict;

    /// <summary>Nowhere.</summary>
    public sealed record Drop : Verdict;

    /// <summary>Back to the chain that sent it here; from a base chain, to what its policy says.</summary>
    public sealed record Return : Verdict;

    /// <summary>To another chain, and back here if that one decides nothing.</summary>
    /// <param name="Chain">Its name.</param>
    public sealed record Jump(string Chain) : Verdict;

    /// <summary>To another chain for good.</summary>
    /// <param name="Chain">Its name.</param>
    public sealed record Goto(string Chain) : Verdict;
}

/// <summary>What a rule does. A closed set.</summary>
public abstract record RuleAct
{
    private RuleAct() { }

    /// <summary>Counts.</summary>
    /// <param name="Counter">The counter's name.</param>
    public sealed record Count(string Counter) : RuleAct;

    /// <summary>Decides.</summary>
    /// <param name="Verdict">What.</param>
    public sealed record Decide(Verdict Verdict) : RuleAct;

    /// <summary>Decides by a field's value; a value that is not named decides nothing.</summary>
    /// <param name="Field">The field.</param>
    /// <param name="Choices">In the order of their values.</param>
    public sealed record Choose(
        HeaderField Field, ImmutableArray<(ValueRange Values, Verdict Verdict)> Choices) : RuleAct;

    /// <summary>Decides by a verdict map; what it does not have decides nothing.</summary>
    /// <param name="Key">The fields, in the map's order.</param>
    /// <param name="Map">The map's name.</param>
    public sealed record ChooseFrom(ImmutableArray<HeaderField> Key, string Map) : RuleAct;

    /// <summary>Changes a field of the packet.</summary>
    /// <param name="Field">The field.</param>
    /// <param name="Value">Its new value.</param>
    public sealed record Rewrite(HeaderField Field, UInt128 Value) : RuleAct;

    /// <summary>Translates an address of a connection; what the map does not have stays as it is.</summary>
    /// <param name="Key">The fields, in the map's order; the last is the address.</param>
    /// <param name="Map">The map's name.</param>
    public sealed record Translate(ImmutableArray<HeaderField> Key, string Map) : RuleAct;

    /// <summary>Writes down in a set that a packet came.</summary>
    /// <param name="Key">What is written down: fields and constants, as nftables writes them.</param>
    /// <param name="Set">The set's name.</param>
    public sealed record Record(string Key, string Set) : RuleAct;

    /// <summary>Has TCP's ends use no larger segments than the way takes.</summary>
    public sealed record ClampSegments : RuleAct;
}

/// <summary>What became of reading tables. A closed set.</summary>
public abstract record RulesetReading
{
    private RulesetReading() { }

    /// <summary>All of it is understood.</summary>
    /// <param name="Ruleset">What it means.</param>
    public sealed record Understood(Ruleset Ruleset) : RulesetReading;

    /// <summary>Something of it is not, so nothing can be said of any packet.</summary>
    /// <param name="Place">The table and chain.</param>
    /// <param name="Text">What is not understood, as it stands there.</param>
    public sealed record Unknown(string Place, string Text) : RulesetReading
    {
        /// <summary>For people.</summary>
        public string Sentence => $"In {Place} stands \"{Text}\", which the verifier does not know, so what these "
            + "tables do cannot be proven. Remove it, or reconcile the host.";
    }
}
