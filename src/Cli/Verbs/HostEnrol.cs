using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick host enrol</c>: how hosts' TPMs stand with a tenant's key service, and one enrolled by hand. Hosts
/// enrol by themselves; this is for the night when one does not, and says why.
/// </summary>
internal static class HostEnrol
{
    internal static Command Create(Terminal terminal)
    {
        var host = new Argument<string?>("HOST")
        {
            Description = "like host-2; without, how every host stands", Arity = ArgumentArity.ZeroOrOne,
        };
        var tenant = new Option<string?>("--tenant")
        {
            Description = "the tenant's id; without, the caller's own tenant",
        };
        var command = new Command("enrol",
            "Have a host's TPM enrolled with a tenant's key service again, or show how all hosts stand with it.\n"
            + "Example: bailiwick host enrol host-2 --as bank") { host, tenant };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            PartyId with = parsed.GetValue(tenant) is { } id ? BundleOptions.Party(id)
                : EvidenceFetch.TenantOf(desk, book);
            bool json = parsed.GetValue(GlobalOptions.Json);
            if (parsed.GetValue(host) is not { } name)
            {
                Show(terminal, await List(desk, book, with, cancellation).ConfigureAwait(false), book, json);
                return (int)ExitCode.Done;
            }

            string reference = $"{desk.Context.Datacentre}/{BundleOptions.Name(name.Split('/')[^1])}";
            using HttpClient http = desk.Host(reference);
            EnrolmentDone done = await new PeerClient(http).Enrol(with, cancellation).ConfigureAwait(false);
            Show(terminal, name, done, json);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task<EnrolmentList> List(
        BoardDesk desk, StatementBook book, PartyId tenant, CancellationToken cancellation)
    {
        PublicKey key = TenantServices.KeyOf(book, tenant) ?? throw new CustodyException(
            $"No accepted root of {tenant.Short} names a key service.");
        using HttpClient http = desk.KeyService(key.Id, TenantServices.AddressOf(book, tenant));
        return await new KeyServiceClient(http).Enrolments(cancellation).ConfigureAwait(false);
    }

    private static void Show(Terminal terminal, EnrolmentList list, StatementBook book, bool json)
    {
        if (json)
        {
            terminal.Json(JsonNode.Parse(StrictJson.Write(list)) ?? new JsonObject());
            return;
        }

        terminal.Table(["host", "enrolled", "TPM", "attestation key", "why not"], list.Hosts.Select(one =>
            (IReadOnlyList<string>)
            [
                BoardReader.Display(book, one.Host), Standing(one), Short(one.EnrolledTpm), Short(one.AttestationKey),
                WhyNot(one),
            ]));
        terminal.Say("A host enrols by itself within a second of having something of yours; `bailiwick host enrol "
            + "HOST` tries again now.");
    }

    private static string Standing(EnrolmentStanding one) =>
        one.EnrolledTpm is null ? "no" : one.Vendors is null ? "software-tpm" : "tpm";

    private static string WhyNot(EnrolmentStanding one) =>
        one.StatedTpm is null ? "its operator states no TPM for it"
        : one.EnrolledTpm is { } enrolled && enrolled != one.StatedTpm
            ? $"the operator now states another TPM, {Short(one.StatedTpm)}: what the enrolled one quotes is refused; "
            + "`bailiwick host forget` makes room"
        : one.LastRefusal is { } refusal ? $"{refusal.At:u} {refusal.Code}: {refusal.Detail}"
        : one.EnrolledTpm is null ? "it has not tried since the key service started" : "";

    private static string Short(string? hex) => hex is { Length: > 16 } ? hex[..16] : hex ?? "-";

    private static void Show(Terminal terminal, string host, EnrolmentDone done, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["host"] = host, ["enrolled"] = true, ["doubts"] = EvidenceFile.Texts(done.Doubts),
            });
            return;
        }

        terminal.Say(done.Doubts.IsEmpty
            ? $"{host} is enrolled, and a maker that you believe vouches for its TPM."
            : $"{host} is enrolled as software-tpm, for no maker vouches for its TPM: "
                + string.Join(" ", done.Doubts));
    }
}
