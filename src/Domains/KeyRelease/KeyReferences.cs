using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>Reads reference texts `party id/name` exactly as they are written; null for any other text.</summary>
internal static class KeyReferences
{
    public static (PartyId Party, StatementName Name)? Read(string? text)
    {
        int slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        return text is not null && slash > 0
            && PartyId.TryParse(text[..slash], out var party)
            && StatementName.TryParse(text[(slash + 1)..], out var name)
                ? (party, name)
                : null;
    }

    public static VolumeRef? Volume(string? text) => Read(text) is (var party, var name) ? new(party, name) : null;

    public static CompartmentRef? Compartment(string? text) =>
        Read(text) is (var party, var name) ? new(party, name) : null;

    public static HostRef? Host(string? text) => Read(text) is (var party, var name) ? new(party, name) : null;
}

/// <summary>Reads what a document names of a machine's TPM, or of a volume's header.</summary>
internal static class KeyStates
{
    /// <summary>A digest; empty for none.</summary>
    public static bool TryRead(string? text, out Digest32? state)
    {
        state = null;
        return text is { Length: 0 } || Digest32.TryParse(text, out state);
    }
}
