using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Custody.Signing;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A policy of the bank as the operator would like it: the next revision of bank/ledger, well formed, with a door for
/// the hospital's machines, signed by all of the operator's own keys.
/// </summary>
internal sealed class ForgeryAct(DemoStage stage)
{
    internal async Task<DemoCheck> Play(CancellationToken cancellation)
    {
        using BoardDesk desk = stage.Deployment.Board(stage.Deployment.Desks.Operator.Facts.Name.Text);
        byte[] forged = Forge();
        PostOutcome? outcome = null;
        string refusal;
        try
        {
            outcome = await desk.Board.Publish([forged], cancellation).ConfigureAwait(false);
            refusal = outcome is PostOutcome.Refused refused
                ? string.Join("; ", refused.Refusals.Select(r => $"{r.Code}: {r.Sentence}")) : "accepted";
        }
        catch (BoardException answer)
        {
            refusal = answer.Message;
        }

        return new DemoCheck("the board does not take the operator's forged policy",
            outcome is not PostOutcome.Published, refusal);
    }

    /// <summary>The forged envelope.</summary>
    internal byte[] Forge()
    {
        using StatementFolder bank = stage.Deployment.Desks.Folder("bank");
        VerifiedStatement real = bank.Book.Current(StatementKind.Domain).Single(s => s.Name.Text == "ledger");
        JsonObject body = JsonNode.Parse(Encoding.UTF8.GetBytes(real.Body.GetRawText()))?.AsObject()
            ?? throw new InvalidOperationException("a statement's body is an object");
        PartyId hospital = stage.Deployment.Desks.Desks["hospital"].Facts.Id
            ?? throw new InvalidOperationException("the hospital has an id");
        body["flows"]?["accepts"]?.AsArray().Add(new JsonObject
        {
            ["from"] = $"{hospital}/records",
            ["network"] = new JsonObject { ["protocol"] = "tcp", ["ports"] = new JsonArray(5432) },
        });
        byte[] payload = StatementPayload.Compose(
            StatementKind.Domain, real.Owner, real.Name, real.Revision + 1, real.Digest,
            TimeProvider.System.GetUtcNow(), JsonElement.Parse(body.ToJsonString()));
        IReadOnlyList<EcdsaSigner> keys = stage.Deployment.Desks.Operator.OpenRoots(3);
        return EnvelopeWriter.Sign(payload, [.. keys]);
    }
}
