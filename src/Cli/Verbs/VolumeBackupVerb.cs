using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Backups;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume backup</c> and <c>volume verify-backup</c>: a volume's ciphertext with a host's signed manifest.
/// </summary>
internal static class VolumeBackupVerb
{
    private const int MaximumProblemBytes = 65_536;
    private const int ProgressParts = 10;

    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like ledger-data, of the own tenant" };
        var host = new Option<string>("--host")
        {
            Description = "the host in whose pool it lies, like host-2", Required = true,
        };
        var to = new Option<string>("--to") { Description = "a directory for it, made if need be", Required = true };
        var command = new Command("backup",
            "Fetch a volume's ciphertext with a manifest that the host signs. No machine may write it meanwhile.\n"
            + "Example: bailiwick volume backup ledger-data --host host-2 --to backups/monday --as bank")
        { volume, host, to };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            VolumeRef reference = new(
                EvidenceFetch.TenantOf(desk, book),
                BundleOptions.Name(parsed.GetRequiredValue(volume).Split('/')[^1]));
            HostRef from = new(
                BundleOptions.Party(desk.Context.Datacentre),
                BundleOptions.Name(parsed.GetRequiredValue(host).Split('/')[^1]));
            PolicyReading reading = PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(book.Current));
            PublicKey key = ReleaseControl.IdentityKeyOf(
                PolicyCheck.Run(reading, from.Operator).Datacentre, from) ?? throw new CustodyException(
                    $"No accepted statement gives an identity key for {from.Name}; `bailiwick host list` shows hosts.");
            string directory = Path.GetFullPath(parsed.GetRequiredValue(to));
            Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using HttpClient client = desk.Host(from.ToString());
            client.Timeout = Timeout.InfiniteTimeSpan;
            VolumeBackup? backup = await Fetch(terminal, client, reference, directory, key, cancellation)
                .ConfigureAwait(false);
            if (backup is null)
            {
                return (int)ExitCode.No;
            }

            Report(terminal, backup, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    internal static Command CreateVerify(Terminal terminal)
    {
        var directory = new Argument<string>("DIR") { Description = "a backup" };
        var key = new Option<string>("--host-key")
        {
            Description = "the identity key of the host that made it, in base64, as its statement has it",
            Required = true,
        };
        var volume = new Option<string?>("--volume") { Description = "what it must be of: TENANT-ID/NAME" };
        var header = new Option<string?>("--header")
        {
            Description = "the header that is bound, as `bailiwick volume show` says it",
        };
        var command = new Command("verify-backup",
            "Verify a backup by its manifest, without asking anybody.\n"
            + "Example: bailiwick volume verify-backup backups/monday --host-key MFkw...")
        { directory, key, volume, header };
        command.SetAction(parsed =>
        {
            if (!PublicKey.TryParseBase64(parsed.GetRequiredValue(key), out PublicKey? host))
            {
                throw new CustodyException("--host-key is no public key in base64.");
            }

            (VolumeBackup backup, var against) = BackupFolder.Verify(
                Path.GetFullPath(parsed.GetRequiredValue(directory)), host);
            BackedUpVolume what = backup.What;
            if (parsed.GetValue(volume) is { } named && named != what.Volume.ToString())
            {
                against = against.Add($"It is of {what.Volume}, and not of {named}. [backup-volume]");
            }

            if (parsed.GetValue(header) is { } bound && bound != what.Header.Hex)
            {
                against = against.Add(
                    $"It has the header {what.Header.Hex[..16]}, and another is bound: no key is released for it. "
                    + "[backup-header]");
            }

            foreach (string reason in against)
            {
                terminal.Complain(reason);
            }

            if (!against.IsEmpty)
            {
                return (int)ExitCode.No;
            }

            Report(terminal, backup, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task<VolumeBackup?> Fetch(
        Terminal terminal, HttpClient client, VolumeRef volume, string directory, PublicKey key,
        CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/volumes/{volume}/backup")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage answer = await client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            await answer.Content.LoadIntoBufferAsync(MaximumProblemBytes, cancellation).ConfigureAwait(false);
            terminal.Complain(Refusal(
                answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false)));
            return null;
        }

        await using Stream from = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        long told = 0;
        return await BackupFolder.ReceiveAsync(
            from, directory, key,
            (came, all) =>
            {
                if (came * ProgressParts / all is var part && part > told)
                {
                    told = part;
                    terminal.Aside.MarkupLine(string.Create(
                        CultureInfo.InvariantCulture, $"{came >> 20} of {all >> 20} MiB"));
                }
            },
            cancellation).ConfigureAwait(false);
    }

    private static string Refusal(HttpStatusCode status, byte[] body)
    {
        try
        {
            ProblemBody problem = StrictJson.Read<ProblemBody>(body, MaximumProblemBytes);
            return $"The host refused ({problem.Code}): {problem.Detail} {problem.Next}";
        }
        catch (StrictJsonException)
        {
            return $"The host refused ({(int)status}) and does not say why.";
        }
    }

    private static void Report(Terminal terminal, VolumeBackup backup, bool json)
    {
        BackedUpVolume what = backup.What;
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["volume"] = what.Volume.ToString(), ["file"] = VolumeBackup.FileOf(what.Volume),
                ["header"] = what.Header.Hex, ["sizeMiB"] = what.SizeMib, ["bytes"] = what.Bytes,
                ["sha256"] = what.Sha256.Hex, ["revision"] = what.Statement.Revision,
                ["origin"] = what.Ledger.Origin, ["ledgerSize"] = what.Ledger.Size, ["host"] = what.Host.ToString(),
                ["at"] = what.At,
            });
            return;
        }

        terminal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{what.Host.Name} says that this is {what.Volume.Name} of {what.SizeMib} MiB as it lay in its pool at "
            + $"{what.At:u}, revision {what.Statement.Revision} of its statement, {what.Ledger.Origin} at "
            + $"{what.Ledger.Size}."));
        terminal.Say($"Its header is {what.Header.Hex}. In a pool its name is {VolumeBackup.FileOf(what.Volume)}.");
    }
}
