using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.IntegrityLog;
using Bailiwick.Tests.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Domains.Bundles;

/// <summary>A bundle judged offline: the same reasons as online, and nothing believed because it is in the bundle.
/// </summary>
public sealed class BundleJudgeTests : IDisposable
{
    private readonly BundleScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Accepts_a_host_that_meets_every_demand_and_says_what_it_could_not_verify()
    {
        var accepted = Assert.IsType<BundleVerdict.Accepted>(Judge(_scene.Bundle()));
        Assert.Equal(AssuranceLevel.SoftwareTpm, accepted.Level);
        Assert.Equal(_scene.HostName, accepted.Evidence.Host);
        Assert.Equal(1, accepted.Domain.Origin.Revision);
        Assert.Contains(accepted.Unverified, one => one.Contains("newest policy", StringComparison.Ordinal));
        Assert.Contains(accepted.Unverified, one => one.Contains("No checkpoint", StringComparison.Ordinal));
        accepted = Assert.IsType<BundleVerdict.Accepted>(Judge(
            _scene.Bundle(), _scene.Pins with { Checkpoint = _scene.Note(5), Revision = 1 }));
        Assert.Single(accepted.Unverified);
    }

    [Fact]
    public void Follows_the_integrity_log_to_the_register_and_says_when_it_could_not()
    {
        EvidenceBundle whole = _scene.Bundle();
        var accepted = Assert.IsType<BundleVerdict.Accepted>(Judge(whole));
        Assert.Equal(2, accepted.Evidence.Followed?.Openings.Length);
        Assert.Equal(6, accepted.Evidence.Followed?.Position.Head.Entries - accepted.Evidence.Followed?.From);
        foreach ((ReadOnlyMemory<byte> log, string says) in new[]
        {
            (ReadOnlyMemory<byte>.Empty, "no integrity log"),
            (QuotedEvidence.Log.Tail(null).Write(), "only the digests"),
        })
        {
            accepted = Assert.IsType<BundleVerdict.Accepted>(
                Judge(whole with { Logs = whole.Logs with { IntegrityLog = log } }));
            Assert.Contains(accepted.Unverified, one => one.Contains(says, StringComparison.Ordinal));
        }

        IntegrityTail tail = QuotedEvidence.Log.Tail(_scene.Tenant.Id);
        byte[] changed = tail.Commitments.ToArray();
        changed[^1] ^= 1;
        AssertRefused("evidence-integrity-log-mismatch", With(tail with { Commitments = changed }));
        ReadOnlyMemory<byte> cut = tail.Commitments[..^32];
        AssertRefused("evidence-integrity-log-mismatch", With(tail with { Commitments = cut }));
        AssertRefused("evidence-integrity-opening-foreign", With(QuotedEvidence.Log.Tail(IntegrityScene.Bank)));
        EvidenceLogs malformed = whole.Logs with { IntegrityLog = "{}"u8.ToArray() };
        AssertRefused("evidence-integrity-log-malformed", whole with { Logs = malformed });

        EvidenceBundle With(IntegrityTail shown) =>
            whole with { Logs = whole.Logs with { IntegrityLog = shown.Write() } };
    }

    [Fact]
    public void Refuses_without_anything_that_makes_it_fresh() =>
        AssertRefused("freshness-not-pinned", _scene.Bundle(), _scene.Pins with { Nonce = null });

    [Fact]
    public void A_nonce_that_is_not_the_evidences_refuses_it_and_an_empty_one_is_no_pin_that_all_fits()
    {
        AssertRefused("evidence-nonce", _scene.Bundle(), _scene.Pins with { Nonce = new byte[32] });
        AssertRefused("evidence-nonce", _scene.Bundle(), _scene.Pins with { Nonce = ReadOnlyMemory<byte>.Empty });
    }

    [Fact]
    public void A_checkpoint_alone_is_enough_where_the_evidence_is_not_older_and_of_one_history()
    {
        BundlePins pins = _scene.Pins with { Nonce = null };
        Assert.IsType<BundleVerdict.Accepted>(
            Judge(_scene.Bundle(), pins with { Checkpoint = _scene.Note(5) }));
        AssertRefused("evidence-stale", _scene.Bundle(), pins with { Checkpoint = _scene.Note(6) });
        AssertRefused("evidence-forked", _scene.Bundle(), pins with { Checkpoint = _scene.Note(3) });
        EvidenceBundle proved = _scene.Bundle() with { Proofs = [_scene.Proof(3, 5)] };
        Assert.IsType<BundleVerdict.Accepted>(Judge(proved, pins with { Checkpoint = _scene.Note(3) }));
        AssertRefused("evidence-forked", proved, pins with { Checkpoint = _scene.Note(4) });
        using var stranger = SignedParty.Key();
        AssertRefused("checkpoint-refused", proved, pins with { Checkpoint = _scene.Note(3, stranger) });
        AssertRefused("checkpoint-refused", proved, pins with { Checkpoint = ReadOnlyMemory<byte>.Empty });
    }

    [Fact]
    public void Another_tenant_operator_host_or_domain_than_pinned_is_refused()
    {
        using BundleScene other = new();
        EvidenceBundle bundle = _scene.Bundle();
        AssertAmong("unknown-tenant", bundle, _scene.Pins with { Domain = other.Pins.Domain });
        AssertAmong("unknown-host", bundle, _scene.Pins with { Host = other.Pins.Host });
        AssertAmong("unknown-domain", bundle, _scene.Pins with
        {
            Domain = _scene.Pins.Domain with { Name = SignedParty.NameOf("ledger") },
        });
        AssertAmong("unknown-host", bundle, _scene.Pins with
        {
            Host = _scene.Pins.Host with { Name = SignedParty.NameOf("host-2") },
        });

        // All of another tenant's bundle is well signed, by that tenant.
        AssertAmong("unknown-tenant", other.Bundle(), _scene.Pins);
    }

    [Fact]
    public void Evidence_of_another_host_key_or_TPM_is_refused_with_the_reason_of_online()
    {
        AssertRefused("evidence-signature", _scene.Bundle() with
        {
            Evidence = EvidenceDocument.Write(_scene.Claims().With(_scene.Tpm), Signatory.NewKey()),
        });
        AssertAmong("evidence-other-attestation-key", _scene.Bundle() with
        {
            Evidence = EvidenceDocument.Write(_scene.Claims().With(new SoftwareTpm()), _scene.Host),
        });
        AssertRefused("evidence-other-tpm", _scene.Bundle() with
        {
            Statements =
            [
                .. _scene.Bundle().Statements,
                _scene.Operator.Sign(StatementKind.Host, "host-1", _scene.HostBody(new SoftwareTpm())),
            ],
        });
    }

    [Fact]
    public void An_enrolment_that_is_missing_or_that_another_signed_is_refused()
    {
        AssertRefused("evidence-not-enrolled", _scene.Bundle() with { Enrolments = [] });
        AssertAmong("enrolment-refused", _scene.Bundle() with
        {
            Enrolments = [_scene.Enrolment(Signatory.NewKey())],
        });
        AssertRefused("enrolment-refused", _scene.Bundle() with
        {
            Enrolments = [_scene.Enrolment(), _scene.Enrolment(Signatory.NewKey())],
        });
    }

    [Fact]
    public void Logs_that_were_changed_or_left_out_prove_nothing()
    {
        AssertAmong("evidence-boot-log-mismatch", _scene.Bundle() with
        {
            Logs = QuotedEvidence.Logs with { BootLog = QuotedEvidence.Logs.BootLog[..^40] },
        }, "evidence-boot-log-malformed");
        AssertRefused("evidence-demand", _scene.Bundle() with { Logs = EvidenceLogs.None });
    }

    [Fact]
    public void A_demand_that_breaks_names_itself()
    {
        byte[] policy = _scene.Tenant.Sign(StatementKind.Domain, "web", _scene.DomainBody(
            """{"kind":"secure-boot","state":"off"}"""));
        var refused = Assert.IsType<BundleVerdict.Refused>(
            Judge(_scene.Bundle() with { Statements = [.. _scene.Bundle().Statements, policy] }));
        BundleReason reason = Assert.Single(refused.Reasons);
        Assert.Equal("evidence-demand", reason.Code);
        Assert.Contains("secure boot", reason.Sentence, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void An_older_policy_than_the_reader_knows_is_a_rollback()
    {
        byte[] newer = _scene.Tenant.Sign(StatementKind.Domain, "web", _scene.DomainBody());
        BundlePins pins = _scene.Pins with { Revision = 2 };
        AssertRefused("policy-rolled-back", _scene.Bundle(), pins);
        Assert.IsType<BundleVerdict.Accepted>(
            Judge(_scene.Bundle() with { Statements = [.. _scene.Bundle().Statements, newer] }, pins));
    }

    [Fact]
    public void A_statement_that_is_forged_left_out_or_expired_is_told()
    {
        using SignedParty thief = new(StatementKind.Tenant, "thief", 1, 1);
        thief.SignRoot(_scene.RootBody());
        byte[] forged = _scene.Tenant.SignAside(
            StatementKind.Domain, "web", _scene.DomainBody(), thief.Signers);
        AssertRefused("statement-refused", _scene.Bundle() with
        {
            Statements = [.. _scene.Bundle().Statements, forged],
        });
        AssertAmong("unknown-tenant", _scene.Bundle() with { Statements = [_scene.Directory, _scene.HostStatement] });
        AssertRefused("domain-expired", _scene.Bundle(), _scene.Pins with
        {
            Now = new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero),
        });
    }

    [Fact]
    public void Only_its_exact_form_is_read()
    {
        byte[] good = _scene.Bundle().Write();
        Assert.NotNull(EvidenceBundle.Read(good, out _));
        Assert.Equal(good, EvidenceBundle.Read(good, out _)?.Write());
        foreach (byte[] bad in (byte[][])
            [
                [], [.. good, (byte)' '], good[..^1], [.. good[..^1], .. ",\"z\":1}"u8],
                [.. "{\"a\":1,"u8, .. good[1..]], "[]"u8.ToArray(), "{}"u8.ToArray(),
            ])
        {
            Assert.Null(EvidenceBundle.Read(bad, out string fault));
            Assert.NotEmpty(fault);
        }

        Assert.Null(EvidenceBundle.Read((_scene.Bundle() with
        {
            Proofs = [.. Enumerable.Repeat(_scene.Proof(3, 5), BundleLimits.Proofs + 1)],
        }).Write(), out _));
        Assert.Null(EvidenceBundle.Read((_scene.Bundle() with
        {
            Enrolments = [.. Enumerable.Repeat(_scene.Enrolment(), BundleLimits.Enrolments + 1)],
        }).Write(), out _));
    }

    [Fact]
    public void No_byte_outside_of_the_logs_can_be_changed_unnoticed()
    {
        byte[] good = _scene.Bundle().Write();
        string text = System.Text.Encoding.UTF8.GetString(good);
        int begin = text.IndexOf("\"bootLog\":", StringComparison.Ordinal);
        int end = text.IndexOf("\"enrolments\":", StringComparison.Ordinal);
        using VerifierKeyCache keys = new(4);
        var random = new Random(20_261_121);
        for (int i = 0; i < 300; i++)
        {
            // A boot log carries text beside its digests that no register covers; it decides nothing.
            int at = random.Next(good.Length);
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << random.Next(8));
            Assert.True(
                (at >= begin && at < end) || text.AsSpan(at).IndexOf("\"runtimeLog\"") < 0
                || BundleJudge.Judge(bad, _scene.Pins, keys) is BundleVerdict.Refused,
                $"byte {at}");
        }
    }

    private BundleVerdict Judge(EvidenceBundle bundle, BundlePins? pins = null) =>
        BundleScene.Judge(bundle, pins ?? _scene.Pins);

    private void AssertRefused(string code, EvidenceBundle bundle, BundlePins? pins = null)
    {
        var refused = Assert.IsType<BundleVerdict.Refused>(Judge(bundle, pins));
        Assert.Equal([code], refused.Reasons.Select(reason => reason.Code).Distinct());
        Assert.All(refused.Reasons, reason => Assert.NotEmpty(reason.Sentence));
    }

    private void AssertAmong(string code, EvidenceBundle bundle, BundlePins pins) =>
        Assert.Contains(code, Codes(bundle, pins));

    private void AssertAmong(string code, EvidenceBundle bundle, string? orElse = null) =>
        Assert.Contains(Codes(bundle, _scene.Pins), found => found == code || found == orElse);

    private IEnumerable<string> Codes(EvidenceBundle bundle, BundlePins pins) =>
        Assert.IsType<BundleVerdict.Refused>(Judge(bundle, pins)).Reasons.Select(reason => reason.Code);
}
