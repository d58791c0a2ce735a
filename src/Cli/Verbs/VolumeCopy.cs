using System.CommandLine;
using System.Globalization;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume clone</c>, <c>snapshot</c> and <c>resize</c>: statements of volumes that begin as copies of
/// another, and of one that becomes larger.
/// </summary>
internal static class VolumeCopy
{
    internal static Command Create(Terminal terminal) => Copy(terminal, "clone", VolumeAccess.Write,
        "Write the statement of a volume that begins as a copy of another of its domain, with a key of its own.\n"
        + "Example: bailiwick volume clone bank/web-1-data web-1-spare --policies policies");

    internal static Command CreateSnapshot(Terminal terminal) => Copy(terminal, "snapshot", VolumeAccess.Read,
        "Write the statement of a copy of a volume that no machine may write. It is made when a machine opens it\n"
        + "first, while nobody writes the other.\n"
        + "Example: bailiwick volume snapshot bank/web-1-data web-1-monday --policies policies");

    internal static Command CreateResize(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like bank/web-1-data" };
        var size = new Option<int>("--size-mib") { Description = "its new size in MiB", Required = true };
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("resize",
            "State a larger size; the file becomes longer when a machine opens it next.\n"
            + "Example: bailiwick volume resize bank/web-1-data --size-mib 1024 --policies policies")
        { volume, size });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (party, name) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(volume));
            PolicyDocument document = amendment.Document(StatementKind.Volume, party, name);
            int now = parsed.GetValue(size);
            if (Size(document) is var before && now <= before)
            {
                throw new CustodyException(string.Create(CultureInfo.InvariantCulture,
                    $"{party}/{name} has {before} MiB. A volume only becomes larger: for a smaller one make another."));
            }

            amendment.Apply(document.File, new PolicyEdit.SetMember(
                StatementKind.Volume, name, "sizeMiB", new PolicyNode.Integer(now, 0)));
        }));
        return command;
    }

    private static Command Copy(Terminal terminal, string verb, VolumeAccess access, string description)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like bank/web-1-data" };
        var copy = new Argument<string>("NEW") { Description = "the copy's name, of the same tenant" };
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command(verb, description) { volume, copy });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (party, source) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(volume));
            PolicyDocument document = amendment.Document(StatementKind.Volume, party, source);
            if (!StatementName.TryParse(parsed.GetRequiredValue(copy).Split('/')[^1], out StatementName? name))
            {
                throw new CustodyException($"'{parsed.GetRequiredValue(copy)}' is no name of a volume.");
            }

            List<PolicyMember> members =
            [
                VolumeCreate.Member("domain", VolumeCreate.Text(VolumeCreate.Word(document, "domain", ""))),
                VolumeCreate.Member("sizeMiB", new PolicyNode.Integer(Size(document), 0)),
                VolumeCreate.Member("wipe", VolumeCreate.Text(WireText.Of(WipeMethod.CryptoErase))),
                VolumeCreate.Member("from", new PolicyNode.Members(
                    [VolumeCreate.Member("volume", VolumeCreate.Text(source.Text))], 0)),
            ];
            if (access == VolumeAccess.Read)
            {
                members.Add(VolumeCreate.Member("access", VolumeCreate.Text(WireText.Of(access))));
            }

            VolumeCreate.Append(
                amendment, party, name, VolumeCreate.Word(document, "domain", ""), [.. members]);
        }, "It is made when a machine that has it starts: `bailiwick volume attach`."));
        return command;
    }

    private static long Size(PolicyDocument document) =>
        ((document.Body as PolicyNode.Members)?.Find("sizeMiB") as PolicyNode.Integer)?.Value ?? 0;
}
