using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
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

    /// <summary>Follows a packet, and writes what a reader may see of its way.</summary>
    /// <param name="plans">The plans of the hosts that have a part in it.</param>
    /// <param name="question">The connection.</param>
    /// <param name="datacentre">The policies, for names and for what they do not say.</param>
    /// <param name="reader">
    /// The tenant who reads: it sees steps of the domains that it may know (<see cref="DomainSight"/>). Of any other
    /// machine it is told the same, whether there is one or not. Null for the whole.
    /// </param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <returns>Null where neither machine is the reader's.</returns>
    public static TraceReport? For(
        IEnumerable<HostPlan> plans, TraceQuestion question, CheckedDatacentre datacentre, PartyId? reader,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(datacentre);
        if (reader is not null && question.From.Tenant != reader && question.To.Tenant != reader)
        {
            return null;
        }

        var sight = reader is null ? null : TenantSight.Of(datacentre, reader);
        if (reader is not null && !(Sees(question.From) && Sees(question.To)))
        {
            return WithStranger(plans, question, datacentre, reader);
        }

        var trace = Tracer.Run(plans, question);
        var missing = trace.IsOpen ? [] : MissingTerms.Of(datacentre, question, now);
        return new TraceReport(
            Name(datacentre, question.From), Name(datacentre, question.To), question.Service, trace.Client,
            trace.Server, trace.IsOpen,
            [
                .. trace.Steps.Select(step => step.Owners.All(IsVisible) && NamesNoStranger(step.Sentence)
                    ? Whole(step, datacentre, reader) : Hidden(step.Way, step.Place, step.Passes)),
            ],
            [
                .. trace.Missing.Concat(missing.Select(one => one.Domain is { } domain && !IsVisible(domain)
                    ? OthersPart : one.Sentence)).Select(sentence => NamesNoStranger(sentence) ? sentence : OthersPart)
                    .Distinct(StringComparer.Ordinal),
            ]);

        // Why a flow is closed that both want can be a third domain.
        bool NamesNoStranger(string sentence) => sight?.NamesNoStranger(sentence) is not false;

        bool IsVisible(DomainRef domain) => sight?.Sees(domain) is not false;

        bool Sees(CompartmentRef machine) =>
            machine.Tenant == reader || Domains(datacentre, machine).Any(IsVisible);
    }

    /// <summary>Nothing in it depends on the other machine.</summary>
    private static TraceReport WithStranger(
        IEnumerable<HostPlan> plans, TraceQuestion question, CheckedDatacentre datacentre, PartyId reader)
    {
        var isClient = question.From.Tenant == reader;
        var own = isClient ? question.From : question.To;
        var service = MissingTerms.Service(question);
        return new TraceReport(
            isClient ? Name(datacentre, own) : question.From.ToString(),
            isClient ? question.To.ToString() : Name(datacentre, own), question.Service, "", "", Open: false,
            isClient
                ? [.. Tracer.ToStranger(plans, question).Select(step => Whole(step, datacentre, reader))]
                : [Hidden(TraceWay.Request, TracePlace.Switch, passes: false)],
            [
                .. Domains(datacentre, own).Select(domain => datacentre.Domains.GetValueOrDefault(domain.ToString()))
                    .OfType<DomainModel>().Select(domain => MissingTerms.OfStranger(domain, isClient, own, service)),
                OthersPart,
            ]);
    }

    /// <summary>What is said of a stranger's side.</summary>
    internal const string OthersPart = "What the other owner would have to state, if anything, is " + NotYours + ".";

    private static ImmutableArray<DomainRef> Domains(CheckedDatacentre datacentre, CompartmentRef machine) =>
        datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? [.. FlowMatrix.Domains(model).Distinct()] : [];

    /// <summary>What a plan leaves out can name a third party's domain: a tenant reads what is its own alone.</summary>
    private static ReportedStep Whole(TraceStep step, CheckedDatacentre datacentre, PartyId? reader) => new(
        WireText.Of(step.Way), WireText.Of(step.Place), step.Host.Name.Text,
        [.. step.Owners.Select(owner => datacentre.Domains.TryGetValue(owner.ToString(), out var domain)
            ? Display.Of(domain) : owner.Name.Text)],
        step.Rule, step.Passes,
        string.Join(" ", step.Withheld
            .Where(why => reader is null || why.Because.All(origin => origin.Owner == reader))
            .Select(why => why.Sentence).Prepend(step.Sentence)),
        [.. step.Because.Select(origin => origin.ToString())]);

    private static ReportedStep Hidden(TraceWay way, TracePlace place, bool passes) => new(
        WireText.Of(way), WireText.Of(place), NotYours, [], NotYours, passes, NotYours, []);

    private static string Name(CheckedDatacentre datacentre, CompartmentRef machine) =>
        datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out var model)
            ? Display.Of(model) : machine.ToString();
}

/// <summary>A step of a trace, written out.</summary>
/// <param name="Way">request, answer or error.</param>
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
