using Bailiwick.Channel.Principals;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Routes;

/// <summary>
/// Which path parameters a caller may name. A caller who names others gets the same 404 as for what does not exist, so
/// that nobody learns which ids exist.
/// </summary>
/// <param name="Name">The scope in words; it is part of the checked-in matrix.</param>
/// <param name="Admits">True if the caller may name these values.</param>
public sealed record RouteScope(string Name, Func<Principal, RouteValues, bool> Admits)
{
    /// <summary>The route has no parameters; what it shows depends on the caller.</summary>
    public static RouteScope AnswerByCaller { get; } = new("answer by caller", (_, values) => values.IsEmpty);

    /// <summary>The parameter names the caller's own party.</summary>
    public static RouteScope OwnParty(string parameter) => new(
        $"own {{{parameter}}}",
        (caller, values) => values.Party(parameter) is { } party && caller.ActsFor(party));

    /// <summary>The parameter names the caller's own party, or the caller is of a kind that sees all.</summary>
    public static RouteScope OwnPartyOr(string parameter, PrincipalKind all) => new(
        $"own {{{parameter}}}, or {all.Words()}",
        (caller, values) => values.Party(parameter) is { } party && (caller.ActsFor(party) || caller.Kind == all));

    /// <summary>The two parameters name any host; what is shown of it depends on the caller.</summary>
    public static RouteScope AnyHost(string @operator, string name) => new(
        $"any {{{@operator}}}/{{{name}}}, answer by caller",
        (_, values) => values.Party(@operator) is not null && values.Name(name) is not null);

    /// <summary>The two parameters name the calling host itself.</summary>
    public static RouteScope OwnHost(string @operator, string name) => new(
        $"own {{{@operator}}}/{{{name}}}",
        (caller, values) => values.Party(@operator) is { } party && caller.ActsFor(party)
            && values.Name(name) is { } host && caller.Host == host);
}

/// <summary>The path parameters of one call; read strictly, and only as ids and names.</summary>
public sealed class RouteValues
{
    private readonly IReadOnlyDictionary<string, string> _values;

    internal RouteValues(IReadOnlyDictionary<string, string> values) => _values = values;

    /// <summary>True if there are none.</summary>
    public bool IsEmpty => _values.Count == 0;

    /// <summary>A party id, or null if the parameter is none.</summary>
    public PartyId? Party(string parameter) =>
        _values.TryGetValue(parameter, out var text) && PartyId.TryParse(text, out var party) ? party : null;

    /// <summary>A name, or null if the parameter is none.</summary>
    public StatementName? Name(string parameter) =>
        _values.TryGetValue(parameter, out var text) && StatementName.TryParse(text, out var name) ? name : null;
}
