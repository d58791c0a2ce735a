using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Editing;

/// <summary>One change to an authored file. A closed set.</summary>
public abstract record PolicyEdit
{
    private PolicyEdit(StatementKind kind, StatementName name) => (Kind, Name) = (kind, name);

    /// <summary>What kind of statement changes.</summary>
    public StatementKind Kind { get; }

    /// <summary>Its name.</summary>
    public StatementName Name { get; }

    /// <summary>A new document behind the file's last.</summary>
    /// <param name="Kind">Its kind.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Body">Its members, without the kind and the name.</param>
    public sealed record Append(StatementKind Kind, StatementName Name, PolicyNode.Members Body)
        : PolicyEdit(Kind, Name);

    /// <summary>A member of a document gets a value, whether or not it had one.</summary>
    /// <param name="Kind">The document's kind.</param>
    /// <param name="Name">The document's name.</param>
    /// <param name="Member">The member.</param>
    /// <param name="Value">Its new value.</param>
    public sealed record SetMember(StatementKind Kind, StatementName Name, string Member, PolicyNode Value)
        : PolicyEdit(Kind, Name);

    /// <summary>A list gets one more entry, behind its last; a list that is missing is made.</summary>
    /// <param name="Kind">The document's kind.</param>
    /// <param name="Name">The document's name.</param>
    /// <param name="List">The members that lead to the list; all but the last must be there.</param>
    /// <param name="Item">The entry.</param>
    public sealed record AddItem(
        StatementKind Kind, StatementName Name, ImmutableArray<string> List, PolicyNode Item) : PolicyEdit(Kind, Name);

    /// <summary>A list of the document loses an entry.</summary>
    /// <param name="Kind">The document's kind.</param>
    /// <param name="Name">The document's name.</param>
    /// <param name="List">The member that is the list.</param>
    /// <param name="Index">Which, from 0.</param>
    public sealed record RemoveItem(StatementKind Kind, StatementName Name, string List, int Index)
        : PolicyEdit(Kind, Name);
}
