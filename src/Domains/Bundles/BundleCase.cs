using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Bundles;

/// <summary>One bundle under consideration, and every reason found against it so far.</summary>
internal sealed class BundleCase(EvidenceBundle bundle, BundlePins pins, VerifierKeyCache keys)
{
    private readonly List<BundleReason> _reasons = [];
    private readonly List<string> _unverified = [];
    private StatementBook _book = StatementBook.Empty;

    public BundleVerdict Judge()
    {
        ReadStatements();
        CheckedDatacentre datacentre = Check();
        HostModel? host = HostOf(datacentre);
        DomainModel? domain = DomainOf(datacentre);
        CheckRevision(domain);
        CheckpointRule? rule = Rule();
        VerifiedEvidence? evidence = host is null || rule is null ? null : Verify(datacentre, host, rule);
        if (host is not null && domain is not null)
        {
            _reasons.AddRange(PlatformCase.Against(domain, host, evidence)
                .Select(refusal => BundleReason.Of(refusal.Code, refusal.Sentence)));
        }

        _unverified.Add("Which key was at the other end when this was fetched is not known offline.");
        return _reasons.Count == 0 && evidence is not null && domain is not null
            ? new BundleVerdict.Accepted(evidence, PlatformLevel.Of(evidence, domain), domain, [.. _unverified])
            : new BundleVerdict.Refused([.. _reasons], [.. _unverified]);
    }

    /// <summary>Statements of strangers are no part of a bundle, and none of them is needed.</summary>
    private void ReadStatements()
    {
        for (int i = 0; i < bundle.Statements.Length; i++)
        {
            switch (_book.Consider(bundle.Statements[i]))
            {
                case StatementVerdict.Accepted accepted:
                    _book = accepted.Next;
                    break;
                case StatementVerdict.Repeated:
                    break;
                case StatementVerdict.Refused refused:
                    Refuse(BundleFault.StatementRefused, string.Create(
                        CultureInfo.InvariantCulture, $"Statement {i} is refused: {refused.Sentence}"));
                    break;
                default:
                    throw new UnreachableException();
            }
        }
    }

    private CheckedDatacentre Check() => PolicyCheck.Run(
        PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(_book.Current)
            .Where(one => one.Owner == pins.Tenant || one.Owner == pins.Host.Operator)).Documents,
        pins.Host.Operator).Datacentre;

    private HostModel? HostOf(CheckedDatacentre datacentre)
    {
        if (datacentre.Inventory.Hosts.TryGetValue(pins.Host.ToString(), out HostModel? host)
            && ReleaseControl.IdentityKeyOf(datacentre, pins.Host) is not null)
        {
            return host;
        }

        Refuse(KeyRefusalCode.UnknownHost,
            $"No accepted statement of the operator {pins.Host.Operator.Short} gives an identity key for the host "
            + $"{pins.Host.Name}.");
        return null;
    }

    private DomainModel? DomainOf(CheckedDatacentre datacentre)
    {
        if (!datacentre.Tenants.ContainsKey(pins.Tenant.ToString()))
        {
            Refuse(KeyRefusalCode.UnknownTenant, $"No accepted root statement of {pins.Tenant} is in the bundle.");
        }
        else if (datacentre.Datacentre is not { } home || !home.Tenants.Contains(pins.Tenant))
        {
            Refuse(KeyRefusalCode.TenantNotInDatacentre,
                $"The operator {pins.Host.Operator.Short} does not list the tenant {pins.Tenant.Short}.");
        }

        if (!datacentre.Domains.TryGetValue(pins.Domain.ToString(), out DomainModel? domain))
        {
            Refuse(KeyRefusalCode.UnknownDomain, $"No accepted statement describes the domain {pins.Domain.Name}.");
        }
        else if (pins.Now >= domain.Expires)
        {
            Refuse(KeyRefusalCode.DomainExpired, string.Create(
                CultureInfo.InvariantCulture,
                $"{domain.Origin} expired at {domain.Expires:u}; it is {pins.Now:u}."));
        }

        return domain;
    }

    private void CheckRevision(DomainModel? domain)
    {
        if (domain is null)
        {
            return;
        }

        if (pins.Revision is not { } known)
        {
            _unverified.Add(
                $"Whether {domain.Origin} is the newest policy: no revision is pinned, and an older one may demand "
                + "less.");
        }
        else if (domain.Origin.Revision < known)
        {
            Refuse(BundleFault.PolicyRolledBack,
                $"The bundle has {domain.Origin}, and revision {known} is known.");
        }
    }

    private VerifiedEvidence? Verify(CheckedDatacentre datacentre, HostModel host, CheckpointRule rule)
    {
        EvidenceExpectation expectation = new()
        {
            Host = host.Ref.ToString(),
            IdentityKey = ReleaseControl.IdentityKeyOf(datacentre, host.Ref) ?? throw new UnreachableException(),
            ChannelKey = null,
            Checkpoint = rule,
            EndorsementKey = ReleaseControl.EndorsementKeyOf(datacentre, host.Ref),
            Enrolment = Enrolment(),
            IntegrityLog = Demand(),
            Nonce = pins.Nonce,
        };
        switch (EvidenceVerifier.Verify(bundle.Evidence.Span, expectation, bundle.Logs, keys))
        {
            case EvidenceVerdict.Verified verified:
                return verified.Evidence;
            case EvidenceVerdict.Refused refused:
                _reasons.AddRange(refused.Refusals
                    .Select(refusal => BundleReason.Of(ReleaseControl.Map(refusal.Code), refusal.Sentence)));
                return null;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// A log that is not shown is not followed; that its head is what the register holds is judged all the same.
    /// Whoever fetched for no tenant has digests alone.
    /// </summary>
    private IntegrityDemand? Demand()
    {
        if (bundle.Logs.IntegrityLog.IsEmpty)
        {
            _unverified.Add("What the host did since its boot: the bundle has no integrity log.");
            return null;
        }

        bool isForTenant = IntegrityTail.Read(bundle.Logs.IntegrityLog.Span, out _) is { Openings.IsEmpty: false };
        if (!isForTenant)
        {
            _unverified.Add("What the host did since its boot: the bundle has only the digests of its integrity log.");
        }

        return new IntegrityDemand(isForTenant ? pins.Tenant : null, Known: null);
    }

    private EnrolledKey? Enrolment()
    {
        if (TenantServices.KeyOf(_book, pins.Tenant) is not { } service)
        {
            return null;
        }

        EnrolledKey? found = null;
        foreach (byte[] document in bundle.Enrolments)
        {
            if (EnrolmentDocument.Verify(document, pins.Tenant, service, out string fault) is not { } key)
            {
                Refuse(BundleFault.EnrolmentRefused, fault);
            }
            else if (key.Host == pins.Host.ToString())
            {
                found ??= key;
            }
        }

        return found;
    }

    /// <summary>What makes the evidence fresh; null when the pinned checkpoint cannot be used.</summary>
    private CheckpointRule? Rule()
    {
        if (pins.Nonce is null && pins.Checkpoint is null)
        {
            Refuse(BundleFault.FreshnessNotPinned,
                "Neither a nonce nor a checkpoint is pinned, so nothing says when the evidence was made.");
        }

        if (pins.Nonce is null)
        {
            _unverified.Add("No nonce is pinned: whom the evidence was made for is not known.");
        }

        if (LogKey() is not { } log)
        {
            Refuse(BundleFault.CheckpointRefused,
                $"The newest root of the operator {pins.Host.Operator.Short} names no log.");
            return null;
        }

        if (pins.Checkpoint is not { } note)
        {
            _unverified.Add("No checkpoint is pinned: whether the host and you are shown one history is not judged.");
            return new CheckpointRule(log.Name, 0, _ => CheckpointStanding.Consistent);
        }

        switch (Checkpoint.Open(note.Span, log, log.Name))
        {
            case CheckpointVerdict.Opened { Checkpoint: var held }:
                return new CheckpointRule(log.Name, held.Size, claimed => Stand(held, claimed));
            case CheckpointVerdict.Refused refused:
                Refuse(BundleFault.CheckpointRefused, $"The pinned checkpoint: {refused.Sentence}");
                return null;
            default:
                throw new UnreachableException();
        }
    }

    private CheckpointStanding Stand(VerifiedCheckpoint held, EvidenceCheckpoint claimed) =>
        claimed.Size <= held.Size
            ? claimed.Size < held.Size || claimed.Root == held.Root
                ? CheckpointStanding.Consistent : CheckpointStanding.Inconsistent
            : bundle.Proofs.Any(proof => proof.OldSize == held.Size && proof.NewSize == claimed.Size
                && proof.Proves(held.Root, claimed.Root))
                ? CheckpointStanding.Consistent : CheckpointStanding.Inconsistent;

    private NoteKey? LogKey() =>
        _book.RootInForce(pins.Host.Operator)?.Statement.Body is { } body
        && body.TryGetProperty("log", out JsonElement log) && log.ValueKind == JsonValueKind.Object
        && log.TryGetProperty("origin", out JsonElement origin) && origin.ValueKind == JsonValueKind.String
        && log.TryGetProperty("key", out JsonElement key) && key.ValueKind == JsonValueKind.String
        && PublicKey.TryParseBase64(key.GetString(), out PublicKey? parsed)
        && origin.GetString() is { } name
            ? NoteKey.Find(name, parsed)
            : null;

    private void Refuse(BundleFault fault, string sentence) => _reasons.Add(BundleReason.Of(fault, sentence));

    private void Refuse(KeyRefusalCode code, string sentence) => _reasons.Add(BundleReason.Of(code, sentence));
}
