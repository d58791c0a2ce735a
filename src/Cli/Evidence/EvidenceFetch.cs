using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Principals;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// <c>bailiwick evidence fetch</c>: asks a host's Proxy for evidence over a nonce made here, and the board for the
/// statements it is judged by; keeps both in one file that needs neither of them again.
/// </summary>
internal static class EvidenceFetch
{
    private const int NonceBytes = 32;

    internal static Command Create(Terminal terminal)
    {
        var host = new Argument<string>("HOST") { Description = "like host-1" };
        var domain = new Option<string>("--domain")
        {
            Description = "the domain whose policy goes into the bundle, like web", Required = true,
        };
        var output = new Option<string>("--output", "-o") { Description = "the file to write", Required = true };
        var tenant = new Option<string?>("--tenant")
        {
            Description = "the tenant's id; without, the caller's own tenant",
        };
        var nonce = new Option<string?>("--nonce")
        {
            Description = "what to ask with, in hexadecimal; without, 32 random bytes",
        };
        var checkpoint = new Option<string?>("--checkpoint")
        {
            Description = "a signed checkpoint you hold: the bundle gets the proof that leads from it to the host's",
        };
        var command = new Command("fetch",
            "Ask a host for evidence and keep it with all that is needed to judge it offline.\n"
            + "Example: bailiwick evidence fetch host-1 --domain web -o host-1.bundle --as bank")
        { host, domain, output, tenant, nonce, checkpoint };
        command.SetAction(async (parsed, cancellation) =>
        {
            byte[]? held = parsed.GetValue(checkpoint) is { } file
                ? EvidenceFile.Read(file, LedgerLimits.NoteBytes) : null;
            ReadOnlyMemory<byte> asked = parsed.GetValue(nonce) is { } hex
                ? BundleOptions.NonceOf(hex) : RandomNumberGenerator.GetBytes(NonceBytes);
            using BoardDesk desk = Desk.Open(parsed);
            var statements = new List<(VerifiedStatement Statement, byte[] Envelope)>();
            (StatementBook book, _) = await BoardReader
                .Read(desk, cancellation, (statement, envelope) => statements.Add((statement, envelope)))
                .ConfigureAwait(false);
            BundlePins pins = new()
            {
                Domain = new DomainRef(
                    parsed.GetValue(tenant) is { } id ? BundleOptions.Party(id) : TenantOf(desk, book),
                    BundleOptions.Name(parsed.GetRequiredValue(domain))),
                Host = new HostRef(
                    BundleOptions.Party(desk.Context.Datacentre), BundleOptions.Name(parsed.GetRequiredValue(host))),
                Nonce = asked,
                Checkpoint = held is null ? null : (ReadOnlyMemory<byte>?)held,
                Now = DateTimeOffset.UtcNow,
            };
            EvidenceBundle bundle = await Ask(desk, pins, held, cancellation).ConfigureAwait(false) with
            {
                Statements = [.. statements.Where(one => Belongs(one.Statement, pins)).Select(one => one.Envelope)],
            };
            string path = parsed.GetRequiredValue(output);
            await File.WriteAllBytesAsync(path, bundle.Write(), cancellation).ConfigureAwait(false);
            using var keys = new VerifierKeyCache(16);
            bool json = parsed.GetValue(GlobalOptions.Json);
            if (!json)
            {
                terminal.Say($"Written: {path}. To judge it again: bailiwick evidence verify {path} --tenant "
                    + $"{pins.Domain.Tenant} --domain {pins.Domain.Name} --host {pins.Host} --nonce "
                    + Convert.ToHexStringLower(asked.Span));
            }

            return (int)EvidenceVerify.Report(terminal, BundleJudge.Judge(bundle, pins, keys), json);
        });
        return command;
    }

    /// <summary>The tenant that the caller's key acts for.</summary>
    internal static PartyId TenantOf(BoardDesk desk, StatementBook book) =>
        PrincipalRegister.Of(book, BundleOptions.Party(desk.Context.Datacentre)).Resolve(desk.Key.Id) is
        { Kind: PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor, Party: { } party }
            ? party
            : throw new CustodyException("The caller is no tenant's administrator or auditor: say which tenant with "
                + "--tenant ID.");

    private static bool Belongs(VerifiedStatement statement, BundlePins pins) => statement.Kind switch
    {
        StatementKind.Tenant => statement.Owner == pins.Domain.Tenant,
        StatementKind.Datacentre => statement.Owner == pins.Host.Operator,
        StatementKind.Host => statement.Owner == pins.Host.Operator && statement.Name == pins.Host.Name,
        StatementKind.Domain => statement.Owner == pins.Domain.Tenant && statement.Name == pins.Domain.Name,
        _ => false,
    };

    private static async Task<EvidenceBundle> Ask(
        BoardDesk desk, BundlePins pins, byte[]? held, CancellationToken cancellation)
    {
        using HttpClient http = desk.Host(pins.Host.ToString());
        ProofAnswer answer = await new PeerClient(http)
            .Prove(pins.Nonce ?? default, after: null, held: null, cancellation)
            .ConfigureAwait(false);
        byte[] evidence = answer.Evidence is { } shown ? CanonicalJson.Write(shown) : throw new CustodyException(
            "The host has verified no checkpoint yet, so it has no evidence; ask again in a few seconds.");
        return new EvidenceBundle
        {
            Evidence = evidence,
            Enrolments = [.. answer.Enrolments.Select(CanonicalJson.Write)],
            Logs = new EvidenceLogs(
                Convert.FromBase64String(answer.BootLog), Convert.FromBase64String(answer.RuntimeLog))
            {
                IntegrityLog = answer.IntegrityLog is { } log ? CanonicalJson.Write(log) : ReadOnlyMemory<byte>.Empty,
            },
            Statements = [],
            Proofs = held is not null && EvidenceVerifier.ClaimedCheckpoint(evidence) is { } claimed
                ? await Prove(desk, held, claimed, cancellation).ConfigureAwait(false) : [],
        };
    }

    private static async Task<ImmutableArray<ConsistencyProof>> Prove(
        BoardDesk desk, byte[] note, EvidenceCheckpoint claimed, CancellationToken cancellation)
    {
        if (!PublicKey.TryParseBase64(desk.Context.Log.Key, out PublicKey? key)
            || Checkpoint.Open(note, NoteKey.Of(desk.Context.Log.Origin, key), desk.Context.Log.Origin)
                is not CheckpointVerdict.Opened { Checkpoint: var held }
            || held.Size == 0 || held.Size >= claimed.Size)
        {
            return [];
        }

        var proof = await desk.Board.Consistency(held.Size, claimed.Size, cancellation).ConfigureAwait(false);
        return
        [
            new ConsistencyProof(held.Size, claimed.Size,
            [
                .. proof.Hashes.Take(LedgerLimits.ProofHashes).Select(text =>
                    Digest32.TryParseBase64(text, out Digest32? hash) ? hash
                        : throw new CustodyException("The board's proof is no list of hashes.")),
            ]),
        ];
    }
}
