using System.CommandLine;
using System.Text.Json;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Demonstration;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab demo</c>: the main job, shown from an empty machine to the last proof.</summary>
internal static class LabDemo
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static Command Create(Terminal terminal)
    {
        var keep = new Option<bool>("--keep") { Description = "leave everything running at the end" };
        var report = new Option<string?>("--report") { Description = "write what was measured to this file, as JSON" };
        var policies = new Option<string>("--policies")
        {
            Description = "directory of policies", DefaultValueFactory = _ => "examples/three-tenants",
        };
        var command = new Command("demo",
            "Show the whole of it: three tenants, three hosts, seven machines, and packets.\n"
            + "Example: bailiwick lab demo --report r.json") { keep, report, policies };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new DemoOptions(
                Desk.Paths(parsed).Root, parsed.GetRequiredValue(policies), parsed.GetValue(keep));
            DemoReport shown = await Stage.Play(
                terminal, audience => new DemoRun(options, audience).Play(cancellation)).ConfigureAwait(false);
            if (parsed.GetValue(report) is { } file)
            {
                await File.WriteAllTextAsync(file, shown.ToJson().ToJsonString(Indented) + "\n", cancellation)
                    .ConfigureAwait(false);
            }

            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(shown.ToJson());
            }
            else
            {
                Stage.Close(terminal, shown, options.Keep);
            }

            return (int)(shown.Passed ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }
}
