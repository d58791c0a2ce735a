using System.Diagnostics;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Domains.Verification;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// Two access lists of 3,000 rules, proven to treat every packet alike and told apart by one packet: by our sets of
/// packets and by z3, each from the lists' text to its answer.
/// </summary>
internal static class ListFigures
{
    private const double LongSeconds = 5;
    private static readonly Goal Beside = new(0.1, "who knows that it is about packets must outrun who does not");

    internal static async Task<IReadOnlyList<Figure>> Measure(
        Effort effort, Action<string> tell, CancellationToken cancel)
    {
        var lists = new AccessLists(Math.Max(30, effort.Count(3_000)), seed: 3_000);
        tell($"two access lists of {lists.One.Count:#,0} rules, beside z3");
        return
        [
            await Compared("policy.acl-equivalence", lists.One, lists.Same, isSame: true, effort, cancel),
            await Compared("policy.acl-difference", lists.One, lists.Other, isSame: false, effort, cancel),
        ];
    }

    private static async Task<Figure> Compared(
        string name, IReadOnlyList<AccessRule> one, IReadOnlyList<AccessRule> other, bool isSame, Effort effort,
        CancellationToken cancel)
    {
        var (text, otherText, question) = (Text(one), Text(other), SolverRun.Question(one, other));
        List<SolverAnswer> answers = [await SolverRun.Ask(question, cancel)];
        var ours = await Race.Run(
            effort,
            Race.Timed(1, _ => Judge(one, other, isSame, Difference(text, otherText))),
            async _ =>
            {
                // Of what takes long once is enough.
                if (answers[0].Seconds < LongSeconds)
                {
                    answers.Add(await SolverRun.Ask(question, cancel));
                }

                return answers[^1].Seconds;
            });
        foreach (var answer in answers.Where(answer => answer.IsEnded))
        {
            Judge(one, other, isSame, answer.Packet);
        }

        return Figure.Time(
            name, ours[0],
            answers.All(answer => answer.IsEnded)
                ? "z3" : $"z3, which had no answer after {SolverRun.MostSeconds} s and may take far longer",
            Race.Median([.. answers.Select(answer => answer.Seconds)]), Beside);
    }

    /// <summary>Each answer is held against the lists themselves.</summary>
    private static void Judge(
        IReadOnlyList<AccessRule> one, IReadOnlyList<AccessRule> other, bool isSame, ListedPacket? packet)
    {
        BenchException.Unless(isSame == packet is null);
        BenchException.Unless(packet is not { } odd
            || AccessLists.Permits(one, odd) != AccessLists.Permits(other, odd));
    }

    private static string Text(IReadOnlyList<AccessRule> list) => "table inet list {\n\tchain rules {\n"
        + "\t\ttype filter hook forward priority 0; policy drop;\n"
        + string.Concat(list.Select(rule => $"\t\t{rule.Nft}\n")) + "\t}\n}\n";

    /// <summary>A packet that two lists do not treat alike; null where there is none.</summary>
    internal static ListedPacket? Difference(IReadOnlyList<AccessRule> one, IReadOnlyList<AccessRule> other) =>
        Difference(Text(one), Text(other));

    private static ListedPacket? Difference(string one, string other)
    {
        var sets = new PacketSets();
        var (passing, alike) = (Passing(sets, one), Passing(sets, other));
        var differing = sets.Either(sets.Without(passing, alike), sets.Without(alike, passing));
        if (differing == PacketSets.None)
        {
            return null;
        }

        var packet = sets.Witness(differing);
        return new ListedPacket(
            (uint)packet.GetValueOrDefault(HeaderField.Source4),
            (uint)packet.GetValueOrDefault(HeaderField.Destination4),
            (int)packet.GetValueOrDefault(HeaderField.Protocol),
            (int)packet.GetValueOrDefault(Level(HeaderField.DestinationPort)));
    }

    private static int Passing(PacketSets sets, string list) => RulesetTextReader.Read(list) switch
    {
        RulesetReading.Understood read => Passing(sets, read.Ruleset.Tables[0].Chains["rules"].Rules.AsSpan()).Passing,
        RulesetReading.Unknown unknown => throw new BenchException(unknown.Sentence),
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// What rules let pass, and all about which they decide. Halves are put together: what the second says counts where
    /// the first says nothing, and sets that are nearly whole are made few times.
    /// </summary>
    private static (int Passing, int Decided) Passing(PacketSets sets, ReadOnlySpan<FilterRule> rules)
    {
        if (rules.Length == 1)
        {
            var asked = rules[0].Fields.Select(field => (Level: Level(field.Key), field.Value))
                .OrderByDescending(field => field.Level)
                .Aggregate(PacketSets.All, (rest, field) => sets.Over(field.Level, field.Value, rest));
            return rules[0].Acts is [RuleAct.Decide { Verdict: Verdict.Accept }]
                ? (asked, asked) : (PacketSets.None, asked);
        }

        var (passing, decided) = Passing(sets, rules[..(rules.Length / 2)]);
        var (then, about) = Passing(sets, rules[(rules.Length / 2)..]);
        return (sets.Either(passing, sets.Without(then, decided)), sets.Either(decided, about));
    }

    /// <summary>
    /// At which level a field is asked. Our tables know machines by many addresses and few ports, and ask ports first;
    /// lists have ranges of ports, and would repeat all addresses for each. No list has a field of that other level.
    /// </summary>
    private static HeaderField Level(HeaderField field) =>
        field == HeaderField.DestinationPort ? HeaderField.ArpTarget : field;
}
