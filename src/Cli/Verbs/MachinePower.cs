using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick machine start|stop</c>: whether a machine should run. Starting asks for admission anew.
/// </summary>
internal static class MachinePower
{
    internal static Command Create(Terminal terminal, bool running)
    {
        string word = running ? "start" : "stop";
        var machine = new Argument<string>("MACHINE") { Description = "like bank/web-1" };
        var command = new Command(word,
            $"Let a machine {word}.\nExample: bailiwick machine {word} bank/web-1 --as bank") { machine };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (var book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            string name = parsed.GetRequiredValue(machine);
            if (BoardReader.Reference(book, name) is not { } reference)
            {
                terminal.Complain($"{name} names no machine you can see; `bailiwick status` lists them.");
                return (int)ExitCode.Usage;
            }

            await desk.Board.SetPower(reference, running, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["machine"] = reference, ["running"] = running });
            }
            else
            {
                terminal.Say($"{name} will {word}; `bailiwick status` shows when.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
