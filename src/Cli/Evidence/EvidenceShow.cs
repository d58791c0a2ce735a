using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Bundles;

namespace Bailiwick.Cli.Evidence;

/// <summary><c>bailiwick evidence show</c>: what a bundle says, for people; whether it holds is `verify`'s to say.
/// </summary>
internal static class EvidenceShow
{
    private const string Caution = "All of this is what the bundle says; whether it holds, and for whom, says "
        + "`bailiwick evidence verify`.";

    internal static Command Create(Terminal terminal)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "as `bailiwick evidence fetch` writes it" };
        var command = new Command("show",
            "Show what a bundle of evidence says: host, keys, checkpoint, registers, boot, and each domain's demands.\n"
            + "Example: bailiwick evidence show host-1.bundle") { bundle };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(bundle);
            EvidenceBundle read = EvidenceBundle.Read(EvidenceFile.Read(path, BundleLimits.Bytes), out string fault)
                ?? throw new CustodyException($"{path} is no bundle of evidence. {fault}");
            BundleContents contents = BundleContents.Of(read)
                ?? throw new CustodyException($"The evidence in {path} has not the strict form.");
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(Json(contents));
            }
            else
            {
                Print(terminal, contents);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(Terminal terminal, BundleContents contents)
    {
        terminal.Table(["what", "says"], contents.Facts.Select(fact => (IReadOnlyList<string>)[fact.Name, fact.Text]));
        if (contents.Registers.Count > 0)
        {
            terminal.Table(["register", "value"], contents.Registers.Select(one =>
                (IReadOnlyList<string>)[one.Register.ToString(CultureInfo.InvariantCulture), one.Value]));
        }

        foreach (DomainDemands domain in contents.Domains)
        {
            terminal.Say($"{domain.Origin} accepts {domain.Accepts}; its demands, by the registers as they are given:");
            terminal.Table(["demand", "holds", "events", "why"], domain.Demands.Select(one =>
                (IReadOnlyList<string>)[one.Kind, one.Holds ? "yes" : "NO", one.Events, one.Sentence]));
        }

        if (!contents.Entries.IsEmpty)
        {
            terminal.Say("Of the host's integrity log, what is open to whoever fetched this:");
            terminal.Table(["entry", "kind", "subject"], contents.Entries.Select(one => (IReadOnlyList<string>)
            [
                one.Entry.Sequence.ToString(CultureInfo.InvariantCulture), one.Entry.KindName, one.Entry.Subject,
            ]));
        }

        foreach (string fault in contents.Faults)
        {
            terminal.Complain(fault);
        }

        terminal.Say(Caution);
    }

    private static JsonObject Json(BundleContents contents) => new()
    {
        ["caution"] = Caution,
        ["facts"] = new JsonArray([.. contents.Facts.Select(fact =>
            (JsonNode)new JsonObject { ["what"] = fact.Name, ["says"] = fact.Text })]),
        ["registers"] = new JsonArray([.. contents.Registers.Select(one =>
            (JsonNode)new JsonObject { ["register"] = one.Register, ["value"] = one.Value })]),
        ["domains"] = new JsonArray([.. contents.Domains.Select(domain => (JsonNode)new JsonObject
        {
            ["policy"] = domain.Origin,
            ["accepts"] = domain.Accepts,
            ["demands"] = new JsonArray([.. domain.Demands.Select(one => (JsonNode)new JsonObject
            {
                ["kind"] = one.Kind,
                ["satisfied"] = one.Holds,
                ["events"] = one.Events,
                ["sentence"] = one.Sentence,
            })]),
        })]),
        ["integrityLog"] = new JsonArray([.. contents.Entries.Select(one => (JsonNode)new JsonObject
        {
            ["entry"] = one.Entry.Sequence,
            ["kind"] = one.Entry.KindName,
            ["subject"] = one.Entry.Subject,
        })]),
        ["faults"] = EvidenceFile.Texts(contents.Faults),
    };
}
