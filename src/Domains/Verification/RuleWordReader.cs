using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>Reads one rule as Rendering writes it.</summary>
internal sealed class RuleWordReader
{
    private const string End = "\n";
    private static readonly string[] Bases =
        ["meta", "ether", "ip", "ip6", "arp", "icmp", "icmpv6", "udp", "tcp", "th", "frag", "ct"];

    private readonly List<string> _words;
    private readonly RuleDraft _draft = new();
    private readonly string _line;
    private int _at;

    private RuleWordReader(string line)
    {
        _line = line;
        _words = Split(line);
    }

    private string Next => _at < _words.Count ? _words[_at] : End;

    /// <exception cref="UnknownWordException">Something of it is not known.</exception>
    public static FilterRule Read(string line)
    {
        var reader = new RuleWordReader(line);
        while (reader.Next != End)
        {
            reader.One();
        }

        return reader._draft.Done(line);
    }

    /// <summary>Words, each of the marks <c>{ } , ( )</c> by itself, and quoted names without their quotes.</summary>
    internal static List<string> Split(string line)
    {
        List<string> words = [];
        foreach (var word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = word;
            while (rest.Length > 1 && rest[0] == '(')
            {
                words.Add("(");
                rest = rest[1..];
            }

            var marks = rest.Length;
            while (marks > 1 && rest[marks - 1] is ',' or ')')
            {
                marks--;
            }

            var text = rest[..marks];
            words.Add(text is ['"', .. var name, '"'] ? name : text);
            words.AddRange(rest[marks..].Select(mark => mark.ToString()));
        }

        return words;
    }

    private void One()
    {
        switch (Take())
        {
            case "counter":
                Expect("name");
                _draft.Act(new RuleAct.Count(Take()));
                break;
            case "limit":
                Limit();
                break;
            case "update":
                Record();
                break;
            case "dnat":
                Translate("daddr");
                break;
            case "snat":
                Translate("saddr");
                break;
            case "tcp" when Next == "option":
                Expect("option", "maxseg", "size", "set", "rt", "mtu");
                _draft.Act(new RuleAct.ClampSegments());
                break;
            case "accept" or "drop" or "return" or "goto" or "jump":
                _at--;
                _draft.Act(new RuleAct.Decide(Verdict()));
                break;
            default:
                _at--;
                Ask();
                break;
        }
    }

    private void Ask()
    {
        var keys = Keys();
        if (keys is [var only])
        {
            AskOne(only);
            return;
        }

        if (Next == "vmap")
        {
            Expect("vmap");
            _draft.Act(new RuleAct.ChooseFrom(_draft.Fields(keys), Set()));
            return;
        }

        var isIn = !TakeIf("!=");
        _draft.Lookup(keys, Set(), isIn);
    }

    private void AskOne(NftKey key)
    {
        switch (Next)
        {
            case "vmap":
                Expect("vmap");
                Choose(key);
                break;
            case "set":
                Expect("set");
                _draft.Act(new RuleAct.Rewrite(_draft.Fields([key])[0], One(key, Take())));
                break;
            case "&":
                Expect("&");
                var mask = Flags(key);
                var isSame = Take() switch { "==" => true, "!=" => false, var word => throw Unknown(word) };
                _draft.Masked(key, mask, One(key, Take()), isSame);
                break;
            default:
                var isEqual = !TakeIf("!=");
                if (Next.StartsWith('@') && NftWords.Key(Next) is null)
                {
                    _draft.Lookup([key], Set(), isEqual);
                }
                else
                {
                    _draft.Match(key, Values(key), isEqual);
                }

                break;
        }
    }

    private void Choose(NftKey key)
    {
        if (Next != "{")
        {
            _draft.Act(new RuleAct.ChooseFrom(_draft.Fields([key]), Set()));
            return;
        }

        List<(ValueRange, Verdict)> choices = [];
        Expect("{");
        do
        {
            var value = NftValues.Parse(key.Type, Take());
            Expect(":");
            choices.Add((value, Verdict()));
        }
        while (TakeIf(","));
        Expect("}");
        _draft.Act(new RuleAct.Choose(_draft.Fields([key])[0], [.. choices.OrderBy(choice => choice.Item1.First)]));
    }

    private List<ValueRange> Values(NftKey key)
    {
        if (!TakeIf("{"))
        {
            return [NftValues.Parse(key.Type, Take())];
        }

        List<ValueRange> values = [];
        do
        {
            values.Add(NftValues.Parse(key.Type, Take()));
        }
        while (TakeIf(","));
        Expect("}");
        return values;
    }

    private UInt128 Flags(NftKey key)
    {
        if (!TakeIf("("))
        {
            return One(key, Take());
        }

        UInt128 mask = 0;
        do
        {
            mask |= One(key, Take());
        }
        while (TakeIf("|"));
        Expect(")");
        return mask;
    }

    private void Limit()
    {
        Expect("rate", "over");
        Take();
        Expect("burst");
        Take();
        Expect("packets");
        _draft.Limited();
    }

    private void Record()
    {
        var set = Set();
        Expect("{");
        List<string> parts = [];
        do
        {
            if (Next == "0")
            {
                parts.Add(Take());
            }
            else
            {
                parts.Add(_draft.Fields([OneKey()])[0].ToString());
            }
        }
        while (TakeIf("."));
        Expect("counter", "}");
        _draft.Act(new RuleAct.Record(string.Join(" . ", parts), set));
    }

    private void Translate(string end)
    {
        var family = Take();
        Expect("to");
        var keys = Keys();
        Expect("map");
        if (keys.Count == 0 || keys[^1] != RuleDraft.Key($"{family} {end}"))
        {
            throw Unknown(_line);
        }

        _draft.Act(new RuleAct.Translate(_draft.Fields(keys), Set()));
    }

    private List<NftKey> Keys()
    {
        List<NftKey> keys = [OneKey()];
        while (TakeIf("."))
        {
            keys.Add(OneKey());
        }

        return keys;
    }

    private NftKey OneKey() => RuleDraft.Key(KeyWords(_words, ref _at));

    /// <summary>The words of a key, as many as it has.</summary>
    internal static string KeyWords(List<string> words, ref int at)
    {
        var first = at < words.Count ? words[at++] : throw new UnknownWordException("the end of a line");
        if (!Bases.Contains(first) || at >= words.Count)
        {
            return first;
        }

        var key = $"{first} {words[at++]}";
        while (NftWords.Key(key) is null && at < words.Count && key.Length < 30)
        {
            key += $" {words[at++]}";
        }

        return key;
    }

    private Verdict Verdict() => Take() switch
    {
        "accept" => new Verdict.Accept(),
        "drop" => new Verdict.Drop(),
        "return" => new Verdict.Return(),
        "goto" => new Verdict.Goto(Take()),
        "jump" => new Verdict.Jump(Take()),
        var word => throw Unknown(word),
    };

    private static UInt128 One(NftKey key, string word) =>
        NftValues.Parse(key.Type, word) is var range && range.First == range.Last
            ? range.First : throw Unknown(word);

    private string Set() => Take() is ['@', .. var name] && name.Length > 0 ? name : throw Unknown(_line);

    private bool TakeIf(string word)
    {
        if (Next != word)
        {
            return false;
        }

        _at++;
        return true;
    }

    private string Take() => _at < _words.Count ? _words[_at++] : throw Unknown(_line);

    private void Expect(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (Take() != word)
            {
                throw Unknown(_line);
            }
        }
    }

    private static UnknownWordException Unknown(string text) => new(text);
}
