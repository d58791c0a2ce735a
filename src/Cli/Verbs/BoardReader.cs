using System.Globalization;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>Reads all the board shows to a caller, and verifies every statement again: the board's word is not taken.
/// </summary>
internal static class BoardReader
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private const int PageSize = 256;
    private const int MaximumPages = 4096;

    /// <summary>The verified state, and what of the board's entries is refused.</summary>
    /// <param name="desk">Who asks.</param>
    /// <param name="keep">Takes each accepted statement with its envelope, in an order in which each is accepted.
    /// </param>
    /// <param name="cancellation">Gives up.</param>
    internal static async Task<(StatementBook Book, IReadOnlyList<string> Refused)> Read(
        BoardDesk desk, CancellationToken cancellation, Action<VerifiedStatement, byte[]>? keep = null)
    {
        StatementBook book = StatementBook.Empty;
        var refused = new List<string>();
        long next = 0;
        for (int page = 0; page < MaximumPages; page++)
        {
            EntriesPage entries = await desk.Board.Entries(next, PageSize, cancellation).ConfigureAwait(false);
            foreach (BoardEntry entry in entries.Entries)
            {
                next = entry.Index + 1;
                if (entry.Envelope is not { } envelope)
                {
                    continue;
                }

                byte[] canonical = CanonicalJson.Write(envelope);
                switch (book.Consider(canonical))
                {
                    case StatementVerdict.Accepted accepted:
                        keep?.Invoke(accepted.Statement, canonical);
                        book = accepted.Next;
                        break;
                    case StatementVerdict.Repeated:
                        break;
                    case StatementVerdict.Refused no:
                        refused.Add(string.Create(
                            CultureInfo.InvariantCulture, $"leaf {entry.Index}: {no.Reason}: {no.Sentence}"));
                        break;
                    default:
                        throw new System.Diagnostics.UnreachableException();
                }
            }

            if (entries.Entries.Length < PageSize)
            {
                break;
            }
        }

        return (book, refused);
    }

    /// <summary>A statement's display name: <c>bank/web</c>.</summary>
    internal static string Display(StatementBook book, VerifiedStatement statement) =>
        $"{NameOf(book, statement.Owner)}/{statement.Name}";

    /// <summary>A party's display name, or the start of its id.</summary>
    internal static string NameOf(StatementBook book, PartyId id) =>
        new[] { StatementKind.Tenant, StatementKind.Datacentre }.SelectMany(book.Current)
            .FirstOrDefault(s => s.Owner == id)?.Name.Text ?? id.Short;

    /// <summary>Replaces ids by names in a board's reference like <c>&lt;hex&gt;/web-1</c>.</summary>
    internal static string Display(StatementBook book, string reference)
    {
        string[] parts = reference.Split('/');
        return parts.Length == 2 && PartyId.TryParse(parts[0], out PartyId? id)
            ? $"{NameOf(book, id)}/{parts[1]}" : reference;
    }

    /// <summary>The reference of <c>bank/web-1</c>, or of one that has an id already.</summary>
    internal static string? Reference(StatementBook book, string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length != 2 || !StatementName.TryParse(parts[1], out _))
        {
            return null;
        }

        VerifiedStatement? party = new[] { StatementKind.Tenant, StatementKind.Datacentre }.SelectMany(book.Current)
            .FirstOrDefault(s => s.Name.Text == parts[0]);
        return PartyId.TryParse(parts[0], out _) ? text : party is null ? null : $"{party.Owner}/{parts[1]}";
    }

    /// <summary>A statement's body as indented text.</summary>
    internal static string Body(VerifiedStatement statement) => JsonSerializer.Serialize(statement.Body, Indented);
}
