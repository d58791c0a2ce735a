using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Checks what domains demand of where their information may come.</summary>
internal static class InformationChecks
{
    /// <summary>Says which demands would be violated and are held by closing flows, and which contradict the domain's
    /// own flows. Nothing is left out.</summary>
    public static void Run(StatementSet statements, CheckedDatacentre datacentre, FlowMatrix matrix)
    {
        foreach (var violation in matrix.Information.Violations())
        {
            statements.Note(
                violation.By.Origin, violation.Code, violation.Pointer, violation.Sentence(_ => true));
        }

        foreach (var domain in datacentre.Domains.Values.Where(domain => !domain.Information.IsNone))
        {
            foreach (var (pointer, named) in domain.Information.Named())
            {
                Known(statements, datacentre, domain, pointer, named);
            }

            Contradictions(statements, domain);
        }
    }

    /// <summary>A name that is written wrongly would rule out nothing.</summary>
    private static void Known(
        StatementSet statements, CheckedDatacentre datacentre, DomainModel domain, string pointer, DomainRef named)
    {
        if (!datacentre.Domains.ContainsKey(named.ToString()) && statements.Knows(named.Tenant)
            && !statements.Declares(StatementKind.Domain, named.Tenant, named.Name))
        {
            var near = Quoted.Nearest(named.Name.Text, statements.Names(StatementKind.Domain, named.Tenant));
            statements.Note(
                domain.Origin, FindingCode.UnknownDomain, pointer,
                $"That tenant has no domain {named.Name}" + (near is null ? "." : $"; did you mean {near}?"));
        }
    }

    private static void Contradictions(StatementSet statements, DomainModel domain)
    {
        var demand = domain.Information;
        foreach (var (term, isAccepted) in domain.Grants.Select(term => (term, false))
            .Concat(domain.Accepts.Select(term => (term, true))))
        {
            var isBorrowed = isAccepted && term.Resource is FlowResource.Volume { Access: VolumeAccess.Read };
            var rule = demand.NotTo.Contains(term.Peer) && !isBorrowed ? "notTo"
                : demand.Conflicts.Any(one => one.With.Contains(term.Peer)) ? "conflicts" : null;
            if (rule is not null)
            {
                statements.Note(
                    domain.Origin, FindingCode.InformationContradicts, term.Pointer,
                    $"This flow is of a domain that information.{rule} of the same statement rules out, so it never "
                    + "opens. Keep one of the two.");
            }
        }
    }
}
