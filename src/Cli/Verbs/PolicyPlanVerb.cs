using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy plan</c>: what one host must enforce, every line with its reason.</summary>
internal static class PolicyPlanVerb
{
    internal static Command Create(Terminal terminal)
    {
        Argument<string> directory = PolicyFolder.Argument();
        var host = new Option<string>("--host") { Description = "the host's name", Required = true };
        var command = new Command("plan",
            "Print what a host must enforce, with reasons, if machines were placed now.\n"
            + "Example: bailiwick policy plan examples/three-tenants --host host-1") { directory, host };
        command.SetAction(parsed =>
        {
            PolicyFolder folder = PolicyFolder.Read(parsed.GetRequiredValue(directory));
            if (Find(folder.Datacentre, parsed.GetRequiredValue(host)) is not { } found)
            {
                IEnumerable<StatementName> hosts = folder.Datacentre.Inventory.Hosts.Values.Select(h => h.Ref.Name);
                terminal.Complain($"No host is called {parsed.GetValue(host)}; "
                    + (hosts.Any() ? $"there are {string.Join(", ", hosts)}." : "the policies name none."));
                return (int)ExitCode.Usage;
            }

            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            PlacementOutcome placed = PlacementPlanner.Propose(
                folder.Datacentre, [], [], PlacementTrust.Unquestioned, now);
            HostPlan plan = Refine.ForHost(folder.Datacentre, placed.Proposals, found, now);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(PlanJson.Write(plan)) ?? new JsonObject());
            }
            else
            {
                terminal.People.Write(Draw(plan));
                PolicyCheckVerb.Print(terminal, folder.Findings);
            }

            return (int)(folder.Findings.IsEmpty ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static HostRef? Find(CheckedDatacentre datacentre, string name) =>
        StatementName.TryParse(name, out StatementName? parsed)
            ? datacentre.Inventory.Hosts.Values.FirstOrDefault(h => h.Ref.Name == parsed)?.Ref
            : null;

    private static Tree Draw(HostPlan plan)
    {
        var tree = new Tree($"[bold]{Markup.Escape(plan.Host.Name.Text)}[/]");
        foreach (DomainPlan domain in plan.Domains)
        {
            TreeNode node = tree.AddNode(Line("domain", domain.DisplayName, domain.Reason));
            node.AddNode(Line(
                "network", $"{domain.Network.Bridge}, number {domain.Network.Number}"
                    + (domain.Network.Vlan is { } vlan ? $", VLAN {vlan.Number}" : ""), domain.Network.Reason));
            foreach (PeerPlan peer in domain.Network.Peers)
            {
                node.AddNode(Line(
                    "peer", $"{peer.Host.Name} at {peer.UnderlayIpv4}, {WireText.Of(peer.Protection)}", peer.Reason));
            }

            foreach (CompartmentPlan machine in domain.Compartments)
            {
                DrawMachine(node.AddNode(Line("machine", machine.DisplayName, machine.Reason)), machine);
            }

            DrawServices(node, domain);
            if (domain.Gateway is { } gateway)
            {
                TreeNode door = node.AddNode(Line("gateway", gateway.Namespace, gateway.Reason));
                foreach (FlowPlan flow in gateway.Flows)
                {
                    door.AddNode(Line("flow", Text(flow), flow.Reason));
                }
            }
        }

        if (plan.Uplink is { } uplink)
        {
            TreeNode shares = tree.AddNode(Line("uplink", $"{uplink.Mbit} Mbit/s", uplink.Reason));
            foreach (UplinkPart part in uplink.Parts)
            {
                string what = $"{part.Domain.Name} {part.ReserveMbit} to {part.LimitMbit} Mbit/s";
                shares.AddNode(Line("part", what, part.Reason));
            }
        }

        foreach (var refused in plan.Refused)
        {
            TreeNode node = tree.AddNode($"[red]refused[/] {Markup.Escape(refused.Compartment.Name.Text)}");
            node.AddNodes(refused.Refusals.Select(r => Markup.Escape($"{r.Code}: {r.Sentence}")));
        }

        return tree;
    }

    private static string Text(FlowPlan flow)
    {
        string own = string.Join(", ", flow.Own.Select(one =>
            flow.KnownAs(one) is { } known ? $"{one} known as {known}" : one));
        string others = string.Join(", ", flow.Others);
        string ports = string.Join(',', flow.Ports.Select(p => $"{p.First}-{p.Last}"));
        return $"{(flow.Outward ? own : others)} to {(flow.Outward ? others : own)} {flow.Protocol} {ports}";
    }

    private static void DrawServices(TreeNode node, DomainPlan domain)
    {
        foreach (LocalPort port in domain.Network.Ports.Where(one => one.Limit is not null))
        {
            string what = $"{port.Device} {port.Member.Ref.Name.Text} "
                + $"in {port.Limit?.InMbit.ToString() ?? "any"} out {port.Limit?.OutMbit.ToString() ?? "any"} Mbit/s";
            node.AddNode($"[bold]limit[/] {Markup.Escape(what)}");
        }

        if (domain.ServicePoint is { } point)
        {
            TreeNode service = node.AddNode(Line("services", point.Namespace, point.Reason));
            foreach (ServedMachine machine in point.Machines)
            {
                string what = $"{machine.Name} {machine.Mac} {machine.Ipv4} {machine.Ipv6}";
                service.AddNode($"[bold]machine[/] {Markup.Escape(what)}");
            }

            foreach (ServedName name in point.Names)
            {
                string what = $"{string.Join(", ", name.Names)} is {string.Join(", ", name.Addresses)}";
                service.AddNode($"[bold]name[/] {Markup.Escape(what)}");
            }
        }
        else if (domain.AddressServer is { } server)
        {
            node.AddNode($"[bold]services[/] addresses by {Markup.Escape(server.Ref.Name.Text)}");
        }
    }

    private static void DrawMachine(TreeNode node, CompartmentPlan machine)
    {
        node.AddNode(Line("boot", machine.Boot.KernelSha256[..12], machine.Boot.Reason));
        foreach (DiskPlan disk in machine.Disks)
        {
            string how = disk.Encrypted ? "LUKS" : "plain";
            node.AddNode(Line("disk", $"{disk.Target} {disk.Volume.Name} {how}", disk.Reason));
        }

        foreach (PortPlan port in machine.Ports)
        {
            node.AddNode(Line("port", $"{port.Device} {port.Mac} {port.Ipv4} {port.Ipv6}", port.Reason));
        }
    }

    private static string Line(string word, string what, Reason reason) =>
        $"[bold]{word}[/] {Markup.Escape(what)} [grey]{Markup.Escape(reason.Sentence)}[/]";
}
