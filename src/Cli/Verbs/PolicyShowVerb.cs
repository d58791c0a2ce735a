using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Drawing;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy show</c>: what policies open, as a table or as a picture.</summary>
internal static class PolicyShowVerb
{
    internal static Command Create(Terminal terminal)
    {
        Argument<string> directory = PolicyFolder.Argument();
        var svg = new Option<string?>("--svg")
        {
            Description = "write a picture of the flows, and of where information can come, into this file",
        };
        var command = new Command("show",
            "Show every open flow between domains; as a picture with --svg.\n"
            + "Example: bailiwick policy show examples/three-tenants --svg flows.svg") { directory, svg };
        command.SetAction(parsed =>
        {
            PolicyFolder folder = PolicyFolder.Read(parsed.GetRequiredValue(directory));
            if (parsed.GetValue(svg) is { } file)
            {
                File.WriteAllText(file, PolicyPicture.Of(folder.Datacentre));
            }

            FlowMatrix matrix = FlowMatrix.Of(folder.Datacentre);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. matrix.Open.Select(Json)]));
            }
            else
            {
                terminal.Table(["from", "to", "what", "clients", "servers or users"], matrix.Open.Select(flow =>
                    (IReadOnlyList<string>)
                    [
                        Name(flow.Sides.Grant.Domain), Name(flow.Sides.Accept.Domain), flow.What,
                        flow.Resource is FlowResource.Network ? Names(flow.Senders) : "", Names(flow.Receivers),
                    ]));
            }

            return (int)(folder.Findings.All(finding => finding.IsNote) ? ExitCode.Done : Warn(terminal, folder));
        });
        return command;
    }

    private static ExitCode Warn(Terminal terminal, PolicyFolder folder)
    {
        terminal.Complain($"There are {Terminal.Count(folder.Findings.Length, "finding")}; what they concern is left "
            + "out here. `bailiwick policy check` lists them.");
        return ExitCode.No;
    }

    private static JsonNode Json(OpenFlow flow) => new JsonObject
    {
        ["from"] = Name(flow.Sides.Grant.Domain), ["to"] = Name(flow.Sides.Accept.Domain), ["what"] = flow.What,
        ["senders"] = new JsonArray([.. flow.Senders.Select(machine => (JsonNode)machine.Name.Text)]),
        ["receivers"] = new JsonArray([.. flow.Receivers.Select(machine => (JsonNode)machine.Name.Text)]),
    };

    private static string Name(DomainModel domain) => $"{domain.Origin.OwnerName}/{domain.Ref.Name}";

    private static string Names(IEnumerable<CompartmentRef> machines) =>
        string.Join(", ", machines.Select(machine => machine.Name.Text));
}
