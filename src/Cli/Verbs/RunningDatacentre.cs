using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Principals;
using Bailiwick.Custody;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// The datacentre as the board shows it to whoever asks: all of it to the operator's side, a tenant's own statements
/// and the public ones to a tenant.
/// </summary>
internal sealed class RunningDatacentre
{
    private readonly StatementBook _book;
    private readonly IReadOnlySet<Digest32> _published;
    private readonly PartyId? _datacentre;
    private readonly BoardStatus _status;
    private readonly ImmutableArray<PolicyDocument> _documents;
    private readonly ImmutableArray<Finding> _findings;

    private RunningDatacentre(
        BoardDesk desk, StatementBook book, IReadOnlySet<Digest32> published, BoardStatus status)
    {
        _book = book;
        _published = published;
        _status = status;
        _datacentre = PartyId.TryParse(desk.Context.Datacentre, out PartyId? datacentre) ? datacentre : null;
        (_documents, PolicyCheckResult result) = Of(book);
        Policies = result.Datacentre;
        _findings = result.Findings;
        SeesAll = datacentre is not null && PrincipalRegister.Of(book, datacentre).Resolve(desk.Key.Id) is
            { Kind: PrincipalKind.Operator or PrincipalKind.DatacentreAuditor };
        Dictionary<string, HostRef> hosts = Policies.Inventory.Hosts.Values.ToDictionary(
            host => host.Ref.ToString(), host => host.Ref, StringComparer.Ordinal);
        Proposals =
        [
            .. status.Compartments
                .Where(one => one.Host is not null && hosts.ContainsKey(one.Host)
                    && Policies.Machinery.Compartments.ContainsKey(one.Compartment))
                .Select(one => new PlacementProposal(
                    Policies.Machinery.Compartments[one.Compartment].Ref, hosts[one.Host ?? ""], one.Running)),
        ];
    }

    /// <summary>The statements that hold together.</summary>
    internal CheckedDatacentre Policies { get; }

    /// <summary>What runs where, by the Master's word.</summary>
    internal IReadOnlyList<PlacementProposal> Proposals { get; }

    /// <summary>Whether the board shows whoever asks everything.</summary>
    internal bool SeesAll { get; }

    /// <summary>Reads the board, and verifies every statement again.</summary>
    internal static async Task<RunningDatacentre> Read(BoardDesk desk, CancellationToken cancellation)
    {
        var published = new HashSet<Digest32>();
        (StatementBook book, _) = await BoardReader.Read(
            desk, cancellation, (statement, _) => published.Add(statement.Digest)).ConfigureAwait(false);
        return new RunningDatacentre(
            desk, book, published, await desk.Board.Status(cancellation).ConfigureAwait(false));
    }

    /// <summary>What of a party's whole history the board does not have yet.</summary>
    internal IReadOnlyList<byte[]> NotPublished(IEnumerable<byte[]> envelopes) =>
        [.. envelopes.Where(one => !IsPublished(one))];

    /// <summary>The policies once more envelopes are published on top of what the board shows.</summary>
    /// <param name="envelopes">What the board does not have, in the order in which it was signed.</param>
    /// <exception cref="CustodyException">The board would refuse one of them.</exception>
    internal CheckedDatacentre With(IReadOnlyList<byte[]> envelopes) =>
        _book.With(envelopes, out StatementVerdict.Refused? refused) is { } book ? Of(book).Checked.Datacentre
            : throw new CustodyException(
                $"The board would refuse one of them ({refused?.Reason}): {refused?.Sentence}");

    private bool IsPublished(byte[] envelope) =>
        Envelope.Read(envelope) is EnvelopeReading.Read read && _published.Contains(Digest32.Of(read.Envelope.Payload));

    /// <summary>What is wrong with the policies, and what follows from them at a moment; as one party may read it.
    /// </summary>
    internal ImmutableArray<Finding> Findings(DateTimeOffset at, PartyId? reader)
    {
        ImmutableArray<Finding> all = [.. _findings, .. PolicyConsequences.Of(_documents, Policies, at)];
        return reader is null ? all : TenantFindings.For(all, _documents, Policies, Policies.Names, reader);
    }

    private (ImmutableArray<PolicyDocument> Documents, PolicyCheckResult Checked) Of(StatementBook book)
    {
        PolicyReading reading = PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(book.Current));
        return (reading.Documents, PolicyCheck.Run(reading, _datacentre));
    }

    /// <summary>The reference of <c>bank/web-1</c>.</summary>
    internal string Reference(string text) => BoardReader.Reference(_book, text)
        ?? throw new CustodyException($"{text} is no reference; name one like bank/web-1.");

    /// <summary>A host that runs a machine that the caller is shown; null where none does.</summary>
    internal string? AnyHost() => HostOf([.. Policies.Machinery.Compartments.Keys]);

    /// <summary>The host that runs the first of some machines that runs anywhere; null where none does.</summary>
    internal string? HostOf(params string[] machines) => _status.Compartments
        .Where(one => one.Host is not null && machines.Contains(one.Compartment))
        .OrderBy(one => Array.IndexOf(machines, one.Compartment)).FirstOrDefault()?.Host;
}
