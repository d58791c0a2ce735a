using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Deployment;

/// <summary>
/// Plays every party's desk in turn, as people would with <c>bailiwick tenant init</c> and <c>policy sign</c>: makes
/// their keys and signs their policies. Nothing here runs in the datacentre.
/// </summary>
public sealed class LabDesks : IDisposable
{
    /// <summary>Origin line of the lab's checkpoints.</summary>
    public const string Origin = "bailiwick.lab/log";

    private readonly LabPaths _paths;
    private readonly PolicyDesk _policies;
    private readonly SortedDictionary<string, PartyDirectory> _desks = new(StringComparer.Ordinal);

    private LabDesks(LabPaths paths)
    {
        _paths = paths;
        _policies = new PolicyDesk(paths.Policies);
    }

    /// <summary>The parties by name.</summary>
    public IReadOnlyDictionary<string, PartyDirectory> Desks => _desks;

    /// <summary>The tenants' names, in order.</summary>
    public IReadOnlyList<string> Tenants =>
        [.. _desks.Where(d => d.Value.Facts.Kind == StatementKind.Tenant).Select(d => d.Key)];

    /// <summary>The operator.</summary>
    public PartyDirectory Operator => _desks.Values.Single(d => d.Facts.Kind == StatementKind.Datacentre);

    /// <summary>Makes the keys of everyone whose policies lie in the working copy.</summary>
    public static LabDesks Create(LabPaths paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var made = new LabDesks(paths);
        int tenants = 0;
        foreach (PolicyDocument root in made._policies.Read(made._policies.Names()).Documents
            .Where(d => d.Origin.Kind.IsRoot()).OrderBy(d => d.Origin.Name))
        {
            bool tenant = root.Origin.Kind == StatementKind.Tenant;
            made._desks.Add(root.Origin.Name.Text, PartyDirectory.Create(
                Path.Combine(paths.Keys, root.Origin.Name.Text),
                new PartyRequest(root.Origin.Kind, root.Origin.Name, 3, 2,
                    tenant ? LabPaths.KeyServiceAddress(tenants++) : null, null)));
        }

        return made;
    }

    /// <summary>Opens the desks of a lab that is up.</summary>
    public static LabDesks Open(LabPaths paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var opened = new LabDesks(paths);
        foreach (string path in Directory.EnumerateDirectories(paths.Keys))
        {
            opened._desks.Add(Path.GetFileName(path), PartyDirectory.Open(path, null));
        }

        return opened;
    }

    /// <summary>Signs the tenants' roots, then the operator's, which names the tenants, then everything else.</summary>
    public void SignEverything(PublicKey logKey)
    {
        string operatorName = Operator.Facts.Name.Text;
        foreach (string party in Tenants.Append(operatorName))
        {
            using StatementFolder folder = Folder(party);
            _policies.SignRoot(_desks[party], folder, Facts(logKey), TimeProvider.System.GetUtcNow());
        }

        foreach (string party in _desks.Keys)
        {
            Sign(party, logKey);
        }
    }

    /// <summary>Signs what a party changed.</summary>
    /// <returns>The new envelopes, in order.</returns>
    public IReadOnlyList<byte[]> Sign(string party, PublicKey logKey)
    {
        using StatementFolder folder = Folder(party);
        int before = folder.Envelopes.Count;
        _policies.Sign(_desks[party], folder, Facts(logKey), TimeProvider.System.GetUtcNow());
        return [.. folder.Envelopes.Skip(before)];
    }

    /// <summary>A party's signed statements.</summary>
    public StatementFolder Folder(string party) => new(Path.Combine(_paths.Signed, party));

    /// <summary>The first root statement of a party.</summary>
    public byte[] FirstRoot(string party)
    {
        using StatementFolder folder = Folder(party);
        return folder.Envelopes[0];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PartyDirectory desk in _desks.Values)
        {
            desk.Dispose();
        }
    }

    private SigningFacts Facts(PublicKey logKey) => new(_paths.Guest, _paths.Enrolled, Origin, logKey);
}
