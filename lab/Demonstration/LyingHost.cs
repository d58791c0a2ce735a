using System.Text;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Secrets;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Volumes;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// Root on a host in the Proxy's place: it has the host's identity key and the use of its TPM, and asks a tenant's key
/// service for a key that a machine of this host may have.
/// </summary>
internal sealed class LyingHost : IDisposable
{
    private readonly DemoStage _stage;
    private readonly DemoMachine _machine;
    private readonly ChannelIdentity _identity;
    private readonly HttpClient _http;
    private readonly KeyServiceClient _service;
    private readonly TpmConnection _tpm;
    private readonly EndorsementKey _endorsement;
    private readonly LogOnDisk _log;

    internal LyingHost(DemoStage stage, DemoMachine machine)
    {
        _stage = stage;
        _machine = machine;
        LabPaths paths = stage.Deployment.Paths;
        string tenant = machine.Model.Origin.OwnerName;
        _identity = ChannelIdentity.FromPem(Path.Combine(paths.Proxy(machine.Host), "identity.pem"));
        PartyFacts facts = stage.Deployment.Desks.Desks[tenant].Facts;
        PublicKey key = facts.KeyService
            ?? throw new LabException("the tenant has no key service", tenant, "read its tenant.yaml");
        _http = PinnedHandler.Create(
            _identity, key.Id, ChannelAddress.Parse("unix:" + paths.KeyServiceSocket(tenant)));
        _service = new KeyServiceClient(_http);
        _tpm = TpmConnection.Open(stage.Deployment.Datacentre.Host(machine.Host).Tpm.Address);
        _endorsement = EndorsementKey.OpenOrCreate(_tpm, EndorsementAlgorithm.Rsa2048);
        Enrolled = AttestationKey.OpenOrCreate(_tpm);
        _log = new LogOnDisk(Path.Combine(paths.Proxy(machine.Host), "state"), _tpm);
    }

    /// <summary>The attestation key that the Proxy enrolled.</summary>
    internal AttestationKey Enrolled { get; }

    /// <summary>An honest quote over what is said.</summary>
    internal TpmClaims Honest(EvidenceClaims said) => Made(Enrolled, said);

    /// <summary>A quote by any key of this TPM.</summary>
    internal static TpmClaims Made(AttestationKey key, EvidenceClaims said)
    {
        QuoteClaim quote = key.Quote(EvidenceRegisters.Selection, EvidenceDocument.Binding(said).Bytes);
        return new TpmClaims(key.Public, quote.Message, quote.Signature, quote.Values);
    }

    /// <summary>Another key that this TPM makes for whoever asks.</summary>
    internal AttestationKey Other()
    {
        StorageKey storage = StorageKey.OpenOrCreate(_tpm);
        return AttestationKey.FromBlobs(storage, AttestationKey.Create(storage));
    }

    /// <summary>Asks for the volume's key.</summary>
    /// <param name="prove">Makes the TPM's part of the evidence from what is said.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The reasons of the refusal, code and sentence; empty when the key came.</returns>
    internal async Task<string> Ask(Func<EvidenceClaims, TpmClaims> prove, CancellationToken cancellation)
    {
        try
        {
            OpenedKey opened = await _service.Fetch(
                async (given, session, cancel) =>
                {
                    KeyNonce nonce = KeyNonce.Read(given.Nonce)
                        ?? throw new KeyServiceException("no nonce");
                    EvidenceClaims said = await Said(nonce, cancel).ConfigureAwait(false);
                    byte[] evidence = EvidenceDocument.Write(said with { Tpm = prove(said) }, _identity.Signer);
                    byte[] request = ReleaseRequest.Write(
                        new RequestedParts(
                            new KeySubject.Volume(_machine.Model.Disks[0].Volume),
                            _machine.Model.Ref, Host(), nonce, session)
                        {
                            State = Header(),
                            EndorsementKey = _endorsement.Public,
                        },
                        evidence, _identity.Signer);
                    return await Beside(request, cancel).ConfigureAwait(false);
                },
                TpmPart, cancellation).ConfigureAwait(false);
            opened.Key.Dispose();
            return "";
        }
        catch (KeyServiceException refused) when (refused.Problem is { } problem)
        {
            return problem.Refusals is { IsDefaultOrEmpty: false } all
                ? string.Join("; ", all.Select(one => $"{one.Code}: {one.Sentence}"))
                : $"{problem.Code}: {problem.Detail}";
        }
    }

    /// <summary>The digest of the header of the volume's file.</summary>
    private Digest32? Header()
    {
        VolumeRef volume = _machine.Model.Disks[0].Volume;
        using var file = File.OpenHandle(
            Path.Combine(
                _stage.Deployment.Paths.Pool,
                DerivedNames.Digits(volume.ToString(), DerivedNames.VolumeDigits) + ".luks"),
            share: FileShare.ReadWrite);
        DiskBytes bytes = new(
            RandomAccess.GetLength(file), (offset, into) => RandomAccess.Read(file, into, offset));
        return LuksReader.Read(bytes).Accepted is { } accepted ? HeaderDigest.Of(bytes, accepted) : null;
    }

    /// <summary>What the TPM gives out for a release.</summary>
    private SecretBytes TpmPart(JsonElement shown, ReadOnlyMemory<byte> context) =>
        TpmDelivery.Read(shown, Digest32.Of(context.Span)) is { } delivery
            ? DeliveredSecret.Open(_endorsement, delivery, static lent =>
            {
                byte[] copy = lent.ToArray();
                return SecretBytes.Take(copy);
            })
            : throw new KeyServiceException("What was wrapped for the TPM cannot be read.");

    /// <summary>Proves the host as its Proxy would; what the key service has against it, or empty.</summary>
    internal async Task<string> Prove(Func<EvidenceClaims, TpmClaims> prove, CancellationToken cancellation)
    {
        try
        {
            LeaseAnswer answer = await _service.Prove(
                [.. _machine.Model.Nics.Select(nic => new DomainRef(_machine.Model.Ref.Tenant, nic.Domain).ToString())],
                [],
                async (given, cancel) =>
                {
                    KeyNonce nonce = KeyNonce.Read(given.Nonce)
                        ?? throw new KeyServiceException("no nonce");
                    EvidenceClaims said = await Said(nonce, cancel).ConfigureAwait(false);
                    return await Beside(
                        EvidenceDocument.Write(said with { Tpm = prove(said) }, _identity.Signer), cancel)
                        .ConfigureAwait(false);
                },
                cancellation).ConfigureAwait(false);
            return string.Join("; ", answer.Domains.SelectMany(lease => lease.Against));
        }
        catch (KeyServiceException refused) when (refused.Problem is { } problem)
        {
            return $"{problem.Code}: {problem.Detail}";
        }
    }

    /// <summary>Wants to enrol a TPM that somebody showed; the reasons of the refusal, or empty.</summary>
    internal async Task<string> Enrol(EnrolmentClaimBody shown, CancellationToken cancellation)
    {
        try
        {
            await _service.BeginEnrolment(shown, cancellation).ConfigureAwait(false);
            return "";
        }
        catch (KeyServiceException refused) when (refused.Problem is { } problem)
        {
            return $"{problem.Code}: {problem.Detail}";
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tpm.Dispose();
        _http.Dispose();
        _identity.Dispose();
    }

    private async Task<SignedRequest> Beside(byte[] envelope, CancellationToken cancellation)
    {
        LabPaths paths = _stage.Deployment.Paths;
        return new SignedRequest(
            envelope,
            await File.ReadAllBytesAsync(paths.BootLog(_machine.Host), cancellation).ConfigureAwait(false),
            await File.ReadAllBytesAsync(paths.RuntimeLog(_machine.Host), cancellation).ConfigureAwait(false),
            _log.Shown(_machine.Model.Ref.Tenant), LogsAfter: null);
    }

    private HostRef Host() => _stage.Policies.Inventory.Hosts.Values.Single(
        host => host.Ref.Name.Text == _machine.Host).Ref;

    private async Task<EvidenceClaims> Said(KeyNonce nonce, CancellationToken cancellation)
    {
        using BoardDesk desk = _stage.Deployment.Board(_machine.Model.Origin.OwnerName);
        byte[] note = Encoding.UTF8.GetBytes(await desk.Board.Checkpoint(cancellation).ConfigureAwait(false));
        VerifiedCheckpoint newest = Checkpoint.Open(note, NoteKey.Of(LabDesks.Origin, _stage.Deployment.LogKey()),
            LabDesks.Origin) is CheckpointVerdict.Opened opened
                ? opened.Checkpoint
                : throw new LabException("the board's checkpoint does not open", "the board", "lab down, then demo");
        return new EvidenceClaims
        {
            Host = Host().ToString(),
            Checkpoint = new EvidenceCheckpoint(newest.Origin, newest.Size, newest.Root),
            Boot = _log.Boot,
            ChannelKey = _identity.Key,
            IntegrityLog = _log.Head,
            Nonce = nonce.Bytes,
        };
    }
}
