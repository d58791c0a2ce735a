using System.CommandLine;
using System.Security.Cryptography;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick image approve</c>: the digests of these files, and no others, are what an image is.</summary>
internal static class ImageApproveVerb
{
    private const long Mib = 1 << 20;

    internal static Command Create(Terminal terminal)
    {
        var image = new Argument<string>("IMAGE") { Description = "like bank/guest" };
        Option<string?>[] parts =
        [
            Part("kernel", "the kernel"), Part("initrd", "the first file system"), Part("firmware", "the firmware"),
            Part("disk", "the raw file that `bailiwick image import` made, for volumes that begin with it"),
        ];
        var arguments = new Option<string?>("--arguments") { Description = "the kernel's command line" };
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("approve",
            "Write the SHA-256 digests of files into an Image statement; a new one needs kernel, initrd and arguments."
            + "\nExample: bailiwick image approve bank/guest --disk bank/images/base.raw --policies policies")
        { image, arguments });
        foreach (Option<string?> part in parts)
        {
            command.Add(part);
        }

        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (party, name) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(image));
            PolicyMember[] members =
            [
                .. parts.Where(p => parsed.GetValue(p) is not null).Select(p => VolumeCreate.Member(
                    p.Name[2..], Digest(parsed.GetValue(p) ?? "", sized: p.Name == "--disk"))),
                .. parsed.GetValue(arguments) is { } line
                    ? [VolumeCreate.Member("arguments", VolumeCreate.Text(line))] : Array.Empty<PolicyMember>(),
            ];
            if (members.Length == 0)
            {
                throw new CustodyException("Name a file: " + string.Join(", ", parts.Select(p => p.Name)) + ".");
            }

            if (amendment.Find(StatementKind.Image, party, name) is not { } there)
            {
                amendment.Apply(
                    amendment.Document(StatementKind.Tenant, party, StatementName.Parse(party)).File,
                    new PolicyEdit.Append(StatementKind.Image, name, new PolicyNode.Members([.. members], 0)));
                return;
            }

            foreach (PolicyMember member in members)
            {
                amendment.Apply(
                    there.File, new PolicyEdit.SetMember(StatementKind.Image, name, member.Name, member.Value));
            }
        }, "Machines that start from it anew must start from exactly these files; they lie on the hosts by digest."));
        return command;
    }

    private static Option<string?> Part(string name, string what) => new("--" + name) { Description = what };

    private static PolicyNode.Members Digest(string path, bool sized)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length == 0 || (sized && file.Length % Mib != 0))
        {
            throw new CustodyException($"{path} has {file.Length} bytes; "
                + (sized ? "a disk has whole MiB: `bailiwick image import` makes one of it." : "it is empty."));
        }

        PolicyMember digest = VolumeCreate.Member(
            "sha256", VolumeCreate.Text(Convert.ToHexStringLower(SHA256.HashData(file))));
        return new PolicyNode.Members(
            sized ? [digest, VolumeCreate.Member("sizeMiB", new PolicyNode.Integer(file.Length / Mib, 0))] : [digest],
            0);
    }
}
