using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Principals;

/// <summary>
/// Who calls, as the verified statements in force say. Only <see cref="PrincipalRegister"/> makes one that is more than
/// anonymous.
/// </summary>
public sealed class Principal
{
    private Principal(PrincipalKind kind, KeyId key, PartyId? party, StatementName? host)
    {
        Kind = kind;
        Key = key;
        Party = party;
        Host = host;
    }

    /// <summary>What the key stands for.</summary>
    public PrincipalKind Kind { get; }

    /// <summary>The key that the peer has proven to hold.</summary>
    public KeyId Key { get; }

    /// <summary>The tenant or operator it acts for; null exactly for <see cref="PrincipalKind.Anonymous"/>.</summary>
    public PartyId? Party { get; }

    /// <summary>The host it is; null unless <see cref="PrincipalKind.Host"/>.</summary>
    public StatementName? Host { get; }

    /// <summary>True if it acts for this party.</summary>
    public bool ActsFor(PartyId party) => Party is not null && Party == party;

    /// <summary>A key that stands for nobody.</summary>
    public static Principal Anonymous(KeyId key) => new(PrincipalKind.Anonymous, key, null, null);

    internal static Principal Of(PrincipalKind kind, KeyId key, PartyId party, StatementName? host) =>
        new(kind, key, party, host);

    /// <inheritdoc/>
    public override string ToString() => Party is null
        ? $"{Kind.Words()} {Key.Short}"
        : $"{Kind.Words()} {Key.Short} of {Party.Short}{(Host is null ? "" : "/" + Host)}";
}
