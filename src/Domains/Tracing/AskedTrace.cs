using System.Diagnostics.CodeAnalysis;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Tracing;

/// <summary>A question for a trace, as it is asked of a host.</summary>
/// <param name="From">The client's machine, <c>tenant id/name</c>.</param>
/// <param name="To">The server's machine, likewise.</param>
/// <param name="Service"><c>tcp/443</c>, <c>udp/53</c> or <c>icmp</c>.</param>
/// <param name="Ipv6">Over IPv6; else over IPv4, or IPv6 where the two have no IPv4 address both.</param>
public sealed record AskedTrace(string From, string To, string Service, bool Ipv6)
{
    /// <summary>Reads the whole question; false where a part of it is none.</summary>
    public bool TryRead([NotNullWhen(true)] out TraceQuestion? question)
    {
        question = Machine(From) is { } from && Machine(To) is { } to
            && TraceQuestion.TryParseService(Service, out FlowProtocol protocol, out int port)
                ? new TraceQuestion(from, to, protocol, port) { Ipv6 = Ipv6 } : null;
        return question is not null;
    }

    private static CompartmentRef? Machine(string text) =>
        text.Split('/') is [var tenant, var name] && PartyId.TryParse(tenant, out PartyId? id)
        && StatementName.TryParse(name, out StatementName? parsed) ? new CompartmentRef(id, parsed) : null;
}
