using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Rules of one place: the whole text for <c>nft -f -</c>, which replaces its tables in one transaction.
/// </summary>
/// <param name="Namespace">The network namespace, or null for the host's own.</param>
/// <param name="Text">The text.</param>
public sealed partial record WantedRules(string? Namespace, string Text)
{
    /// <summary>The tables the text makes: family and name.</summary>
    public ImmutableArray<(string Family, string Name)> Tables { get; } =
        [.. TableLine().Matches(Text).Select(m => (m.Groups[1].Value, m.Groups[2].Value)).Distinct()];

    /// <summary>SHA-256 of the text, lower hex.</summary>
    public string Digest { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    internal string Place => $"{Namespace ?? "-"}: {string.Join(", ", Tables.Select(t => $"{t.Family} {t.Name}"))}";

    [GeneratedRegex(@"^table (\w+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TableLine();
}

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
public sealed class TableKeeper(NetworkTools tools)
{
    private readonly ConcurrentDictionary<string, Loaded> _loaded = new(StringComparer.Ordinal);

    /// <summary>Compares the kernel with what was loaded.</summary>
    public RulesState State(WantedRules rules) =>
        !_loaded.TryGetValue(rules.Place, out Loaded? loaded) || loaded.Text != rules.Digest ? RulesState.New
            : Content(rules) == loaded.Content ? RulesState.Held
            : RulesState.Drifted;

    /// <summary>Replaces the tables in one transaction and remembers what the kernel made of them.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="before">Earlier commands of the same transaction, or empty.</param>
    public void Load(WantedRules rules, string before = "")
    {
        _loaded.TryRemove(rules.Place, out _);
        tools.Load(before + rules.Text, rules.Namespace);
        if (Content(rules) is { } content)
        {
            _loaded[rules.Place] = new Loaded(rules.Digest, content);
        }
    }

    /// <summary>Forgets what was loaded in a namespace that is gone.</summary>
    public void Forget(string inNamespace)
    {
        foreach (string place in _loaded.Keys.Where(k => k.StartsWith($"{inNamespace}: ", StringComparison.Ordinal)))
        {
            _loaded.TryRemove(place, out _);
        }
    }

    /// <summary>Removes a table of the bridge family; one that is wanted again is then new, not changed.</summary>
    public void Remove(string table)
    {
        _loaded.TryRemove($"-: bridge {table}", out _);
        tools.Load($"table bridge {table}\ndelete table bridge {table}\n", null);
    }

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

    private sealed record Loaded(string Text, string Content);
}
