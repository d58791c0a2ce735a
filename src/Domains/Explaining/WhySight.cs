using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Explaining;

/// <summary>What a reader sees of one question's answer.</summary>
internal sealed class WhySight
{
    private readonly CheckedDatacentre _datacentre;
    private readonly WhyQuestion _question;
    private readonly PartyId? _reader;
    private readonly TenantSight? _sight;

    public WhySight(CheckedDatacentre datacentre, WhyQuestion question, PartyId? reader)
    {
        (_datacentre, _question, _reader) = (datacentre, question, reader);
        _sight = reader is null ? null : TenantSight.Of(datacentre, reader);
    }

    /// <summary>Whether both ends of the question are the reader's, or in a domain that it may know.</summary>
    public bool SeesBothEnds => _reader is null || Ends().All(
        end => end.Owner == _reader || end.Domains.Any(IsVisible));

    /// <summary>The reader's own machine in the question, if it names one.</summary>
    public CompartmentRef? OwnMachine => _question switch
    {
        WhyQuestion.Flow { Connection: var asked } => asked.From.Tenant == _reader ? asked.From : asked.To,
        WhyQuestion.Disk disk => disk.Machine.Tenant == _reader ? disk.Machine : null,
        WhyQuestion.Place place => place.Machine,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The question in words; of a stranger's end what was asked, and nothing more.</summary>
    public string Text() => _question switch
    {
        WhyQuestion.Flow { Connection: var asked } =>
            $"{Name(asked.From)} to {Name(asked.To)}, {asked.Service}",
        WhyQuestion.Disk disk => $"{Name(disk.Volume)} in {Name(disk.Machine)}",
        WhyQuestion.Place place => $"{Name(place.Machine)} on {Name(place.Host)}",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>A link as the reader sees it.</summary>
    public ExplainedLink Shown(WhyLink link)
    {
        var isShown = _reader is null
            || (link.Domain is { } domain ? IsVisible(domain) || link.Because?.Owner == _reader
                : link.Because is null || link.Because.Owner == _reader || link.Because.Kind.IsPublic());
        return isShown && _sight?.NamesNoStranger(link.Sentence) is not false
            ? new ExplainedLink(
                link.Holds, link.Sentence, link.Because?.ToString() ?? "", link.Because?.File ?? "",
                link.Because?.Line ?? 0)
            : new ExplainedLink(link.Holds, $"Something of another tenant's: {TraceReport.NotYours}.", "", "", 0);
    }

    private bool IsVisible(DomainRef domain) => _sight?.Sees(domain) is not false;

    private IEnumerable<(PartyId Owner, IEnumerable<DomainRef> Domains)> Ends() => _question switch
    {
        WhyQuestion.Flow { Connection: var asked } => [End(asked.From), End(asked.To)],
        WhyQuestion.Disk disk => [End(disk.Volume), End(disk.Machine)],
        WhyQuestion.Place place => [End(place.Machine)],
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private (PartyId Owner, IEnumerable<DomainRef> Domains) End(CompartmentRef machine) => (
        machine.Tenant,
        _datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? FlowMatrix.Domains(model).Distinct() : []);

    private (PartyId Owner, IEnumerable<DomainRef> Domains) End(VolumeRef volume) => (
        volume.Tenant,
        _datacentre.Machinery.Volumes.TryGetValue(volume.ToString(), out var model) ? [model.Colour] : []);

    private string Name(CompartmentRef machine) => SeesOf(End(machine))
        && _datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? Display.Of(model) : machine.ToString();

    private string Name(VolumeRef volume) => SeesOf(End(volume))
        && _datacentre.Machinery.Volumes.TryGetValue(volume.ToString(), out var model)
            ? $"{model.Origin.OwnerName}/{model.Ref.Name}" : volume.ToString();

    private string Name(HostRef host) =>
        _datacentre.Inventory.Hosts.TryGetValue(host.ToString(), out var model) ? Display.Of(model) : host.ToString();

    private bool SeesOf((PartyId Owner, IEnumerable<DomainRef> Domains) end) =>
        _reader is null || end.Owner == _reader || end.Domains.Any(IsVisible);
}
