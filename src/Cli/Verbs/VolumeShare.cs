using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume share</c> and <c>accept</c>: who may have a volume at the same time, and the two halves of the
/// flow without which nobody of another domain has it.
/// </summary>
internal static class VolumeShare
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like bank/ledger-archive" };
        Option<string> sharing = Sharing("who may have it at the same time", VolumeSharing.Readers);
        var with = new Option<string?>("--with")
        {
            Description = "another domain, like regulator/inspection, that is granted it",
        };
        Option<string> access = VolumeAttach.Access();
        access.DefaultValueFactory = _ => WireText.Of(VolumeAccess.Read);
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("share",
            "Let several machines have a volume at once, and grant it to another domain.\n"
            + "Example: bailiwick volume share bank/ledger-archive --with regulator/inspection --policies policies")
        { volume, sharing, with, access });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (party, name) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(volume));
            PolicyDocument document = amendment.Document(StatementKind.Volume, party, name);
            string shared = parsed.GetRequiredValue(sharing);
            if (VolumeCreate.Word(document, "sharing", WireText.Of(VolumeSharing.Exclusive)) != shared)
            {
                amendment.Apply(document.File, new PolicyEdit.SetMember(
                    StatementKind.Volume, name, "sharing", VolumeCreate.Text(shared)));
            }

            if (parsed.GetValue(with) is { } other)
            {
                StatementName colour = StatementName.Parse(VolumeCreate.Word(document, "domain", ""));
                var to = PolicyAmending.Reference(amendment, other);
                AddTerm(amendment, (party, colour), "grants", Term("to", to, name, parsed.GetRequiredValue(access)));
            }
        }, parsed.GetValue(with) is { } peer
            ? $"It opens once {peer.Split('/')[0]} accepts it: `bailiwick volume accept "
                + $"{parsed.GetRequiredValue(volume)} {peer} --access {parsed.GetRequiredValue(access)}`."
            : null));
        return command;
    }

    internal static Command CreateAccept(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "another's volume, like bank/ledger-archive" };
        var domain = new Argument<string>("DOMAIN") { Description = "the own domain, like regulator/inspection" };
        var from = new Option<string>("--from")
        {
            Description = "the volume's domain, like bank/ledger: what its owner grants it as", Required = true,
        };
        Option<string> access = VolumeAttach.Access();
        access.DefaultValueFactory = _ => WireText.Of(VolumeAccess.Read);
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("accept",
            "Let machines of a domain have a volume that another domain grants: the other half of `volume share`.\n"
            + "Example: bailiwick volume accept bank/ledger-archive regulator/inspection --from bank/ledger "
            + "--policies policies")
        { volume, domain, from, access });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (_, name) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(volume));
            var own = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(domain));
            var lender = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(from));
            AddTerm(amendment, own, "accepts", Term("from", lender, name, parsed.GetRequiredValue(access)));
        }));
        return command;
    }

    /// <summary>The closed words for who may have a volume at the same time.</summary>
    internal static Option<string> Sharing(string meaning, VolumeSharing silent = VolumeSharing.Exclusive)
    {
        var sharing = new Option<string>("--sharing")
        {
            Description = $"{meaning}: {string.Join(", ", WireText.All<VolumeSharing>())}",
            DefaultValueFactory = _ => WireText.Of(silent),
        };
        sharing.AcceptOnlyFromAmong([.. WireText.All<VolumeSharing>()]);
        return sharing;
    }

    private static PolicyNode.Members Term(
        string direction, (string Party, StatementName Name) peer, StatementName volume, string access) => new(
    [
        VolumeCreate.Member(direction, VolumeCreate.Text($"{peer.Party}/{peer.Name}")),
        VolumeCreate.Member("volume", new PolicyNode.Members(
        [
            VolumeCreate.Member("name", VolumeCreate.Text(volume.Text)),
            VolumeCreate.Member("access", VolumeCreate.Text(access)),
        ], 0)),
    ], 0);

    private static void AddTerm(
        PolicyAmendment amendment, (string Party, StatementName Name) domain, string half, PolicyNode.Members term)
    {
        PolicyDocument document = amendment.Document(StatementKind.Domain, domain.Party, domain.Name);
        bool has = (document.Body as PolicyNode.Members)?.Find("flows") is not null;
        string other = half == "grants" ? "accepts" : "grants";
        amendment.Apply(document.File, has
            ? new PolicyEdit.AddItem(StatementKind.Domain, domain.Name, ["flows", half], term)
            : new PolicyEdit.SetMember(StatementKind.Domain, domain.Name, "flows", new PolicyNode.Members(
            [
                VolumeCreate.Member(half, new PolicyNode.Items([term], 0)),
                VolumeCreate.Member(other, new PolicyNode.Items([], 0)),
            ], 0)));
    }
}
