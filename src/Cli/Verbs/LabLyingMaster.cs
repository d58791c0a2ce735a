using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Demonstration;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab lying-master</c>: what the demonstration puts in the Master's place.</summary>
internal static class LabLyingMaster
{
    internal static Command Create()
    {
        var script = new Argument<string>("SCRIPT") { Description = "what it serves" };
        var command = new Command("lying-master", "Serve a forged log (the demonstration's attack).")
        {
            script,
        };
        command.Hidden = true;
        command.SetAction(async (parsed, cancellation) =>
        {
            await LyingBoard.Serve(parsed.GetRequiredValue(script), cancellation).ConfigureAwait(false);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
