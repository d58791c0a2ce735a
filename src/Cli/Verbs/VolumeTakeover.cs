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
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume takeover</c>: frees a volume whose holder is gone for good. Whoever approves says whom it is
/// taken from, so that nobody approves what changed in the meantime.
/// </summary>
internal static class VolumeTakeover
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME")
        {
            Description = "like ledger-data, of the own tenant; or vault-1.tpm, the TPM of the machine vault-1",
        };
        var from = new Option<string>("--from")
        {
            Description = "the host that holds it, like host-2: `bailiwick volume list` shows it", Required = true,
        };
        var keys = new Option<string>("--keys") { Description = "the party's key directory", Required = true };
        Option<string?> passphrase = PassphraseFile.Option();
        var command = new Command("takeover",
            "Take a volume from a host that will not give it back. First make sure that the host is off or cut off:\n"
            + "two machines that write one volume destroy it. Where it was given back, but in another way than its\n"
            + "statement lists (mount.after), this answers for it.\n"
            + "Example: bailiwick volume takeover ledger-data --from host-2 --keys keys/bank --as bank")
        { volume, from, keys, passphrase };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            string name = parsed.GetRequiredValue(volume).Split('/')[^1];
            KeySubject wanted = volumes.Named(name);
            HostRef holder = new(
                BundleOptions.Party(desk.Context.Datacentre),
                BundleOptions.Name(parsed.GetRequiredValue(from).Split('/')[^1]));
            KeyServiceStatus status = await volumes.Client.Status(cancellation).ConfigureAwait(false);
            KeyNonce[] nonces = Held(status, wanted, holder, book, name);
            using PartyDirectory party = PartyDirectory.Open(
                parsed.GetRequiredValue(keys), PassphraseFile.Read(parsed.GetValue(passphrase)));
            var roots = party.OpenRoots(volumes.Approvals(wanted));
            foreach (KeyNonce nonce in nonces)
            {
                byte[] approval = HolderDocument.WriteTakeover(wanted, holder, nonce, roots);
                await volumes.Client.Takeover(approval, cancellation).ConfigureAwait(false);
            }

            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject
                {
                    ["volume"] = wanted.ToString(), ["takenFrom"] = holder.ToString(),
                    ["nonces"] = new JsonArray([.. nonces.Select(nonce => JsonValue.Create(nonce.Base64))]),
                });
            }
            else
            {
                terminal.Say($"{name} is taken from {holder.Name}: its key goes to the next host that is "
                    + "accepted.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>The nonces of the releases by which this host holds the volume, one for each machine.</summary>
    private static KeyNonce[] Held(
        KeyServiceStatus status, KeySubject wanted, HostRef holder, StatementBook book, string name)
    {
        HeldVolume held = status.Volumes.FirstOrDefault(one => one.Volume == wanted.ToString())
            ?? throw new CustodyException(
                $"The key service has no key for {name}; `bailiwick volume list` shows what it has.");
        KeyHolderBody[] own = [.. held.Holders.Where(one => one.Host == holder.ToString())];
        if (own.Length == 0 && held.Ended is { } end && end.Host == holder.ToString())
        {
            // What ended otherwise than the volume's statement lists is answered for in the same words.
            return [Read(end.Nonce, name)];
        }

        if (held.Holders.IsEmpty)
        {
            throw new CustodyException($"Nobody holds {name}: there is nothing to take over.");
        }

        if (own.Length == 0)
        {
            throw new CustodyException(
                $"{name} is held by {VolumeList.Holders(book, held.Holders)}, not by {holder.Name}; look again with "
                + "`bailiwick volume list`.");
        }

        return [.. own.Select(one => Read(one.Nonce, name))];
    }

    private static KeyNonce Read(string nonce, string name) => KeyNonce.Read(nonce)
        ?? throw new CustodyException($"The key service's word on who holds {name} cannot be read.");
}
