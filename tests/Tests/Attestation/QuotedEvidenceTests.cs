using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.Endorsement;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.RuntimeLog;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation;

/// <summary>Each reason against a quote in evidence is reached by one planted cause, and by nothing but it.</summary>
public sealed class QuotedEvidenceTests
{
    private const string Host = "0000000000000000000000000000000000000000000000000000000000000001/host-1";
    private static readonly EcdsaSigner Identity = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly EcdsaSigner Stranger = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly VerifierKeyCache Keys = new(16);
    private static readonly PartyId Tenant = PartyId.Unsigned("bank");
    private static readonly byte[] Nonce = RandomNumberGenerator.GetBytes(32);
    private static readonly SoftwareTpm Tpm = new();
    private static readonly SoftwareTpm OtherTpm = new();
    private static readonly EnrolledKey Enrolled = Tpm.Enrol(Tenant, Host);

    [Fact]
    public void Verifies_a_quote_by_the_enrolled_key_over_what_is_said()
    {
        VerifiedEvidence evidence = Verified(Claims().With(Tpm));
        Assert.Equal(EvidenceAssurance.SoftwareTpm, evidence.Assurance);
        Assert.Null(evidence.Vendors);
        Assert.Equal(16, evidence.Quote?.Values.Count);
        Assert.Equal(Bytes(QuotedEvidence.Registers), Bytes(evidence.Quote?.Values ?? PcrValues.None));
        Assert.Equal(EvidenceAssurance.Software, Verified(Claims()).Assurance);
    }

    [Fact]
    public void Only_a_vendor_that_was_chosen_makes_the_level_tpm()
    {
        EkMaker vendor = EkMaker.Root("CN=Vendor"), other = EkMaker.Root("CN=Other Vendor");
        VerifiedEvidence Given(EkMaker? by, EkMaker? believed) => Verified(Claims().With(Tpm), Expectation() with
        {
            Enrolment = Tpm.Enrol(Tenant, Host, believed is null ? null : SoftwareTpm.Believed(believed), by),
        });
        VerifiedEvidence genuine = Given(vendor, vendor);
        Assert.Equal(EvidenceAssurance.Tpm, genuine.Assurance);
        Assert.Equal(SoftwareTpm.Believed(vendor).File, genuine.Vendors);
        Assert.Equal(EvidenceAssurance.SoftwareTpm, Given(vendor, other).Assurance);
        Assert.Equal(EvidenceAssurance.SoftwareTpm, Given(vendor, null).Assurance);
        Assert.Equal(EvidenceAssurance.SoftwareTpm, Given(null, vendor).Assurance);
    }

    [Fact]
    public void Refuses_a_quote_where_no_key_is_enrolled() =>
        AssertOnly(EvidenceRefusalCode.NotEnrolled, Claims().With(Tpm), Expectation() with { Enrolment = null });

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001/host-2")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001/HOST-1")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001/host-1 ")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001/h\u043est-1")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001/host%2d1")]
    public void Refuses_a_quote_by_what_is_enrolled_for_another_host(string other) => AssertOnly(
        EvidenceRefusalCode.NotEnrolled, Claims().With(Tpm),
        Expectation() with { Enrolment = Tpm.Enrol(Tenant, other) });

    [Fact]
    public void Refuses_another_TPM_than_the_operator_states()
    {
        AssertOnly(EvidenceRefusalCode.OtherTpm, Claims().With(Tpm),
            Expectation() with { EndorsementKey = OtherTpm.EndorsementId });
        AssertOnly(EvidenceRefusalCode.OtherTpm, Claims().With(Tpm), Expectation() with { EndorsementKey = null });
    }

    [Fact]
    public void Refuses_a_quote_that_names_another_key_or_was_made_by_one()
    {
        EvidenceClaims good = Claims().With(Tpm);
        TpmClaims tpm = good.Tpm ?? throw new InvalidOperationException();
        AssertOnly(EvidenceRefusalCode.OtherAttestationKey,
            good with { Tpm = tpm with { AttestationKey = OtherTpm.Quoting.Area } });
        EvidenceClaims foreign = Claims().With(OtherTpm);
        AssertOnly(EvidenceRefusalCode.QuoteSignature,
            foreign with { Tpm = foreign.Tpm is { } f ? f with { AttestationKey = Tpm.Quoting.Area } : null });
    }

    [Theory]
    [InlineData("host")]
    [InlineData("origin")]
    [InlineData("size")]
    [InlineData("root")]
    [InlineData("boot")]
    [InlineData("channel key")]
    [InlineData("entries")]
    [InlineData("head")]
    [InlineData("nonce")]
    [InlineData("no nonce")]
    public void Refuses_a_quote_over_anything_else_than_what_is_said(string member)
    {
        EvidenceClaims said = Claims();
        EvidenceClaims other = member switch
        {
            "host" => said with { Host = Host[..^1] + "2" },
            "origin" => said with { Checkpoint = said.Checkpoint with { Origin = "other.example" } },
            "size" => said with { Checkpoint = said.Checkpoint with { Size = 6 } },
            "root" => said with { Checkpoint = said.Checkpoint with { Root = Digest32.Of("x"u8) } },
            "boot" => said with { Boot = Guid.Parse("e0000000-0000-0000-0000-000000000001") },
            "channel key" => said with { ChannelKey = Stranger.PublicKey },
            "entries" => said with { IntegrityLog = said.IntegrityLog with { Entries = 6 } },
            "head" => said with { IntegrityLog = said.IntegrityLog with { Digest = Digest32.Of("x"u8) } },
            "nonce" => said with { Nonce = new byte[32] },
            "no nonce" => said with { Nonce = default },
            _ => throw new ArgumentOutOfRangeException(nameof(member)),
        };
        AssertOnly(EvidenceRefusalCode.QuoteReplayed, said with { Tpm = other.With(Tpm).Tpm });
        Verified(said with { Tpm = said.With(Tpm).Tpm });
    }

    [Fact]
    public void Refuses_a_head_that_the_quoted_register_does_not_hold()
    {
        EvidenceClaims said = Claims();
        AssertOnly(EvidenceRefusalCode.IntegrityHeadNotQuoted,
            (said with { IntegrityLog = QuotedEvidence.Log.HeadAt(5) }).With(Tpm));
        AssertOnly(EvidenceRefusalCode.IntegrityHeadNotQuoted,
            (said with { IntegrityLog = said.IntegrityLog with { Digest = IntegrityHead.Zero } }).With(Tpm));
        Verified(said.With(Tpm));
    }

    [Fact]
    public void Follows_the_log_up_to_the_quoted_head_and_refuses_every_other_log()
    {
        EvidenceExpectation following = Expectation() with { IntegrityLog = new(Tenant, null) };
        IntegrityTail shown = QuotedEvidence.Log.Tail(Tenant);
        EvidenceLogs Logs(IntegrityTail tail) => QuotedEvidence.Logs with { IntegrityLog = tail.Write() };
        IntegrityReading.Followed? followed = Verified(Claims().With(Tpm), following, Logs(shown)).Followed;
        Assert.Equal(QuotedEvidence.Log.Position, followed?.Position);
        Assert.Equal(shown.Openings.Length, followed?.Openings.Length);
        Assert.Null(Verified(Claims().With(Tpm)).Followed);

        void Refuses(EvidenceRefusalCode code, EvidenceLogs logs, IntegrityPosition? known = null) => AssertOnly(
            code, Claims().With(Tpm), following with { IntegrityLog = new(Tenant, known) }, logs);
        byte[] changed = shown.Commitments.ToArray();
        changed[40] ^= 1;
        IntegrityOpening foreign = QuotedEvidence.Log.Entries[3];
        Refuses(EvidenceRefusalCode.IntegrityLogMissing, QuotedEvidence.Logs);
        Refuses(EvidenceRefusalCode.IntegrityLogMalformed,
            QuotedEvidence.Logs with { IntegrityLog = "{}"u8.ToArray() });
        Refuses(EvidenceRefusalCode.IntegrityLogPosition, Logs(QuotedEvidence.Log.Tail(Tenant, after: 2)));
        Refuses(EvidenceRefusalCode.IntegrityLogIncomplete, Logs(shown with { Openings = [] }));
        Refuses(EvidenceRefusalCode.IntegrityLogMismatch, Logs(shown with { Commitments = changed }));
        Refuses(EvidenceRefusalCode.IntegrityLogRewritten, Logs(shown),
            QuotedEvidence.Log.At(3) with { Head = new(4, Digest32.Of("other"u8)) });
        Refuses(EvidenceRefusalCode.IntegrityOpeningFalse, Logs(shown with
        {
            Openings = [shown.Openings[0], shown.Openings[1] with { Salt = new byte[32] }],
        }));
        Refuses(EvidenceRefusalCode.IntegrityOpeningForeign,
            Logs(shown with { Openings = [shown.Openings[0], foreign] }));
        Verified(Claims().With(Tpm), following with { IntegrityLog = new(Tenant, QuotedEvidence.Log.At(2)) },
            Logs(QuotedEvidence.Log.Tail(Tenant, after: 2)));
    }

    [Fact]
    public void A_hosts_word_is_held_against_the_stated_head_alone()
    {
        EvidenceExpectation following = Expectation() with { IntegrityLog = new(Tenant, null) };
        EvidenceLogs logs = EvidenceLogs.None with { IntegrityLog = QuotedEvidence.Log.Tail(Tenant).Write() };
        Assert.NotNull(Verified(Claims(), following, logs).Followed);
        AssertOnly(EvidenceRefusalCode.IntegrityLogMismatch,
            Claims() with { IntegrityLog = QuotedEvidence.Log.Head with { Digest = Digest32.Of("x"u8) } },
            following, logs);
    }

    [Fact]
    public void Refuses_a_quote_whose_nonce_is_only_the_verifiers_own() => AssertOnly(
        EvidenceRefusalCode.QuoteReplayed,
        Claims().With(
            Tpm, Tpm.Quoting.Attest(Nonce, EvidenceRegisters.Selection, QuotedEvidence.Registers),
            QuotedEvidence.Registers));

    [Fact]
    public void Refuses_values_that_are_not_the_quoted_ones()
    {
        EvidenceClaims good = Claims().With(Tpm);
        PcrValue[] all = [.. QuotedEvidence.Registers.All];
        PcrValues Changed(int register) => QuotedEvidence.Of(all.Select(value =>
            value.Register == register ? value with { Value = new byte[32].Select(_ => (byte)7).ToArray() } : value));
        EvidenceClaims With(PcrValues values) => good with
        {
            Tpm = good.Tpm is { } tpm ? tpm with { Registers = values } : null,
        };
        foreach (int register in Enumerable.Range(0, 16))
        {
            AssertOnly(EvidenceRefusalCode.QuoteValues, With(Changed(register)));
            AssertOnly(EvidenceRefusalCode.QuoteValues,
                With(QuotedEvidence.Of(all.Where(value => value.Register != register))));
        }

        AssertOnly(EvidenceRefusalCode.QuoteValues,
            With(QuotedEvidence.Of([.. all, new PcrValue(TpmHash.Sha256, 16, new byte[32])])));
        Verified(With(QuotedEvidence.Of(all)));
    }

    [Fact]
    public void Refuses_a_quote_over_fewer_registers_or_another_bank()
    {
        foreach (int[] registers in (int[][])[[.. Enumerable.Range(0, 15)], [15], [.. Enumerable.Range(0, 17)]])
        {
            PcrSelection selection = PcrSelection.Of(TpmHash.Sha256, registers);
            PcrValues values = QuotedEvidence.Of(QuotedEvidence.Registers.All.Where(v => registers.Contains(v.Register))
                .Concat(registers.Contains(16) ? [new PcrValue(TpmHash.Sha256, 16, new byte[32])] : []));
            AssertOnly(EvidenceRefusalCode.QuoteSelection, Quoted(selection, values));
        }

        AssertOnly(EvidenceRefusalCode.QuoteSelection, Quoted(
            PcrSelection.Of(TpmHash.Sha384, Enumerable.Range(0, 16)),
            QuotedEvidence.Of(Enumerable.Range(0, 16).Select(r => new PcrValue(TpmHash.Sha384, r, new byte[48])))));
        Verified(Quoted(EvidenceRegisters.Selection, QuotedEvidence.Registers));
    }

    [Fact]
    public void Refuses_what_is_signed_by_the_key_and_is_no_quote()
    {
        TpmAttest good = Tpm.Quoting.Attest(
            EvidenceDocument.Binding(Claims()).Bytes.ToArray(), EvidenceRegisters.Selection, QuotedEvidence.Registers);
        TpmName name = Tpm.Quoting.Area.Name;
        AssertOnly(EvidenceRefusalCode.QuoteMalformed, Claims().With(
            Tpm, good with { Body = new TpmAttestBody.Certify(name, name) }, QuotedEvidence.Registers));
        byte[] message = good.Write();
        message[0] ^= 1;
        var forged = Tpm.Quoting.Sign(message, QuotedEvidence.Registers);
        AssertOnly(EvidenceRefusalCode.QuoteMalformed, Claims() with
        {
            Tpm = new TpmClaims(Tpm.Quoting.Area, forged.Message, forged.Signature, QuotedEvidence.Registers),
        });
    }

    [Fact]
    public void Refuses_a_TPM_whose_counters_went_back()
    {
        TpmClockInfo now = Verified(Claims().With(Tpm)).Quote?.Clock ?? throw new InvalidOperationException();
        foreach (TpmClockInfo later in (TpmClockInfo[])
            [
                now with { ResetCount = now.ResetCount + 1 }, now with { RestartCount = now.RestartCount + 1 },
                now with { Clock = now.Clock + 1 },
            ])
        {
            AssertOnly(EvidenceRefusalCode.TpmRolledBack, Claims().With(Tpm), Expectation() with { LastSeen = later });
        }

        foreach (TpmClockInfo earlier in (TpmClockInfo[])
            [
                now, now with { ResetCount = now.ResetCount - 1 }, now with { RestartCount = now.RestartCount - 1 },
                now with { Clock = now.Clock - 1 },
            ])
        {
            Verified(Claims().With(Tpm), Expectation() with { LastSeen = earlier });
        }
    }

    [Fact]
    public void Logs_give_facts_and_no_log_gives_none()
    {
        VerifiedEvidence both = Verified(Claims().With(Tpm), logs: QuotedEvidence.Logs);
        Assert.NotNull(both.BootFacts);
        Assert.NotNull(both.Runtime);
        VerifiedEvidence none = Verified(Claims().With(Tpm));
        Assert.Null(none.BootFacts);
        Assert.Null(none.Runtime);
        VerifiedEvidence boot = Verified(Claims().With(Tpm), logs: QuotedEvidence.Logs with { RuntimeLog = default });
        Assert.NotNull(boot.BootFacts);
        Assert.Null(boot.Runtime);
        VerifiedEvidence unquoted = Verified(Claims(), logs: QuotedEvidence.Logs);
        Assert.Null(unquoted.BootFacts);
        Assert.Null(unquoted.Runtime);
    }

    [Fact]
    public void Refuses_a_boot_log_that_cannot_be_read_or_is_of_another_boot()
    {
        byte[] log = QuotedEvidence.Logs.BootLog.ToArray();
        AssertOnly(EvidenceRefusalCode.BootLogMalformed, Claims().With(Tpm),
            logs: QuotedEvidence.Logs with { BootLog = log.AsMemory(0, log.Length - 1) });
        AssertOnly(EvidenceRefusalCode.BootLogMalformed, Claims().With(Tpm),
            logs: QuotedEvidence.Logs with { BootLog = "no log"u8.ToArray() });
        AssertOnly(EvidenceRefusalCode.BootLogMismatch, Claims().With(Tpm),
            logs: QuotedEvidence.Logs with { BootLog = new BootScene { SecureBoot = [0] }.Write() });
    }

    [Fact]
    public void Refuses_a_runtime_log_that_does_not_give_its_register()
    {
        RuntimeScene other = RuntimeScene.Good(), longer = RuntimeScene.Good(), shorter = new();
        other.File("/usr/bin/cat", "cat");
        longer.File("/usr/bin/cat", "cat");
        shorter.File("boot_aggregate", "aggregate");
        AssertOnly(EvidenceRefusalCode.RuntimeLogMismatch, Claims().With(Tpm),
            logs: QuotedEvidence.Logs with { RuntimeLog = shorter.Bytes });
        AssertOnly(EvidenceRefusalCode.RuntimeLogMismatch, Claims().With(Tpm),
            logs: QuotedEvidence.Logs with { RuntimeLog = other.Bytes.AsMemory(1) });

        // What ran after the quote may be in the log already; it is not believed, and the rest is.
        Assert.Equal(3, Verified(
            Claims().With(Tpm), logs: QuotedEvidence.Logs with { RuntimeLog = longer.Bytes }).Runtime?.After.Count
            .Entries);
    }

    [Fact]
    public void Takes_no_other_encoding_of_registers_than_its_own()
    {
        byte[] good = Convert.FromBase64String(Registers(EvidenceDocument.Write(Claims().With(Tpm), Identity)));
        AssertEncoding(EvidenceVerdictOf(good), true);
        AssertEncoding(EvidenceVerdictOf([.. good, 0]), false);
        foreach (int length in (int[])[0, 1, 2, 5, good.Length - 32, good.Length - 1])
        {
            AssertEncoding(EvidenceVerdictOf(good[..length]), false);
        }

        // Two banks of no register, an empty bank beside the full one, and a size that lies.
        byte[] values = good[(2 + good[1])..];
        byte[] empty = [0, 4, 0, 0, 0, 0];
        byte[] twice = [0, 0, 0, 2, 0, 11, 3, 0xff, 0xff, 0, 0, 12, 3, 0, 0, 0];
        AssertEncoding(EvidenceVerdictOf(empty), false, EvidenceRefusalCode.QuoteValues);
        AssertEncoding(EvidenceVerdictOf([0, (byte)twice.Length, .. twice, .. values]), false);
        AssertEncoding(EvidenceVerdictOf([0xff, 0xff, .. good[2..]]), false);
    }

    [Fact]
    public void No_mutation_of_evidence_with_a_quote_verifies_or_throws()
    {
        var random = new Random(20261121);
        byte[] good = EvidenceDocument.Write(Claims().With(Tpm), Identity);
        for (int i = 0; i < 2000; i++)
        {
            byte[] changed = Mutation.Of(good, random);
            Assert.True(changed.AsSpan().SequenceEqual(good)
                || Judge(changed, Expectation(), EvidenceLogs.None) is EvidenceVerdict.Refused);
        }

        for (int i = 0; i < 600; i++)
        {
            string member = (string[])["attestationKey", "quote", "signature", "registers"] is var names
                ? names[i % 4] : "";
            JsonObject said = Payload(good);
            JsonObject tpm = said["tpm"] as JsonObject ?? [];
            byte[] before = Convert.FromBase64String(tpm[member]?.GetValue<string>() ?? "");
            byte[] after = Mutation.Of(before, random);
            tpm[member] = Convert.ToBase64String(after);
            Assert.True(after.AsSpan().SequenceEqual(before)
                || Judge(Signed(said), Expectation(), EvidenceLogs.None) is EvidenceVerdict.Refused);
        }
    }

    private static void AssertEncoding(
        EvidenceVerdict verdict, bool taken, EvidenceRefusalCode code = EvidenceRefusalCode.Malformed)
    {
        if (taken)
        {
            Assert.IsType<EvidenceVerdict.Verified>(verdict);
            return;
        }

        var refused = Assert.IsType<EvidenceVerdict.Refused>(verdict);
        Assert.Equal(code, Assert.Single(refused.Refusals).Code);
    }

    private static EvidenceVerdict EvidenceVerdictOf(byte[] registers)
    {
        JsonObject said = Payload(EvidenceDocument.Write(Claims().With(Tpm), Identity));
        if (said["tpm"] is JsonObject tpm)
        {
            tpm["registers"] = Convert.ToBase64String(registers);
        }

        return Judge(Signed(said), Expectation(), EvidenceLogs.None);
    }

    private static string Registers(byte[] envelope) =>
        Payload(envelope)["tpm"]?["registers"]?.GetValue<string>() ?? "";

    private static JsonObject Payload(byte[] envelope)
    {
        string payload = JsonNode.Parse(envelope)?["payload"]?.GetValue<string>() ?? "";
        var said = JsonNode.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(payload))) as JsonObject ?? [];
        said.Remove("bailiwick");
        return said;
    }

    private static byte[] Signed(JsonObject said) => SignedDocument.Sign(EvidenceDocument.QuoteFormat, said, Identity);

    private static byte[] Bytes(PcrValues values) => [.. values.All.SelectMany(value => value.Value.ToArray())];

    private static EvidenceClaims Quoted(PcrSelection selection, PcrValues values) => Claims().With(
        Tpm, Tpm.Quoting.Attest(EvidenceDocument.Binding(Claims()).Bytes.ToArray(), selection, values), values);

    private static VerifiedEvidence Verified(
        EvidenceClaims claims, EvidenceExpectation? expectation = null, EvidenceLogs? logs = null)
    {
        EvidenceVerdict verdict = Judge(
            EvidenceDocument.Write(claims, Identity), expectation ?? Expectation(), logs ?? EvidenceLogs.None);
        return Assert.IsType<EvidenceVerdict.Verified>(verdict).Evidence;
    }

    private static void AssertOnly(
        EvidenceRefusalCode code, EvidenceClaims claims, EvidenceExpectation? expectation = null,
        EvidenceLogs? logs = null)
    {
        var refused = Assert.IsType<EvidenceVerdict.Refused>(Judge(
            EvidenceDocument.Write(claims, Identity), expectation ?? Expectation(), logs ?? EvidenceLogs.None));
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }

    private static EvidenceVerdict Judge(byte[] envelope, EvidenceExpectation expectation, EvidenceLogs logs) =>
        EvidenceVerifier.Verify(envelope, expectation, logs, Keys);

    private static EvidenceClaims Claims() => new()
    {
        Host = Host,
        Checkpoint = new("log.example", 7, Digest32.Of("root"u8)),
        Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000"),
        ChannelKey = Identity.PublicKey,
        IntegrityLog = QuotedEvidence.Log.Head,
        Nonce = Nonce,
    };

    private static EvidenceExpectation Expectation() => new()
    {
        Host = Host,
        IdentityKey = Identity.PublicKey,
        EndorsementKey = Tpm.EndorsementId,
        Enrolment = Enrolled,
        ChannelKey = Identity.Id,
        Checkpoint = new CheckpointRule("log.example", 5, _ => CheckpointStanding.Consistent),
        IntegrityLog = null,
        Nonce = Nonce,
    };
}
