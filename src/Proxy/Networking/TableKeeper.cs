using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Verification;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Networking;

/// <summary>How rules stand.</summary>
public enum RulesState
{
    /// <summary>The kernel holds exactly what this Proxy loaded from this text.</summary>
    Held = 1,
    /// <summary>This Proxy has not loaded this text here: the plan is new, or the Proxy is.</summary>
    New,
    /// <summary>This Proxy loaded this text, and the kernel now holds something else: somebody changed it.</summary>
    Drifted,
}

/// <summary>
/// Loads tables and tells whether the kernel still holds exactly what was loaded: a rule added, changed or flushed by
/// anyone shows as another content. What a predecessor loaded is never trusted, it is loaded again (one transaction,
/// so that no packet sees a gap).
/// </summary>
/// <remarks>
/// A large domain's table is neither loaded as a whole for each machine that changes, nor read as a whole to know that
/// nobody touched it: <see cref="NftChange"/> and <see cref="RulesWatch"/>.
/// </remarks>
public sealed class TableKeeper(NetworkTools tools, RulesWatch watch, TimeProvider time)
{
    /// <summary>After this long a table is read and compared, even if nobody else was seen to change any.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>
    /// What the tables, as they are in the kernel now, pass or drop against the policies, for whom an entry concerns.
    /// </summary>
    public Func<IntegrityReaders, ImmutableArray<string>> Effects { get; set; } = _ => [];

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, Loaded> _loaded = new(StringComparer.Ordinal);

    /// <summary>Compares the kernel with what was loaded.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public RulesState State(WantedRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (!_loaded.TryGetValue(rules.Place, out Loaded? loaded)
            || rules.ChangeFrom(loaded.Rules) is not { Elements: 0 })
        {
            return RulesState.New;
        }

        // A new plan that says the same takes the place of the old one, so that they are compared once; but not of what
        // somebody loaded meanwhile.
        Loaded held = loaded with { Rules = rules };
        _loaded.TryUpdate(rules.Place, held, loaded);
        long? period = PeriodOf(rules);
        bool isUntouched = period is not null && period == loaded.Period;
        TimeSpan age = time.GetElapsedTime(loaded.At);
        if (isUntouched && age < (loaded.Content is null ? Soon : Longest))
        {
            return RulesState.Held;
        }

        string? content = Content(rules);
        if (loaded.Content is null && (!isUntouched || content is null || PeriodOf(rules) != period))
        {
            // Somebody changed something before this was read for the first time: what it was is not known.
            return RulesState.New;
        }

        if (loaded.Content is not null && content != loaded.Content)
        {
            return RulesState.Drifted;
        }

        _loaded.TryUpdate(
            rules.Place, held with { Content = content, Period = period, At = time.GetTimestamp() }, held);
        return RulesState.Held;
    }

    /// <summary>
    /// Replaces the tables in one transaction, or only what differs from what they hold, and remembers what the kernel
    /// made of it.
    /// </summary>
    /// <param name="rules">The rules.</param>
    /// <exception cref="WorldException">The kernel refused it; it holds what it held.</exception>
    public void Load(WantedRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        long? period = PeriodOf(rules);
        _loaded.TryRemove(rules.Place, out Loaded? former);
        NftChange? change = former is not null && period is not null && period == former.Period
            ? rules.ChangeFrom(former.Rules) : null;
        tools.Load(change is { Elements: > 0 } ? change.Commands : rules.Text, rules.Namespace);
        string? content = rules.IsShort || period is null ? Content(rules) : null;
        if (content is not null || (period is not null && PeriodOf(rules) == period))
        {
            _loaded[rules.Place] = new Loaded(rules, content, period, time.GetTimestamp());
        }
    }

    /// <summary>
    /// What a drift of tables is recorded as: when it was found, each line that is otherwise, and what that opens or
    /// closes.
    /// </summary>
    /// <param name="rules">The tables.</param>
    /// <param name="readers">Whom it concerns: no one else's domains are named.</param>
    public string Drift(WantedRules rules, IntegrityReaders readers)
    {
        ArgumentNullException.ThrowIfNull(rules);
        string found = string.Create(
            CultureInfo.InvariantCulture,
            $"The kernel does not hold {rules.Place} as it was loaded, found at {time.GetUtcNow():u}.");
        try
        {
            return string.Join(' ', Differences(rules).Concat(Effects(readers)).Prepend(found));
        }
        catch (WorldException error)
        {
            // Whoever changes rules can make them unreadable too; that must not keep them from being replaced.
            return $"{found} It cannot be read: {error.Stderr.Trim()}";
        }
    }

    /// <summary>
    /// Reads the tables from the kernel, whatever is remembered of them, and tells each line in which they are not
    /// those that were wanted; none where they are.
    /// </summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(WantedRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return (RulesetTextReader.Read(rules.Text), tools.Rules(rules.Namespace, rules.Tables)) switch
        {
            (_, RulesetReading.Unknown unknown) => [unknown.Sentence],
            (RulesetReading.Unknown unknown, _) => [unknown.Sentence],
            (RulesetReading.Understood wanted, RulesetReading.Understood found) =>
                TableDifferences.Between(wanted.Ruleset, found.Ruleset),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Forgets what was loaded in a namespace that is gone.</summary>
    public void Forget(string inNamespace)
    {
        foreach (string place in _loaded.Keys.Where(k => k.StartsWith($"{inNamespace}: ", StringComparison.Ordinal)))
        {
            _loaded.TryRemove(place, out _);
        }
    }

    /// <summary>Removes a table; one that is wanted again is then new, not changed.</summary>
    public void Remove(string table, string family = "bridge")
    {
        _loaded.TryRemove($"-: {family} {table}", out _);
        tools.Load($"table {family} {table}\ndelete table {family} {table}\n", null);
    }

    /// <summary>Only the host's own namespace is watched; a gateway's table is small, and read each time.</summary>
    private long? PeriodOf(WantedRules rules) => rules.Namespace is null ? watch.Period() : null;

    private string? Content(WantedRules rules)
    {
        StringBuilder all = new();
        foreach ((string family, string name) in rules.Tables)
        {
            if (tools.Table(rules.Namespace, family, name) is not { } content)
            {
                return null;
            }

            all.Append(content.Digest).Append(' ');
        }

        return all.ToString();
    }

    /// <summary>What was loaded.</summary>
    /// <param name="Rules">All of it, as if it had been loaded whole.</param>
    /// <param name="Content">What the kernel made of it; null when that was not read yet.</param>
    /// <param name="Period">The period in which the kernel held it; null where periods are not known.</param>
    /// <param name="At">When that was found, as <see cref="TimeProvider.GetTimestamp"/> tells.</param>
    private sealed record Loaded(WantedRules Rules, string? Content, long? Period, long At);
}
