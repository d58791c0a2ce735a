using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick ledger verify</c>: hashes the whole log again and judges the board's signed root by it; with somebody
/// else's checkpoint, also whether both were shown one history.
/// </summary>
internal static class LedgerVerify
{
    private const int PageSize = 256;
    private const int MaximumPages = 4096;

    internal static Command Create(Terminal terminal)
    {
        var compare = new Option<string?>("--compare") { Description = "file with a checkpoint somebody else holds" };
        var save = new Option<string?>("--save") { Description = "write the board's checkpoint to this file" };
        var command = new Command("verify",
            "Verify the log: every leaf, every statement shown to you, the signed root.\n"
            + "Example: bailiwick ledger verify --as bank --compare regulator.checkpoint") { compare, save };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (LedgerReading reading, string note) = await Read(desk, cancellation).ConfigureAwait(false);
            List<string> faults = [.. reading.Faults];
            NoteKey key = LogKey(desk);
            Judge(reading, "the board's checkpoint", note, key, faults);
            if (parsed.GetValue(compare) is { } other)
            {
                string held = await File.ReadAllTextAsync(other, cancellation).ConfigureAwait(false);
                Judge(reading, other, held, key, faults);
            }

            if (parsed.GetValue(save) is { } path && faults.Count == 0)
            {
                await File.WriteAllTextAsync(path, note, cancellation).ConfigureAwait(false);
            }

            Report(terminal, reading, faults, parsed.GetValue(GlobalOptions.Json));
            return (int)(faults.Count == 0 ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    /// <summary>The whole log, verified, and the signed checkpoint that it was verified against.</summary>
    /// <exception cref="CustodyException">Something is wrong with it.</exception>
    internal static async Task<(LedgerReading Reading, string Note)> ReadVerified(
        BoardDesk desk, CancellationToken cancellation)
    {
        (LedgerReading reading, string note) = await Read(desk, cancellation).ConfigureAwait(false);
        List<string> faults = [.. reading.Faults];
        Judge(reading, "the board's checkpoint", note, LogKey(desk), faults);
        return faults.Count == 0
            ? (reading, note)
            : throw new CustodyException($"The log does not hold: {string.Join("; ", faults)}");
    }

    private static async Task<(LedgerReading Reading, string Note)> Read(
        BoardDesk desk, CancellationToken cancellation)
    {
        var reading = new LedgerReading();
        for (int page = 0; page < MaximumPages; page++)
        {
            EntriesPage entries =
                await desk.Board.Entries(reading.Size, PageSize, cancellation).ConfigureAwait(false);
            long before = reading.Size;
            foreach (BoardEntry entry in entries.Entries)
            {
                reading.Take(entry);
            }

            if (entries.Entries.Length < PageSize || reading.Size == before)
            {
                return (reading, entries.Checkpoint);
            }
        }

        throw new CustodyException(
            $"The log has more than {MaximumPages * PageSize} leaves; this command reads no more.");
    }

    /// <summary>A checkpoint holds when it is signed by the log and its root is the one hashed here.</summary>
    private static void Judge(LedgerReading reading, string name, string note, NoteKey key, List<string> faults)
    {
        switch (Checkpoint.Open(Encoding.UTF8.GetBytes(note), key, key.Name))
        {
            case CheckpointVerdict.Refused refused:
                faults.Add($"{name}: {refused.Sentence}");
                break;
            case CheckpointVerdict.Opened opened when reading.RootAt(opened.Checkpoint.Size) is not { } root:
                faults.Add($"{name} is of {opened.Checkpoint.Size} leaves, and the board shows only {reading.Size}: "
                    + "the log was rolled back, or leaves are withheld");
                break;
            case CheckpointVerdict.Opened opened when reading.RootAt(opened.Checkpoint.Size) != opened.Checkpoint.Root:
                faults.Add($"{name} has another root over the same {opened.Checkpoint.Size} leaves: the log has "
                    + "forked; keep both checkpoints, they prove it");
                break;
            case CheckpointVerdict.Opened:
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>The key of the log, as the context pins it.</summary>
    internal static NoteKey LogKey(BoardDesk desk) =>
        PublicKey.TryParseBase64(desk.Context.Log.Key, out PublicKey? key)
            ? NoteKey.Of(desk.Context.Log.Origin, key)
            : throw new CustodyException("The context's log key is none; get it from the operator's root statement.");

    private static void Report(Terminal terminal, LedgerReading reading, List<string> faults, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["verdict"] = faults.Count == 0 ? "ok" : "reject", ["leaves"] = reading.Size,
                ["opened"] = reading.Opened, ["faults"] = new JsonArray([.. faults.Select(f => (JsonNode)f)]),
            });
            return;
        }

        foreach (string fault in faults)
        {
            terminal.Complain(fault);
        }

        terminal.Say(faults.Count == 0
            ? $"{reading.Size} leaves hash to the signed root; the {reading.Opened} shown to you hold statements "
                + "that hold."
            : $"The log does not hold: {Terminal.Count(faults.Count, "fault")}.");
    }
}
