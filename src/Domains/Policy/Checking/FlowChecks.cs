using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Checks flows against the peers' policies, and what needs a flow against those that are open.</summary>
internal static class FlowChecks
{
    /// <summary>Leaves out machines that would join two domains that no open flow joins.</summary>
    public static ImmutableSortedDictionary<string, CompartmentModel> WithoutUnjoined(
        StatementSet statements, CheckedDatacentre draft, MachineRegister register,
        ImmutableSortedDictionary<string, CompartmentModel> machines)
    {
        foreach (var machine in MachineRegister.InOrder(register.Joining, machines))
        {
            if (!Joined(statements, draft.Index.Flows, machine))
            {
                machines = machines.Remove(machine.Ref.ToString());
            }
        }

        return machines;
    }

    /// <summary>Checks every term, group and conflict. Nothing is left out: what does not meet is closed.</summary>
    public static void Run(
        StatementSet statements, CheckedDatacentre datacentre, MachineRegister register, DomainNotes notes)
    {
        var matrix = datacentre.Index.Flows;
        foreach (var side in matrix.Unmet)
        {
            Unmet(statements, matrix, notes, side);
        }

        // What a demand on information closes is told by its own check, at the demand.
        foreach (var conflict in matrix.Conflicts.Where(one => one.Code != FindingCode.InformationReaches))
        {
            statements.Note(
                conflict.Judge.Domain.Origin, conflict.Code, conflict.Judge.Term.Pointer,
                    conflict.Sentence);
        }

        var members = datacentre.Index.Members;
        foreach (var domain in datacentre.Domains.Values)
        {
            var crew = members.Crew(domain.Ref);
            notes.Terms(
                statements, domain, crew, () => NamesItsOwn(domain, crew), () => Terms(statements, members, domain));
        }

        InformationChecks.Run(statements, datacentre, matrix);
        VolumeChecks.Run(statements, datacentre, register, matrix);
    }

    /// <summary>Whether all whom its terms and groups name are its members: else others' statements tell what they
    /// are, as they do of volumes that it lends.</summary>
    private static bool NamesItsOwn(DomainModel domain, DomainCrew crew) =>
        domain.Grants.All(term => term.Resource is not FlowResource.Volume)
        && domain.Grants.Concat(domain.Accepts).SelectMany(term => term.Machines ?? [])
            .All(name => domain.Groups.ContainsKey(name) || crew.Names.Contains(name))
        && domain.Groups.Values.All(group => group.All(machine => crew.Names.Contains(machine.Text)))
        && (domain.Services.Addresses is not AddressService.Machine server || crew.Names.Contains(server.Name.Text));

    private static void Terms(StatementSet statements, DomainMembers members, DomainModel domain)
    {
        Groups(statements, members, domain);
        foreach (var term in domain.Grants.Concat(domain.Accepts))
        {
            Machines(statements, members, domain, term);
            OfAddressService(statements, domain, term);
        }

        Lending(statements, domain);
    }

    private static bool Joined(StatementSet statements, FlowMatrix flows, CompartmentModel machine)
    {
        var holds = true;
        var domains = FlowMatrix.Domains(machine).ToArray();
        for (var i = 0; i < domains.Length; i++)
        {
            for (var j = i + 1; j < domains.Length; j++)
            {
                if (!flows.Joins(domains[i], domains[j]))
                {
                    holds = false;
                    statements.Reject(
                        machine.Origin, FindingCode.DomainsNotJoined, $"/nics/{j}/domain",
                        $"The machine would join {domains[i].Name} and {domains[j].Name}, which no open flow joins. "
                        + (flows.Conflicts.FirstOrDefault(one => one.IsBetween(domains[i], domains[j])) is { } closed
                            ? closed.Sentence
                            : "Open one in both domains' policies, or remove a port."));
                }
            }
        }

        return holds;
    }

    private static void Unmet(StatementSet statements, FlowMatrix matrix, DomainNotes notes, FlowSide side)
    {
        var peer = side.Term.Peer;
        if (matrix.Described(peer) is { } domain)
        {
            var (own, other) = (FlowMatrix.Display(side.Domain), FlowMatrix.Display(domain));
            notes.Unmet(statements, side, domain, () => statements.Note(
                side.Domain.Origin, side.IsGrant ? FindingCode.FlowNotAccepted : FindingCode.FlowNotGranted,
                side.Term.Pointer,
                side.IsGrant
                    ? $"{own} grants this, but {other} does not accept it, so it is closed."
                    : $"{own} accepts this, but {other} does not grant it, so it is closed."));
        }
        else if (statements.Knows(peer.Tenant))
        {
            var near = Quoted.Nearest(peer.Name.Text, statements.Names(StatementKind.Domain, peer.Tenant));
            var known = statements.Declares(StatementKind.Domain, peer.Tenant, peer.Name);
            statements.Note(
                side.Domain.Origin, known ? FindingCode.DependsOnLeftOut : FindingCode.UnknownFlowPeer,
                side.Term.Pointer,
                known
                    ? $"The domain {peer.Name} has findings of its own and is left out, so this is closed."
                    : $"That tenant has no domain {peer.Name}" + (near is null ? "." : $"; did you mean {near}?"));
        }
    }

    private static void Groups(StatementSet statements, DomainMembers members, DomainModel domain)
    {
        foreach (var (group, machines) in domain.Groups)
        {
            if (machines.Length == 0)
            {
                statements.Note(
                    domain.Origin, FindingCode.EmptyGroup, $"/groups/{group}",
                    $"The group {group} has no members, so a flow for it is for nobody.");
            }

            for (var i = 0; i < machines.Length; i++)
            {
                if (!members.Has(domain.Ref, machines[i].Text))
                {
                    Stranger(statements, domain, machines[i].Text, $"/groups/{group}/{i}");
                }
            }
        }

        if (domain.Services.Addresses is AddressService.Machine server && !members.Has(domain.Ref, server.Name.Text))
        {
            Stranger(statements, domain, server.Name.Text, "/services/addresses/machine");
        }
    }

    private static void Machines(StatementSet statements, DomainMembers members, DomainModel domain, FlowTerm term)
    {
        var chosen = term.Machines ?? [];
        for (var i = 0; i < chosen.Length; i++)
        {
            var (isGroup, isMachine) = (
                domain.Groups.ContainsKey(chosen[i]), members.Has(domain.Ref, chosen[i]));
            if (isGroup && isMachine)
            {
                statements.Note(
                    domain.Origin, FindingCode.AmbiguousMember, $"{term.Pointer}/machines/{i}",
                    $"{chosen[i]} is both a group and a machine of the domain, so it is nobody. Rename one.");
            }
            else if (!isGroup && !isMachine)
            {
                Stranger(statements, domain, chosen[i], $"{term.Pointer}/machines/{i}");
            }
        }
    }

    /// <summary>
    /// Who answers there is told by the domain's services and by nothing else (RFC 2131, RFC 8415): a machine's port
    /// drops such answers, and what is sent to clients, whatever flow is open.
    /// </summary>
    private static void OfAddressService(StatementSet statements, DomainModel domain, FlowTerm term)
    {
        if (term.Resource is not FlowResource.Network { Protocol: FlowProtocol.Udp } network)
        {
            return;
        }

        var named = AddressService.Ports.Where(port =>
            network.Ports.Any(range => range.First <= port.Number && port.Number <= range.Last)).ToArray();
        if (named.Length == 0)
        {
            return;
        }

        var who = domain.Services.Addresses switch
        {
            AddressService.Nobody => "nobody",
            AddressService.EachHost => "each machine's own host",
            AddressService.Machine machine => $"the machine {machine.Name}, and to this domain's machines alone",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        statements.Note(
            domain.Origin, FindingCode.FlowOfAddressService, $"{term.Pointer}/network/ports",
            $"{string.Join(", ", named.Select(port => $"udp/{port.Number} over {port.Family}"))} is where machines are "
            + $"told their addresses. In {FlowMatrix.Display(domain)} they are told by {who} (services.addresses); "
            + "what a machine says there in another's place is dropped at its port, so this is never answered. Leave "
            + "the ports out.");
    }

    private static void Stranger(StatementSet statements, DomainModel domain, string name, string pointer)
    {
        var machine = StatementName.TryParse(name, out var parsed) ? parsed : null;
        var declared = machine is not null
            && statements.Declares(StatementKind.Compartment, domain.Ref.Tenant, machine);
        if (declared && machine is not null && !statements.Has(StatementKind.Compartment, domain.Ref.Tenant, machine))
        {
            // It is left out with findings of its own; to say so here too would not help.
            return;
        }

        var near = Quoted.Nearest(
            name, statements.Names(StatementKind.Compartment, domain.Ref.Tenant).Concat(domain.Groups.Keys));
        statements.Note(
            domain.Origin, FindingCode.NotAMember, pointer,
            declared
                ? $"The machine {name} is no member of this domain, so it is nobody here."
                : $"There is no machine {name} in this domain, so it is nobody"
                    + (near is null || near == name ? "." : $"; did you mean {near}?"));
    }

    private static void Lending(StatementSet statements, DomainModel domain)
    {
        foreach (var term in domain.Grants)
        {
            if (term.Resource is FlowResource.Volume lent
                && !statements.Declares(StatementKind.Volume, domain.Ref.Tenant, lent.Name))
            {
                statements.Note(
                    domain.Origin, FindingCode.UnknownVolume, $"{term.Pointer}/volume/name",
                    statements.Missing(StatementKind.Volume, domain.Ref.Tenant, lent.Name.Text));
            }
        }
    }
}
