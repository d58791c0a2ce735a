using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Following;

/// <summary>
/// The policies in force for one tenant. A newer revision that the check leaves out does not take the place of the one
/// before: the last good one stays in force and the problem is told. For one thread at a time.
/// </summary>
internal sealed class LastGoodPolicy(PartyId tenant, PartyId datacentre)
{
    private const int MostRevisions = 4;
    private readonly Dictionary<(StatementKind Kind, PartyId Owner, StatementName Name), List<VerifiedStatement>>
        _revisions = [];
    // What was found last, from which the next check goes on.
    private PolicyReading? _reading;
    private CheckedDatacentre? _checked;

    /// <summary>Begins anew, with the log's first statement.</summary>
    public void Forget() => _revisions.Clear();

    /// <summary>Takes statements in the order of the log.</summary>
    public void Take(IEnumerable<VerifiedStatement> added)
    {
        foreach (VerifiedStatement statement in added.Where(one => one.Kind.IsPolicy()))
        {
            var subject = (statement.Kind, statement.Owner, statement.Name);
            if (!_revisions.TryGetValue(subject, out var revisions))
            {
                _revisions[subject] = revisions = [];
            }

            revisions.Insert(0, statement);
            if (revisions.Count > MostRevisions)
            {
                revisions.RemoveAt(MostRevisions);
            }
        }
    }

    /// <summary>Checks the newest revisions; where one is left out, the one before is tried in its place.</summary>
    public (CheckedDatacentre Datacentre, ImmutableArray<string> Problems) Check()
    {
        var inForce = _revisions.ToDictionary(pair => pair.Key, _ => 0);
        for (int round = 0; ; round++)
        {
            _reading = PolicyDocuments.FromStatements(
                inForce.Select(pair => _revisions[pair.Key][pair.Value]), before: _reading);
            PolicyCheckResult result = PolicyCheck.Run(_reading.Documents, datacentre, _checked);
            _checked = result.Datacentre;
            var left = inForce.Where(pair => pair.Key.Owner == tenant
                && !IsIn(result.Datacentre, _revisions[pair.Key][pair.Value])).Select(pair => pair.Key).ToArray();
            var retry = left.Where(subject => inForce[subject] + 1 < _revisions[subject].Count).ToArray();
            if (retry.Length == 0 || round == MostRevisions)
            {
                return (result.Datacentre, [.. Problems(inForce, left)]);
            }

            foreach (var subject in retry)
            {
                inForce[subject]++;
            }
        }
    }

    private IEnumerable<string> Problems(
        Dictionary<(StatementKind Kind, PartyId Owner, StatementName Name), int> inForce,
        IReadOnlyCollection<(StatementKind Kind, PartyId Owner, StatementName Name)> left)
    {
        foreach (var (subject, age) in inForce.Where(pair => pair.Value > 0 || left.Contains(pair.Key)))
        {
            VerifiedStatement newest = _revisions[subject][0];
            yield return left.Contains(subject)
                ? $"{newest} cannot be used, and no earlier revision can: run `bailiwick check` and sign a new one."
                : $"{newest} cannot be used; revision {_revisions[subject][age].Revision} stays in force: run "
                    + "`bailiwick check` and sign a new one.";
        }
    }

    private static bool IsIn(CheckedDatacentre datacentre, VerifiedStatement statement)
    {
        string reference = $"{statement.Owner}/{statement.Name}";
        StatementOrigin? origin = statement.Kind switch
        {
            StatementKind.Tenant => datacentre.Tenants.GetValueOrDefault(statement.Owner.ToString())?.Origin,
            StatementKind.Datacentre => datacentre.Datacentre?.Origin,
            StatementKind.Domain => datacentre.Domains.GetValueOrDefault(reference)?.Origin,
            StatementKind.Compartment => datacentre.Machinery.Compartments.GetValueOrDefault(reference)?.Origin,
            StatementKind.Volume => datacentre.Machinery.Volumes.GetValueOrDefault(reference)?.Origin,
            StatementKind.Image => datacentre.Machinery.Images.GetValueOrDefault(reference)?.Origin,
            StatementKind.Host => datacentre.Inventory.Hosts.GetValueOrDefault(reference)?.Origin,
            StatementKind.Link => datacentre.Inventory.Links.FirstOrDefault(link =>
                link.Operator == statement.Owner && link.Name == statement.Name)?.Origin,
            StatementKind.KeyChange => throw new System.Diagnostics.UnreachableException("it is not taken"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return origin is not null && origin.Revision == statement.Revision;
    }
}
