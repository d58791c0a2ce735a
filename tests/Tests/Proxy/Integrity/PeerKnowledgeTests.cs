using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>What a host holds of another is said only where it is enough for every domain that the two share.</summary>
public sealed class PeerKnowledgeTests : IDisposable
{
    private static readonly SoftwareTpm Tpm = new();
    private static readonly HostRef Peer = ReleaseScene.HostOf(1);
    private static readonly DomainRef Web = Domain(ReleaseScene.Bank, "web");
    private static readonly DomainRef Ledger = Domain(ReleaseScene.Bank, "ledger");
    private static readonly PartyId Other = PartyId.Unsigned("hospital");
    private readonly VerifierKeyCache _keys = new(16);
    private readonly PeerKnowledge _known = new();

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void What_is_held_is_said_when_all_domains_were_judged_by_it()
    {
        CheckedDatacentre datacentre = Policies("{kind: no-violations}");
        Assert.Null(_known.HeldOf(Peer, datacentre, [Web]));
        Take(datacentre, Web);
        LogsPosition held = Assert.IsType<LogsPosition>(_known.HeldOf(Peer, datacentre, [Web]));
        Assert.Equal(3, held.Entries);

        // Ledger demands nothing of the logs; a domain of another tenant was never judged.
        Assert.Equal(held, _known.HeldOf(Peer, datacentre, [Web, Ledger]));
        Assert.Null(_known.HeldOf(Peer, datacentre, [Web, Domain(Other, "ward")]));
        Assert.Null(_known.HeldOf(ReleaseScene.HostOf(2), datacentre, [Web]));
        Assert.Null(_known.HeldOf(Peer, datacentre, []));

        // The same demands read anew, and others.
        Assert.Equal(held, _known.HeldOf(Peer, Policies("{kind: no-violations}"), [Web]));
        Assert.Null(_known.HeldOf(Peer, Policies("{kind: crypto-agile}"), [Web]));
    }

    [Fact]
    public void Tenants_that_hold_other_positions_are_shown_everything()
    {
        CheckedDatacentre datacentre = Policies("{kind: no-violations}");
        Take(datacentre, Web);
        _known.Take(Other, Peer, Verdict(resets: 1));
        Assert.NotNull(_known.HeldOf(Peer, datacentre, [Web, Domain(Other, "ward")]));
        _known.Take(Other, Peer, Verdict(resets: 2));
        Assert.Null(_known.HeldOf(Peer, datacentre, [Web, Domain(Other, "ward")]));
        Assert.NotNull(_known.HeldOf(Peer, datacentre, [Web]));
    }

    [Fact]
    public void A_demand_that_is_not_met_and_a_failure_of_the_judge_forget_the_boot_and_not_the_log()
    {
        CheckedDatacentre strict = Policies("{kind: secure-boot, state: \"off\"}");
        CheckedDatacentre datacentre = Policies("{kind: no-violations}");
        Take(datacentre, Web);
        Assert.NotNull(_known.BootOf(ReleaseScene.Bank, Peer));
        Assert.NotEmpty(Take(strict, Web));
        Assert.Null(_known.BootOf(ReleaseScene.Bank, Peer));
        Take(datacentre, Web);
        _known.Forget(Peer, [Web]);
        Assert.Null(_known.BootOf(ReleaseScene.Bank, Peer));
        Assert.NotNull(_known.FollowedOf(Peer));
    }

    [Fact]
    public void Who_shares_no_domain_any_more_is_forgotten()
    {
        CheckedDatacentre datacentre = Policies("{kind: no-violations}");
        Take(datacentre, Web);
        _known.Keep([(Peer, Web)]);
        Assert.NotNull(_known.HeldOf(Peer, datacentre, [Web]));
        Assert.NotNull(_known.FollowedOf(Peer));
        _known.Keep([(Peer, Domain(Other, "ward"))]);
        Assert.Null(_known.BootOf(ReleaseScene.Bank, Peer));
        Assert.NotNull(_known.FollowedOf(Peer));
        _known.Keep([(ReleaseScene.HostOf(2), Web)]);
        Assert.Null(_known.FollowedOf(Peer));
    }

    private static DomainRef Domain(PartyId tenant, string name) => new(tenant, StatementName.Parse(name));

    private static CheckedDatacentre Policies(string demand) => ReleaseScene.Policies
        .With("bank/web.yaml", "  assurance: [software]\n",
            $"  assurance: [software-tpm]\n  evidence:\n    - {demand}\n")
        .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
        .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n").Check().Datacentre;

    private ImmutableArray<string> Take(CheckedDatacentre datacentre, DomainRef domain)
    {
        EvidenceVerdict verdict = Verdict(resets: 1);
        ImmutableArray<string> against =
            LeaseControl.Against(verdict, datacentre, Peer, domain, new ReleaseScene().Now);
        _known.Take(domain.Tenant, Peer, verdict);
        return against;
    }

    /// <summary>Good evidence of the peer, judged for the bank.</summary>
    private EvidenceVerdict Verdict(uint resets)
    {
        ReleaseScene scene = new();
        EvidenceClaims claims = scene.Claims();
        var attest = Tpm.Quoting.Attest(
            EvidenceDocument.Binding(claims).Bytes.ToArray(), EvidenceRegisters.Selection, QuotedEvidence.Registers);
        byte[] envelope = EvidenceDocument.Write(
            claims.With(Tpm, attest with { Clock = attest.Clock with { ResetCount = resets } },
                QuotedEvidence.Registers),
            ReleaseScene.Host1);
        return EvidenceVerifier.Verify(
            envelope,
            new EvidenceExpectation
            {
                Host = Peer.ToString(),
                IdentityKey = ReleaseScene.Host1.PublicKey,
                EndorsementKey = Tpm.EndorsementId,
                Enrolment = Tpm.Enrol(ReleaseScene.Bank, Peer.ToString()),
                ChannelKey = ReleaseScene.Host1.Id,
                Checkpoint = new CheckpointRule("log.example", 0, _ => CheckpointStanding.Consistent),
                IntegrityLog = new IntegrityDemand(null, null),
                Nonce = scene.Nonce,
            },
            QuotedEvidence.Logs with { IntegrityLog = QuotedEvidence.Log.Tail(null).Write() }, _keys);
    }
}
