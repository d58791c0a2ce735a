using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody.Images;
using Bailiwick.Domains.Volumes;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick image import</c>: a disk file of others becomes a raw file with a digest.</summary>
internal static class ImageImportVerb
{
    private const int LargestGib = (int)(DiskImport.LargestBytes >> 30);

    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "raw, qcow2, VMDK (one file) or VDI" };
        var target = new Option<string>("--out")
        {
            Description = "directory for the raw file", DefaultValueFactory = _ => ".",
        };
        var largest = new Option<int>("--largest-gib")
        {
            Description = "refuse larger disks", DefaultValueFactory = _ => LargestGib,
        };
        largest.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() is < 1 or > LargestGib)
            {
                given.AddError($"--largest-gib is a number from 1 to {LargestGib}.");
            }
        });
        var command = new Command("import",
            "Make a raw disk file of a file that somebody brought, and say its digest for an Image statement.\n"
            + "It is judged before any tool sees it, and converted where the tool can do no harm.\n"
            + "Example: bailiwick image import base.qcow2 --out bank/images") { file, target, largest };
        command.SetAction(async (parsed, cancellation) =>
        {
            Progress told = new(terminal, silent: parsed.GetValue(GlobalOptions.Json));
            // A thread of its own: what it starts dies with it.
            ImportOutcome outcome = await Task.Factory.StartNew(
                () => new ImageImport(new ConfinedConverter()).Run(
                    Path.GetFullPath(parsed.GetRequiredValue(file)),
                    Path.GetFullPath(parsed.GetRequiredValue(target)),
                    (long)parsed.GetValue(largest) << 30, told.Tell, cancellation),
                cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            return (int)(outcome switch
            {
                ImportOutcome.Imported made => Show(terminal, parsed.GetValue(GlobalOptions.Json), made),
                ImportOutcome.Refused refused => Show(terminal, parsed.GetValue(GlobalOptions.Json), refused),
                _ => throw new System.Diagnostics.UnreachableException(),
            });
        });
        return command;
    }

    private static ExitCode Show(Terminal terminal, bool json, ImportOutcome.Imported made)
    {
        string format = made.Format?.ToString().ToLowerInvariant() ?? "raw";
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["file"] = made.File, ["sha256"] = made.Sha256, ["sizeMiB"] = made.SizeMib, ["format"] = format,
                ["paddingBytes"] = made.Padding,
            });
            return ExitCode.Done;
        }

        terminal.Table(["image", made.File],
        [
            ["read as", format],
            ["size", $"{made.SizeMib} MiB" + (made.Padding > 0 ? $", of which {made.Padding} zeros at the end" : "")],
            ["sha256", made.Sha256],
            ["statement", $"disk: {{sha256: {made.Sha256}, sizeMiB: {made.SizeMib}}}"],
        ]);
        return ExitCode.Done;
    }

    private static ExitCode Show(Terminal terminal, bool json, ImportOutcome.Refused refused)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["refusals"] = new JsonArray([.. refused.Reasons.Select(one => (JsonNode)new JsonObject
                {
                    ["code"] = Code(one), ["sentence"] = one.Sentence,
                })]),
            });
        }
        else
        {
            terminal.Complain("The file is refused; no tool has read it.");
            foreach (DiskRefusal one in refused.Reasons)
            {
                terminal.Complain($"  {one.Sentence} [{Code(one)}]");
            }
        }

        return ExitCode.No;
    }

    private static string Code(DiskRefusal one) => JsonNamingPolicy.KebabCaseLower.ConvertName(one.Code.ToString());

    /// <summary>A line for each tenth of each step, on standard error.</summary>
    private sealed class Progress(Terminal terminal, bool silent)
    {
        private (string Step, int Tenth) _last = ("", -1);

        internal void Tell(string step, double done)
        {
            (string Step, int Tenth) now = (step, (int)(done * 10));
            if (!silent && now != _last)
            {
                _last = now;
                terminal.Aside.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step} {now.Tenth * 10} %"));
            }
        }
    }
}
