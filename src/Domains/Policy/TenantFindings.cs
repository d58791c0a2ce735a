using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Findings as one party may read them: those at its own statements, without what they would tell of strangers, and of
/// its consenting peers' domains those that name nobody else. A stranger's finding is not told at all.
/// </summary>
/// <remarks>
/// Whether a stranger's domain or volume is there, refuses, or is described wrongly reads the same. Sentences that can
/// name others without their party are written anew; every sentence is looked through for names all the same.
/// </remarks>
public sealed class TenantFindings
{
    private const string NotYours =
        "What is wrong here is about another tenant's statements, which are not yours to see.";

    private readonly CheckedDatacentre _datacentre;
    private readonly PartyId _reader;
    private readonly PartyNames _names;
    private readonly TenantSight _sight;
    private readonly ILookup<string, PolicyDocument> _documents;
    private readonly Lazy<ImmutableArray<InformationViolation>> _violations;

    private TenantFindings(
        CheckedDatacentre datacentre, PartyId reader, PartyNames names, ImmutableArray<PolicyDocument> documents)
    {
        (_datacentre, _reader, _names) = (datacentre, reader, names);
        _sight = TenantSight.Of(datacentre, reader, names, documents);
        _documents = documents.ToLookup(one => one.File, StringComparer.Ordinal);
        _violations = new(() => [.. FlowMatrix.Of(datacentre).Information.Violations()]);
    }

    /// <summary>What a reader may read, in order.</summary>
    /// <param name="findings">All that was found in the documents.</param>
    /// <param name="documents">The documents.</param>
    /// <param name="datacentre">What holds together of them.</param>
    /// <param name="names">How parties are called in them.</param>
    /// <param name="reader">Who reads.</param>
    public static ImmutableArray<Finding> For(
        IEnumerable<Finding> findings, ImmutableArray<PolicyDocument> documents, CheckedDatacentre datacentre,
        PartyNames names, PartyId reader)
    {
        ArgumentNullException.ThrowIfNull(findings);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(names);
        var view = new TenantFindings(datacentre, reader, names, documents);
        return Finding.Sorted(findings.Select(finding => view.Told(finding)).OfType<Finding>());
    }

    private Finding? Told(Finding finding)
    {
        var document = _documents[finding.File].Where(one => one.Origin.Line <= finding.Line)
            .MaxBy(one => one.Origin.Line) ?? _documents[finding.File].FirstOrDefault();
        var owner = document?.Origin.Owner
            ?? (PartyNames.PartyOfPath(finding.File) is { } party ? _names.Find(party) : null);
        if (owner != _reader)
        {
            return document is { Origin: { Kind: StatementKind.Domain } about } && IsOfPeers(finding.Code)
                && _sight.Sees(new DomainRef(about.Owner, about.Name)) && _sight.NamesNoStranger(finding.Sentence)
                    ? finding : null;
        }

        var told = document is null ? finding : Own(finding, document);
        return told is null || _sight.NamesNoStranger(told.Sentence) ? told : told with { Sentence = NotYours };
    }

    /// <summary>What a peer's finding may be: of flows, all of whose ends its sentence names with their party.
    /// </summary>
    private static bool IsOfPeers(FindingCode code) => code
        is FindingCode.FlowNotAccepted or FindingCode.FlowNotGranted or FindingCode.SubnetSeenTwice
        or FindingCode.NatNotAgreed or FindingCode.TooManyFlows or FindingCode.InformationReaches
        or FindingCode.JurisdictionReached or FindingCode.ConflictOfInterest;

    private Finding? Own(Finding finding, PolicyDocument document)
    {
        if (finding.Code == FindingCode.UnknownParty)
        {
            return finding with { Sentence = "There is no party of that name that you may know." };
        }

        var top = finding.Pointer.Split('/').ElementAtOrDefault(1);
        var about = document.Origin;
        return (about.Kind, top) switch
        {
            (StatementKind.Domain, "information") => OfInformation(finding, about),
            (StatementKind.Domain, "flows") => OfFlow(finding, about),
            (StatementKind.Compartment, "disks") => OfDisk(finding, document),
            _ => finding,
        };
    }

    /// <summary>The way is told in other words; whether a stranger has a domain of a name is not.</summary>
    private Finding? OfInformation(Finding finding, StatementOrigin about)
    {
        if (finding.Code == FindingCode.UnknownDomain)
        {
            return Named(finding.Pointer, about) is { } named && named.Tenant == _reader ? finding : null;
        }

        var violation = _violations.Value.FirstOrDefault(one => one.By.Ref == new DomainRef(about.Owner, about.Name)
            && one.Code == finding.Code && one.Pointer == finding.Pointer);
        return violation is null
            ? finding : finding with { Sentence = violation.Sentence(domain => _sight.Sees(domain.Ref)) };
    }

    private DomainRef? Named(string pointer, StatementOrigin about) =>
        _datacentre.Domains.GetValueOrDefault($"{about.Owner}/{about.Name}") is { } domain
            ? domain.Information.Named().FirstOrDefault(one => one.Pointer == pointer).Domain : null;

    private Finding OfFlow(Finding finding, StatementOrigin about)
    {
        var domain = _datacentre.Domains.GetValueOrDefault($"{about.Owner}/{about.Name}");
        if (domain is null || finding.Code is not (FindingCode.FlowNotAccepted or FindingCode.FlowNotGranted
            or FindingCode.UnknownFlowPeer or FindingCode.DependsOnLeftOut))
        {
            return finding;
        }

        var isGrant = domain.Grants.Any(term => term.Pointer == finding.Pointer);
        var peer = domain.Grants.Concat(domain.Accepts).FirstOrDefault(term => term.Pointer == finding.Pointer)?.Peer;
        return peer is not null && (peer.Tenant == _reader || _sight.Sees(peer)) ? finding : finding with
        {
            Code = isGrant ? FindingCode.FlowNotAccepted : FindingCode.FlowNotGranted,
            Sentence = $"{FlowMatrix.Display(domain)} {(isGrant ? "grants" : "accepts")} this, and nothing that you "
                + $"may know {(isGrant ? "accepts" : "grants")} it, so it is closed.",
        };
    }

    private Finding OfDisk(Finding finding, PolicyDocument document)
    {
        // From the document as it was written: a machine with findings can be left out.
        var disk = (document.Body as PolicyNode.Members)?.Find("disks") as PolicyNode.Items;
        var text = finding.Pointer.Split('/') is [_, _, var index, ..] && int.TryParse(index, out int at)
            && disk?.Entries.ElementAtOrDefault(at) is PolicyNode.Members entry
            && entry.Find("volume") is PolicyNode.Text volume ? volume.Value : null;
        if (text?.Split('/') is not [var party, var name] || _names.Find(party) == _reader
            || party == _reader.ToString())
        {
            return finding;
        }

        var tenant = _names.Find(party)?.ToString() ?? party;
        var isSeen = _datacentre.Machinery.Volumes.GetValueOrDefault($"{tenant}/{name}") is { } model
            && _sight.Sees(model.Colour);
        return finding.Code switch
        {
            FindingCode.VolumeFlowClosed when isSeen => finding,
            FindingCode.VolumeFlowClosed or FindingCode.UnknownVolume or FindingCode.DependsOnLeftOut => finding with
            {
                Code = FindingCode.VolumeFlowClosed, Pointer = string.Join('/', finding.Pointer.Split('/')[..3]),
                Sentence = "No open flow lends this volume, so the machine is never admitted. Its owner would have to "
                    + "grant it, and a domain of the machine to accept it.",
            },
            FindingCode.VolumeNotShared or FindingCode.VolumeTwoWriters => finding with
            {
                Sentence = "Other machines have this volume too, and its statement does not let all of them have it "
                    + "at once: not all are admitted.",
            },
            _ => finding,
        };
    }
}
