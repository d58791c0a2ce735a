using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick host forget</c>: has a tenant's key service forget a host's first TPM, as when its mainboard was
/// replaced. Whoever approves says which TPM, so that nobody approves what changed in the meantime.
/// </summary>
internal static class HostForget
{
    private const int LeastDigits = 16;

    internal static Command Create(Terminal terminal)
    {
        var host = new Argument<string>("HOST") { Description = "like host-2" };
        var tpm = new Option<string>("--tpm")
        {
            Description = "the TPM to forget, at least 16 digits of it: `bailiwick host enrol` shows it",
            Required = true,
        };
        var keys = new Option<string>("--keys") { Description = "the party's key directory", Required = true };
        Option<string?> passphrase = PassphraseFile.Option();
        var command = new Command("forget",
            "Have your key service forget the TPM of a host whose mainboard was replaced. The next TPM that the\n"
            + "operator states for the host and that answers keeps it then. As many root keys sign as sign a policy.\n"
            + "Example: bailiwick host forget host-2 --tpm 1f0c4e2b9a7d3860 --keys keys/bank --as bank")
        { host, tpm, keys, passphrase };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk service = VolumeDesk.Open(desk, book);
            HostRef reference = new(
                BundleOptions.Party(desk.Context.Datacentre),
                BundleOptions.Name(parsed.GetRequiredValue(host).Split('/')[^1]));
            EnrolmentList list = await service.Client.Enrolments(cancellation).ConfigureAwait(false);
            BoundTpm bound = Bound(list, reference, parsed.GetRequiredValue(tpm));
            RootKeys root = book.RootInForce(service.Tenant)?.Keys ?? throw new CustodyException(
                $"No root of {service.Tenant.Short} is accepted.");
            using PartyDirectory party = PartyDirectory.Open(
                parsed.GetRequiredValue(keys), PassphraseFile.Read(parsed.GetValue(passphrase)));
            byte[] approval = ForgetRequest.Write(
                service.Tenant, reference, bound, party.OpenRoots(root.Keys, root.Threshold));
            await service.Client.Forget(approval, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject
                {
                    ["host"] = reference.ToString(), ["forgotten"] = bound.EndorsementKey.Hex,
                });
            }
            else
            {
                terminal.Say($"The TPM {bound.EndorsementKey.Hex[..LeastDigits]} is forgotten: {reference.Name} gets "
                    + "nothing until the TPM that its operator states is enrolled.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static BoundTpm Bound(EnrolmentList list, HostRef host, string digits)
    {
        EnrolmentStanding standing = list.Hosts.FirstOrDefault(one => one.Host == host.ToString())
            ?? throw new CustodyException($"No operator states a host {host.Name}; `bailiwick host enrol` lists them.");
        if (standing is not { EnrolledTpm: { } text, Since: { } since } || !Digest32.TryParse(text, out Digest32? tpm))
        {
            throw new CustodyException($"No TPM is enrolled for {host.Name}: there is nothing to forget.");
        }

        return digits.Length >= LeastDigits && text.StartsWith(digits, StringComparison.Ordinal)
            ? new BoundTpm(tpm, since)
            : throw new CustodyException(
                $"The TPM {text[..LeastDigits]} is enrolled for {host.Name}, not {digits}; look again with "
                + "`bailiwick host enrol`.");
    }
}
