using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Explaining;

/// <summary>What is asked of the policies: why something may be, or may not. A closed set.</summary>
public abstract record WhyQuestion
{
    private WhyQuestion() { }

    /// <summary>May a client in one machine reach a server in another.</summary>
    /// <param name="Connection">The machines, the transport and the server's port.</param>
    public sealed record Flow(TraceQuestion Connection) : WhyQuestion;

    /// <summary>May a machine have a volume.</summary>
    public sealed record Disk(VolumeRef Volume, CompartmentRef Machine) : WhyQuestion;

    /// <summary>May a machine run on a host.</summary>
    public sealed record Place(CompartmentRef Machine, HostRef Host) : WhyQuestion;

    /// <summary>Whether the question is about something of a tenant's.</summary>
    public bool Concerns(PartyId tenant) => this switch
    {
        Flow flow => flow.Connection.From.Tenant == tenant || flow.Connection.To.Tenant == tenant,
        Disk disk => disk.Volume.Tenant == tenant || disk.Machine.Tenant == tenant,
        Place place => place.Machine.Tenant == tenant,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>A question as it is asked of a host; two or three references, tenant ids for names.</summary>
/// <param name="Form"><c>flow</c>, <c>volume</c> or <c>place</c>.</param>
/// <param name="From">The client's machine, the volume, or the machine to be placed.</param>
/// <param name="To">The server's machine, the machine that has the volume, or the host.</param>
/// <param name="Service"><c>tcp/443</c>, <c>udp/53</c> or <c>icmp</c> of a flow; else empty.</param>
public sealed record AskedWhy(string Form, string From, string To, string Service)
{
    /// <summary>The form of a question about a flow.</summary>
    public const string FlowForm = "flow";

    /// <summary>The form of a question about a volume.</summary>
    public const string VolumeForm = "volume";

    /// <summary>The form of a question about a machine's place.</summary>
    public const string PlaceForm = "place";

    /// <summary>Reads the whole question; null where a part of it is none.</summary>
    public WhyQuestion? Read() => (Form, Reference(From), Reference(To)) switch
    {
        (FlowForm, { } from, { } to) when TraceQuestion.TryParseService(Service, out var protocol, out var port) =>
            new WhyQuestion.Flow(new TraceQuestion(
                new CompartmentRef(from.Party, from.Name), new CompartmentRef(to.Party, to.Name), protocol, port)),
        (VolumeForm, { } volume, { } machine) when Service.Length == 0 => new WhyQuestion.Disk(
            new VolumeRef(volume.Party, volume.Name), new CompartmentRef(machine.Party, machine.Name)),
        (PlaceForm, { } machine, { } host) when Service.Length == 0 => new WhyQuestion.Place(
            new CompartmentRef(machine.Party, machine.Name), new HostRef(host.Party, host.Name)),
        _ => null,
    };

    private static (PartyId Party, StatementName Name)? Reference(string text) =>
        text.Split('/') is [var party, var name] && PartyId.TryParse(party, out var id)
        && StatementName.TryParse(name, out var parsed) ? (id, parsed) : null;
}
