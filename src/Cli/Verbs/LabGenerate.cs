using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Lab.Datacentres;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab generate</c>: the policies of a datacentre drawn by a seed, to try things on.</summary>
internal static class LabGenerate
{
    internal static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("DIR") { Description = "a new directory, for one subdirectory a party" };
        Option<int> domains = Size("--domains", "trusted virtual domains, of one tenant for every four", 8);
        Option<int> machines = Size("--machines", "machines, at least one for each domain", 24);
        Option<int> hosts = Size("--hosts", "hosts", 3);
        Option<int> flows = Size("--flows", "network flows that each domain grants", 6);
        Option<int> seed = Size("--seed", "which of all those; equal seeds and sizes give equal policies", 1);
        var command = new Command("generate",
            "Write the policies of a datacentre that a seed draws: few domains with many machines and many with few,\n"
            + "and some flows that only one side wants.\n"
            + "Example: bailiwick lab generate drawn --domains 200 --machines 2000 --hosts 20\n"
            + "Then: bailiwick policy check drawn; bailiwick policy show drawn --svg drawn.svg")
        {
            directory, domains, machines, hosts, flows, seed,
        };
        command.SetAction(parsed =>
        {
            var shape = new DatacentreShape(
                parsed.GetValue(domains), parsed.GetValue(machines), parsed.GetValue(hosts), parsed.GetValue(flows),
                parsed.GetValue(seed));
            if (shape.Obstacle is { } obstacle)
            {
                throw new CustodyException(obstacle);
            }

            string root = parsed.GetRequiredValue(directory);
            int files = Write(new GeneratedDatacentre(shape), root);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["directory"] = root, ["tenants"] = shape.Tenants, ["files"] = files });
            }
            else
            {
                terminal.Say($"{root}: {Terminal.Count(files, "file")} of {Terminal.Count(shape.Tenants, "tenant")} "
                    + $"and the operator. Next: `bailiwick policy check {root}`, or, if this machine has room for its "
                    + $"machines, `bailiwick lab up {root}`.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Option<int> Size(string name, string what, int usual) =>
        new(name) { Description = what, DefaultValueFactory = _ => usual };

    /// <summary>Nothing of an older datacentre may stay beside the new one: it would be part of it.</summary>
    private static int Write(GeneratedDatacentre drawn, string root)
    {
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
        {
            throw new CustodyException($"{root} is not empty; name a new directory, or remove what is in it.");
        }

        return drawn.Write(root);
    }
}
