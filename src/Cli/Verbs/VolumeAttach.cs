using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick volume attach</c> and <c>detach</c>: which machine's disk a volume is.</summary>
internal static class VolumeAttach
{
    internal static Command Create(Terminal terminal)
    {
        var (volume, machine) = Arguments();
        Option<string> access = Access();
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("attach",
            "Give a machine a volume as a further disk, from its next start on.\n"
            + "Example: bailiwick volume attach bank/web-3-data bank/web-1 --policies policies")
        { volume, machine, access });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (disk, party, document, at) = Disk(
                amendment, parsed.GetRequiredValue(volume), parsed.GetRequiredValue(machine));
            if (at >= 0)
            {
                throw new CustodyException($"{document.File}:{document.LineAt($"/disks/{at}")} gives it the volume "
                    + $"{disk} already; `bailiwick volume detach` takes it away.");
            }

            amendment.Apply(document.File, new PolicyEdit.AddItem(
                StatementKind.Compartment, document.Origin.Name, ["disks"], new PolicyNode.Members(
                [
                    VolumeCreate.Member("volume", VolumeCreate.Text(disk)),
                    VolumeCreate.Member("access", VolumeCreate.Text(parsed.GetRequiredValue(access))),
                ], 0)));
        }));
        return command;
    }

    internal static Command CreateDetach(Terminal terminal)
    {
        var (volume, machine) = Arguments();
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("detach",
            "Take a volume from a machine, from its next start on; the volume and its key stay.\n"
            + "Example: bailiwick volume detach bank/web-3-data bank/web-1 --policies policies")
        { volume, machine });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (disk, party, document, at) = Disk(
                amendment, parsed.GetRequiredValue(volume), parsed.GetRequiredValue(machine));
            if (at < 0)
            {
                throw new CustodyException($"{party}/{document.Origin.Name} has no disk {disk}; its disks are in "
                    + $"{document.File}:{document.LineAt("/disks")}.");
            }

            amendment.Apply(document.File, new PolicyEdit.RemoveItem(
                StatementKind.Compartment, document.Origin.Name, "disks", at));
        }));
        return command;
    }

    internal static Option<string> Access()
    {
        var access = new Option<string>("--access")
        {
            Description = string.Join(" or ", WireText.All<VolumeAccess>()),
            DefaultValueFactory = _ => WireText.Of(VolumeAccess.Write),
        };
        access.AcceptOnlyFromAmong([.. WireText.All<VolumeAccess>()]);
        return access;
    }

    private static (Argument<string> Volume, Argument<string> Machine) Arguments() =>
        (new("VOLUME") { Description = "like bank/web-3-data, of the machine's tenant or of another" },
            new("MACHINE") { Description = "like bank/web-1" });

    /// <summary>The text by which the machine names the volume, the machine's document, and which disk it is.</summary>
    private static (string Disk, string Party, PolicyDocument Document, int At) Disk(
        PolicyAmendment amendment, string volume, string machine)
    {
        var (party, name) = PolicyAmending.Reference(amendment, machine);
        var wanted = PolicyAmending.Reference(amendment, volume);
        PolicyDocument document = amendment.Document(StatementKind.Compartment, party, name);
        string disk = PolicyAmending.Named(party, wanted);
        string[] spellings = [disk, $"{wanted.Party}/{wanted.Name}"];
        var disks = (document.Body as PolicyNode.Members)?.Find("disks") as PolicyNode.Items;
        int at = disks is null ? -1 : disks.Entries.ToList().FindIndex(entry =>
            entry is PolicyNode.Members members && members.Find("volume") is PolicyNode.Text text
            && spellings.Contains(text.Value));
        return (disk, party, document, at);
    }
}
