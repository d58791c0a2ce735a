using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key receipt prove</c>: puts into a receipt what proves that the ledger has it.</summary>
internal static class KeyReceiptProve
{
    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "a receipt; the proof is put into it" };
        ReceiptOptions options = new();
        Command command = options.AddTo(new Command("prove",
            "Find a receipt in the ledger, and put the proof of it into the file: then nobody needs the ledger.\n"
            + "Example: bailiwick key receipt prove erased.json --keys keys/bank --as bank")
        { file });
        command.SetAction(async (parsed, cancellation) =>
        {
            PublicKey service = options.ServiceKey(parsed);
            string path = Path.GetFullPath(parsed.GetRequiredValue(file));
            byte[] bytes = ReceiptOptions.Read(path);
            byte[] receipt = ProvenReceipt.ReceiptOf(bytes) ?? bytes;
            if (ErasureReceipt.Verify(receipt, service, out string fault) is not { } read)
            {
                terminal.Complain($"This is no receipt of that key service. {fault}");
                return (int)ExitCode.No;
            }

            using BoardDesk desk = Desk.Open(parsed);
            if (await ReceiptProof.Find(
                desk, receipt, ErasureReceipt.DigestOf(read.Keys), service, cancellation).ConfigureAwait(false)
                is not var (document, leaves))
            {
                terminal.Complain("The ledger does not have this receipt. Ask the key service for the receipt of now "
                    + "with the same approval, and try again.");
                return (int)ExitCode.No;
            }

            await ReceiptOptions.Write(path, document, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["receipt"] = path, ["ledger"] = leaves });
            }
            else
            {
                terminal.Say($"The ledger has it, and {path} proves it: {leaves} leaves hash to the signed root.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
