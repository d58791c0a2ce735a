using System.Text.RegularExpressions;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// What a party may know of the others by name: the domains that <see cref="DomainSight"/> shows it, the machines and
/// volumes of these, and the operators whose hosts its domains accept. Everything else is a stranger's.
/// </summary>
public sealed partial class TenantSight
{
    private readonly CheckedDatacentre _datacentre;
    private readonly PartyId _reader;
    private readonly PartyNames _names;
    private readonly DomainSight _domains;
    private readonly HashSet<PartyId> _operators;
    private readonly HashSet<string> _known;

    private TenantSight(
        CheckedDatacentre datacentre, PartyId reader, PartyNames names, IEnumerable<PolicyDocument> documents)
    {
        (_datacentre, _reader, _names) = (datacentre, reader, names);
        _domains = DomainSight.Of(datacentre, reader);
        _operators =
        [
            .. datacentre.Domains.Values.Where(domain => domain.Ref.Tenant == reader)
                .SelectMany(domain => domain.Hosts.Operators),
        ];
        _known = [.. Known(documents)];
    }

    /// <summary>What a reader may know.</summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="reader">Who reads.</param>
    /// <param name="names">How parties are called in the documents.</param>
    /// <param name="documents">The documents that were checked.</param>
    public static TenantSight Of(
        CheckedDatacentre datacentre, PartyId reader, PartyNames names, IEnumerable<PolicyDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(documents);
        return new TenantSight(datacentre, reader, names, documents);
    }

    /// <summary>What a reader may know of statements that are signed, which lie in no files.</summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="reader">Who reads.</param>
    public static TenantSight Of(CheckedDatacentre datacentre, PartyId reader)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        return new TenantSight(datacentre, reader, datacentre.Names, []);
    }

    /// <summary>Whether a domain is the reader's or a consenting peer's.</summary>
    public bool Sees(DomainRef domain) => _domains.Sees(domain);

    /// <summary>
    /// Whether a sentence names nobody by <c>party/name</c>, <c>party/file</c> or a party's id but whom the reader may
    /// know. What it does not understand is not a name: a statement's name begins with a letter.
    /// </summary>
    public bool NamesNoStranger(string sentence)
    {
        ArgumentNullException.ThrowIfNull(sentence);
        return Qualified().Matches(sentence).All(match =>
            Party(match.Groups["party"].Value) is not { } party || party == _reader || _operators.Contains(party)
                || _known.Contains(match.Value.TrimEnd('.')));
    }

    private PartyId? Party(string text) =>
        _names.Find(text) ?? (PartyId.TryParse(text, out PartyId? id) ? id
            : _names.Names.Select(_names.Find).FirstOrDefault(one => one?.Short == text));

    private IEnumerable<string> Known(IEnumerable<PolicyDocument> documents)
    {
        foreach (var peer in _domains.Peers.Select(one => _datacentre.Domains[one.ToString()]))
        {
            yield return $"{peer.Origin.OwnerName}/{peer.Ref.Name}";
            yield return peer.Ref.ToString();
        }

        foreach (var machine in _datacentre.Machinery.Compartments.Values.Where(machine =>
            machine.Nics.All(nic => _domains.Peers.Contains(new DomainRef(machine.Ref.Tenant, nic.Domain)))))
        {
            yield return $"{machine.Origin.OwnerName}/{machine.Ref.Name}";
        }

        foreach (var volume in _datacentre.Machinery.Volumes.Values.Where(one => _domains.Peers.Contains(one.Colour)))
        {
            yield return $"{volume.Origin.OwnerName}/{volume.Ref.Name}";
        }

        foreach (var document in documents.Where(one => one.Origin.Kind == StatementKind.Domain
            && _domains.Peers.Contains(new DomainRef(one.Origin.Owner, one.Origin.Name))))
        {
            yield return document.File;
        }
    }

    [GeneratedRegex("(?<party>[a-z0-9][a-z0-9~-]*)/[a-z][A-Za-z0-9._-]*")]
    private static partial Regex Qualified();
}
