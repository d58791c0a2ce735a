using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Tracing;

/// <summary>A trace written out for one reader.</summary>
/// <param name="From">The client's machine.</param>
/// <param name="To">The server's machine.</param>
/// <param name="Service"><c>tcp/443</c>, <c>udp/53</c> or <c>icmp</c>.</param>
/// <param name="Client">The client's address; empty where it has none, or is not the reader's to see.</param>
/// <param name="Server">The server's address; likewise.</param>
/// <param name="Open">Whether the request arrives and the answer comes back.</param>
/// <param name="Steps">What the packet meets, in order.</param>
/// <param name="Missing">What somebody would have to state, where it is dropped.</param>
public sealed record TraceReport(
    string From, string To, string Service, string Client, string Server, bool Open,
    ImmutableArray<ReportedStep> Steps, ImmutableArray<string> Missing)
{
    /// <summary>What stands where something is another owner's.</summary>
    public const string NotYours = "not yours to see";

    /// <summary>Writes a trace for a reader.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="datacentre">The policies, for names and for what they do not say.</param>
    /// <param name="reader">
    /// The tenant who reads: it sees steps of its own domains, and of those with which one of its two ends has an open
    /// flow. Null for the whole.
    /// </param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <returns>Null where neither machine is the reader's.</returns>
    public static TraceReport? For(
        PacketTrace trace, CheckedDatacentre datacentre, PartyId? reader, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(datacentre);
        var question = trace.Question;
        if (reader is not null && question.From.Tenant != reader && question.To.Tenant != reader)
        {
            return null;
        }

        var matrix = FlowMatrix.Of(datacentre);
        var missing = trace.IsOpen ? [] : MissingTerms.Of(datacentre, question, now);
        return new TraceReport(
            Name(datacentre, question.From), Name(datacentre, question.To), question.Service,
            Sees(question.From) ? trace.Client : "", Sees(question.To) ? trace.Server : "", trace.IsOpen,
            [.. trace.Steps.Select(step => step.Owners.All(IsVisible) ? Whole(step, datacentre) : Hidden(step))],
            [
                .. trace.Missing.Where(_ => Sees(question.From) && Sees(question.To)),
                .. missing.Select(one => one.Domain is { } domain && !IsVisible(domain)
                    ? $"What {one.Writer} would have to state, if anything, is {NotYours}."
                    : one.Peer is { } peer && !IsVisible(peer.Ref) ? one.SentenceWithoutPeer : one.Sentence)
                    .Distinct(StringComparer.Ordinal),
            ]);

        bool IsVisible(DomainRef domain) => reader is null || domain.Tenant == reader
            || Ends().Any(end => end.Tenant == reader && matrix.Joins(end, domain));

        IEnumerable<DomainRef> Ends() => Of(question.From).Concat(Of(question.To));

        IEnumerable<DomainRef> Of(CompartmentRef machine) =>
            datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
                ? FlowMatrix.Domains(model) : [];

        bool Sees(CompartmentRef machine) =>
            reader is null || machine.Tenant == reader || Of(machine).Any(IsVisible);
    }

    private static ReportedStep Whole(TraceStep step, CheckedDatacentre datacentre) => new(
        WireText.Of(step.Way), WireText.Of(step.Place), step.Host.Name.Text,
        [.. step.Owners.Select(owner => datacentre.Domains.TryGetValue(owner.ToString(), out var domain)
            ? Display.Of(domain) : owner.Name.Text)],
        step.Rule, step.Passes, step.Sentence, [.. step.Because.Select(origin => origin.ToString())]);

    private static ReportedStep Hidden(TraceStep step) => new(
        WireText.Of(step.Way), WireText.Of(step.Place), NotYours, [], NotYours, step.Passes, NotYours, []);

    private static string Name(CheckedDatacentre datacentre, CompartmentRef machine) =>
        datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? Display.Of(model) : machine.ToString();
}

/// <summary>A step of a trace, written out.</summary>
/// <param name="Way">request or answer.</param>
/// <param name="Place">port, switch, gateway, passage or link.</param>
/// <param name="Host">On which host.</param>
/// <param name="Owners">Whose it is.</param>
/// <param name="Rule">The set, map or device that decides, and the element.</param>
/// <param name="Passes">Whether the packet goes on.</param>
/// <param name="Sentence">Why.</param>
/// <param name="Because">The statements that it follows from.</param>
public sealed record ReportedStep(
    string Way, string Place, string Host, ImmutableArray<string> Owners, string Rule, bool Passes, string Sentence,
    ImmutableArray<string> Because);
