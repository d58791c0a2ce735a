using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab exec</c>: runs a program inside a host of the lab, as root there would.</summary>
internal static class LabExec
{
    internal static Command Create(Terminal terminal)
    {
        var place = new Argument<string>("HOST") { Description = "a host, or a service like master" };
        var argv = new Argument<string[]>("COMMAND") { Description = "the program and its arguments, after --" };
        var command = new Command("exec",
            "Run a program inside a host of the lab.\nExample: bailiwick lab exec host-1 -- virsh list --all")
        { place, argv };
        command.SetAction(async (parsed, cancellation) =>
        {
            LabDatacentre lab = await LabDatacentre.Attach(new LabOptions(Desk.Paths(parsed).Root), cancellation)
                .ConfigureAwait(false);
            string name = parsed.GetRequiredValue(place);
            LabSpace space = lab.Services.FirstOrDefault(s => s.Name == name) ?? lab.Host(name);
            LabProgramResult result = await space.Run(
                parsed.GetRequiredValue(argv), timeout: TimeSpan.FromMinutes(10), cancellation: cancellation)
                .ConfigureAwait(false);
            terminal.Print(result.Output.TrimEnd('\n'));
            if (result.Error.Length > 0)
            {
                await Console.Error.WriteAsync(result.Error).ConfigureAwait(false);
            }

            return result.ExitCode;
        });
        return command;
    }
}
