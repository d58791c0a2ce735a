using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy.Networking;

/// <summary>Rules of one place: the tables that one transaction replaces.</summary>
public sealed partial class WantedRules
{
    /// <summary>More members than these make a table that takes long to read.</summary>
    private const int FewMembers = 500;

    private readonly DomainPlan? _domain;
    private readonly Lazy<string> _text;
    private Comparison? _last;

    /// <summary>Rules by their text.</summary>
    /// <param name="inNamespace">The network namespace, or null for the host's own.</param>
    /// <param name="text">The whole text for <c>nft -f -</c>.</param>
    public WantedRules(string? inNamespace, string text)
    {
        Namespace = inNamespace;
        _text = new Lazy<string>(text);
        Tables = [.. TableLine().Matches(text).Select(m => (m.Groups[1].Value, m.Groups[2].Value)).Distinct()];
    }

    /// <summary>The rules of a domain's switch, whose text is made only when it is needed.</summary>
    public WantedRules(DomainPlan domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        _domain = domain;
        _text = new Lazy<string>(() => NftTables.ForDomain(domain));
        Tables = [("bridge", domain.Network.Table)];
        IsShort = domain.Network.Ports.Length + domain.Network.Peers.Sum(peer => peer.Members.Length) < FewMembers;
    }

    /// <summary>The network namespace, or null for the host's own.</summary>
    public string? Namespace { get; }

    /// <summary>The whole text, which replaces its tables.</summary>
    public string Text => _text.Value;

    /// <summary>The tables the text makes: family and name.</summary>
    public ImmutableArray<(string Family, string Name)> Tables { get; }

    /// <summary>Whether it takes no time to read them.</summary>
    public bool IsShort { get; } = true;

    internal string Place => $"{Namespace ?? "-"}: {string.Join(", ", Tables.Select(t => $"{t.Family} {t.Name}"))}";

    /// <summary>What makes these rules of others of the same place; null when they must be loaded whole.</summary>
    public NftChange? ChangeFrom(WantedRules former)
    {
        ArgumentNullException.ThrowIfNull(former);
        if (ReferenceEquals(former, this) || (_domain is not null && ReferenceEquals(former._domain, _domain)))
        {
            return NftChange.None;
        }

        // Who asks how rules stand loads them next: both compare with the same.
        if (_last is { } last && last.Former.TryGetTarget(out WantedRules? compared)
            && ReferenceEquals(compared, former))
        {
            return last.Change;
        }

        NftChange? change = _domain is not null && former._domain is not null
            ? NftChange.Between(former._domain, _domain) : NftChange.Between(former.Text, Text);
        _last = new Comparison(new WeakReference<WantedRules>(former), change);
        return change;
    }

    /// <summary>With what these rules were compared last. It is not kept alive by that.</summary>
    private sealed record Comparison(WeakReference<WantedRules> Former, NftChange? Change);

    [GeneratedRegex(@"^table (\w+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TableLine();
}
