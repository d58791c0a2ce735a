using System.CommandLine;
using System.Collections.Immutable;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick volume create</c>: a Volume statement, where the domain that it is of is stated.</summary>
internal static class VolumeCreate
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like bank/web-3-data" };
        var domain = new Option<string>("--domain")
        {
            Description = "the domain of the same tenant whose it is", Required = true,
        };
        var size = new Option<int>("--size-mib") { Description = "its size in MiB", Required = true };
        var image = new Option<string?>("--from-image") { Description = "the image of the tenant it begins with" };
        Option<string> sharing = VolumeShare.Sharing("who may have it at the same time");
        var amending = new PolicyAmending();
        Command command = amending.AddTo(new Command("create",
            "Write the statement of a new volume. Its key is made when an admitted machine opens it first.\n"
            + "Example: bailiwick volume create bank/web-3-data --domain web --size-mib 512 --policies policies")
        { volume, domain, size, image, sharing });
        command.SetAction(parsed => (int)amending.Run(terminal, parsed, amendment =>
        {
            var (party, name) = PolicyAmending.Reference(amendment, parsed.GetRequiredValue(volume));
            var members = new List<PolicyMember>
            {
                Member("domain", Text(parsed.GetRequiredValue(domain))),
                Member("sizeMiB", new PolicyNode.Integer(parsed.GetValue(size), 0)),
                Member("wipe", Text(WireText.Of(WipeMethod.CryptoErase))),
            };
            if (parsed.GetValue(image) is { } from)
            {
                members.Add(Member("from", new PolicyNode.Members([Member("image", Text(from))], 0)));
            }

            if (parsed.GetRequiredValue(sharing) is var shared
                && shared != WireText.Of(VolumeSharing.Exclusive))
            {
                members.Add(Member("sharing", Text(shared)));
            }

            Append(amendment, party, name, parsed.GetRequiredValue(domain), [.. members]);
        }, $"A machine gets it by `bailiwick volume attach {parsed.GetRequiredValue(volume)} MACHINE`."));
        return command;
    }

    /// <summary>Writes a new volume behind the documents of the file in which its domain is stated.</summary>
    internal static void Append(
        PolicyAmendment amendment, string party, StatementName name, string domain,
        ImmutableArray<PolicyMember> members)
    {
        if (amendment.Find(StatementKind.Volume, party, name) is { } there)
        {
            throw new CustodyException($"{there.File}:{there.Origin.Line} states the volume {party}/{name} already.");
        }

        StatementName of = StatementName.TryParse(domain, out StatementName? parsed) ? parsed
            : throw new CustodyException($"'{domain}' is no name of a domain of {party}; give something like web.");
        amendment.Apply(
            amendment.Document(StatementKind.Domain, party, of).File,
            new PolicyEdit.Append(StatementKind.Volume, name, new PolicyNode.Members(members, 0)));
    }

    /// <summary>A document's member that is a word; what its silence means where it is missing.</summary>
    internal static string Word(PolicyDocument document, string member, string silent) =>
        ((document.Body as PolicyNode.Members)?.Find(member) as PolicyNode.Text)?.Value ?? silent;

    internal static PolicyMember Member(string name, PolicyNode value) => new(name, value, 0);

    internal static PolicyNode.Text Text(string value) => new(value, 0);
}
