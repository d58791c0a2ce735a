using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Demonstration;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab down</c>: ends a lab, whatever state it is in.</summary>
internal static class LabDown
{
    internal static Command Create(Terminal terminal)
    {
        var command = new Command("down", "End the lab and all it started.\nExample: bailiwick lab down");
        command.SetAction(async (parsed, cancellation) =>
        {
            string root = Desk.Paths(parsed).Root;
            await Stage.Play(terminal, async audience =>
            {
                audience.Act("Ending the lab");
                await LabDatacentre.Down(root, new StepProgress(audience), cancellation).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
            terminal.Say("Nothing of the lab runs any more.");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
