using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Tests.Attestation;

/// <summary>Each reason against evidence is reached by one planted cause, and by nothing but it.</summary>
public sealed class EvidenceTests
{
    private const string Host = "0000000000000000000000000000000000000000000000000000000000000001/host-1";
    private static readonly EcdsaSigner Identity = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly EcdsaSigner Stranger = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly EvidenceLogs Bare = EvidenceLogs.None;
    private static readonly VerifierKeyCache Keys = new(16);
    private static readonly byte[] Nonce = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void Verifies_evidence_that_meets_every_expectation()
    {
        var verified = Assert.IsType<EvidenceVerdict.Verified>(Verify(Claims()));
        Assert.Equal(EvidenceAssurance.Software, verified.Evidence.Assurance);
        Assert.Equal(Host, verified.Evidence.Host);
        Assert.Equal(7, verified.Evidence.IntegrityLog.Entries);
        Assert.Equal(Nonce, verified.Evidence.Nonce.ToArray());
    }

    [Fact]
    public void Takes_a_checkpoint_as_old_as_the_one_chosen_and_as_new_as_the_one_known()
    {
        Assert.IsType<EvidenceVerdict.Verified>(Verify(At(5, RootAt(5))));
        Assert.IsType<EvidenceVerdict.Verified>(Verify(At(9, RootAt(9))));
    }

    [Fact]
    public void Refuses_evidence_signed_by_another_key() =>
        AssertOnly(EvidenceRefusalCode.NotSignedByHost, EvidenceDocument.Write(Claims(), Stranger));

    [Fact]
    public void Refuses_evidence_signed_by_the_host_and_another() =>
        AssertOnly(
            EvidenceRefusalCode.NotSignedByHost,
            SignedDocument.Sign(EvidenceDocument.WordFormat, Members(), Identity, Stranger));

    [Fact]
    public void Refuses_evidence_without_a_signature() =>
        AssertOnly(EvidenceRefusalCode.NotSignedByHost, SignedDocument.Sign(EvidenceDocument.WordFormat, Members()));

    [Fact]
    public void Refuses_evidence_of_another_host() =>
        AssertOnly(EvidenceRefusalCode.OtherHost, Claims() with { Host = Host[..^1] + "2" });

    [Fact]
    public void Refuses_evidence_for_another_channel() =>
        AssertOnly(EvidenceRefusalCode.OtherChannelKey, Claims() with { ChannelKey = Stranger.PublicKey });

    [Fact]
    public void Refuses_a_checkpoint_of_another_log() =>
        AssertOnly(
            EvidenceRefusalCode.OtherLog, Claims() with { Checkpoint = new("other.example/log", 7, RootAt(7)) });

    [Fact]
    public void Refuses_a_checkpoint_that_the_verifier_has_not_reached() =>
        AssertOnly(EvidenceRefusalCode.CheckpointAhead, At(10, RootAt(10)));

    [Fact]
    public void Refuses_a_checkpoint_of_another_history() =>
        AssertOnly(EvidenceRefusalCode.CheckpointForked, At(7, RootAt(8)));

    [Fact]
    public void Refuses_a_checkpoint_older_than_the_one_chosen() =>
        AssertOnly(EvidenceRefusalCode.Stale, At(4, RootAt(4)));

    [Fact]
    public void Refuses_another_nonce() =>
        AssertOnly(EvidenceRefusalCode.NonceMismatch, Claims() with { Nonce = new byte[32] });

    [Fact]
    public void Refuses_no_nonce_where_one_was_given() =>
        AssertOnly(EvidenceRefusalCode.NonceMismatch, Claims() with { Nonce = default });

    [Fact]
    public void Gives_every_reason_at_once()
    {
        var claims = Claims() with { Host = "x/y", Nonce = default, Checkpoint = new("log.example", 4, RootAt(5)) };
        var refused = Assert.IsType<EvidenceVerdict.Refused>(
            EvidenceVerifier.Verify(EvidenceDocument.Write(claims, Stranger), Expectation(), Bare, Keys));
        Assert.Equal(
            [
                EvidenceRefusalCode.NotSignedByHost, EvidenceRefusalCode.OtherHost,
                EvidenceRefusalCode.CheckpointForked, EvidenceRefusalCode.Stale, EvidenceRefusalCode.NonceMismatch,
            ],
            refused.Refusals.Select(refusal => refusal.Code));
    }

    [Theory]
    [InlineData("host", "\"\"")]
    [InlineData("host", "7")]
    [InlineData("boot", "\"E0000000-0000-0000-0000-000000000000\"")]
    [InlineData("boot", "\"x\"")]
    [InlineData("channelKey", "\"AAAA\"")]
    [InlineData("checkpoint", "{\"origin\":\"log.example\",\"size\":7}")]
    [InlineData("checkpoint", "{\"origin\":\"log.example\",\"size\":-1,\"root\":\"\"}")]
    [InlineData("integrityLog", "{\"entries\":1,\"head\":\"00\"}")]
    [InlineData("integrityLog", "null")]
    [InlineData("nonce", "\"AB\"")]
    [InlineData("nonce", "null")]
    public void Refuses_a_member_of_another_form(string member, string value)
    {
        JsonObject members = Members();
        members[member] = JsonNode.Parse(value);
        AssertOnly(EvidenceRefusalCode.Malformed, SignedDocument.Sign(EvidenceDocument.WordFormat, members, Identity));
    }

    [Theory]
    [InlineData("001122334", "0", "4000", "")]
    [InlineData("001122334G", "0", "4000", "")]
    [InlineData("0011223344", "2", "4000", "")]
    [InlineData("0011223344", "0", "0", "")]
    [InlineData("0011223344", "0", "65536", "")]
    [InlineData("0011223344", "0", "4000", "AAAA")]
    [InlineData("0011223344", "0", "4000", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=")]
    public void Refuses_a_tunnel_key_of_another_form(string segment, string generation, string port, string key)
    {
        JsonObject members = Members();
        members["tunnelKeys"] = Named("0011223344", "0", "4000", "");
        Assert.IsType<EvidenceVerdict.Verified>(Verify(members));
        members["tunnelKeys"] = Named(segment, generation, port, key);
        Assert.IsType<EvidenceVerdict.Refused>(Verify(members));
        members["tunnelKeys"] = JsonNode.Parse("null");
        Assert.IsType<EvidenceVerdict.Refused>(Verify(members));

        static JsonArray Named(string segment, string generation, string port, string key) => new(new JsonObject
        {
            ["segment"] = segment, ["generation"] = JsonNode.Parse(generation), ["port"] = JsonNode.Parse(port),
            ["key"] = key.Length > 0 ? key : Convert.ToBase64String(new byte[32]),
        });

        EvidenceVerdict Verify(JsonObject said) => EvidenceVerifier.Verify(
            SignedDocument.Sign(EvidenceDocument.WordFormat, said.DeepClone().AsObject(), Identity), Expectation(),
            Bare, Keys);
    }

    [Fact]
    public void Tunnel_keys_are_part_of_what_is_signed_and_have_one_order()
    {
        TunnelKey first = new("0011223344", 0, 4000, Convert.ToBase64String(new byte[32]));
        TunnelKey second = first with { Generation = 1 }, third = first with { Segment = "1111223344" };

        var verified = Assert.IsType<EvidenceVerdict.Verified>(Verify([first, second, third]));
        Assert.Equal([first, second, third], verified.Evidence.TunnelKeys);
        Assert.NotEqual(
            EvidenceDocument.Binding(Claims()), EvidenceDocument.Binding(Claims() with { TunnelKeys = [first] }));
        foreach (TunnelKey[] wrong in new[] { [second, first], [first, first], new[] { third, first } })
        {
            Assert.IsType<EvidenceVerdict.Refused>(Verify(wrong));
        }

        EvidenceVerdict Verify(TunnelKey[] keys) => EvidenceVerifier.Verify(
            EvidenceDocument.Write(Claims() with { TunnelKeys = [.. keys] }, Identity), Expectation(), Bare, Keys);
    }

    [Fact]
    public void Refuses_a_signature_made_over_another_kind_of_document()
    {
        DocumentFormat other = EvidenceDocument.WordFormat with { MediaType = "application/vnd.bailiwick.other+json" };
        AssertOnly(EvidenceRefusalCode.Malformed, SignedDocument.Sign(other, Members(), Identity));
    }

    [Fact]
    public void No_changed_byte_is_verified()
    {
        byte[] good = EvidenceDocument.Write(Claims(), Identity);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= 0x04;
            Assert.IsType<EvidenceVerdict.Refused>(EvidenceVerifier.Verify(changed, Expectation(), Bare, Keys));
            Assert.IsType<EvidenceVerdict.Refused>(
                EvidenceVerifier.Verify(good.AsSpan(0, i), Expectation(), Bare, Keys));
        }
    }

    private static void AssertOnly(EvidenceRefusalCode code, EvidenceClaims claims) =>
        AssertOnly(code, EvidenceDocument.Write(claims, Identity));

    private static void AssertOnly(EvidenceRefusalCode code, byte[] envelope)
    {
        var refused = Assert.IsType<EvidenceVerdict.Refused>(
            EvidenceVerifier.Verify(envelope, Expectation(), Bare, Keys));
        Assert.Equal(code, Assert.Single(refused.Refusals).Code);
    }

    private static EvidenceVerdict Verify(EvidenceClaims claims) =>
        EvidenceVerifier.Verify(EvidenceDocument.Write(claims, Identity), Expectation(), Bare, Keys);

    private static EvidenceClaims At(long size, Digest32 root) =>
        Claims() with { Checkpoint = new("log.example", size, root) };

    private static JsonObject Members() => new()
    {
        ["host"] = Host,
        ["checkpoint"] = new JsonObject { ["origin"] = "log.example", ["size"] = 7, ["root"] = RootAt(7).Hex },
        ["boot"] = "e0000000-0000-0000-0000-000000000000",
        ["channelKey"] = Identity.PublicKey.Base64,
        ["integrityLog"] = new JsonObject { ["entries"] = 7, ["head"] = RootAt(1).Hex },
        ["nonce"] = Convert.ToBase64String(Nonce),
        ["tunnelKeys"] = new JsonArray(),
    };

    private static EvidenceClaims Claims() => new()
    {
        Host = Host,
        Checkpoint = new("log.example", 7, RootAt(7)),
        Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000"),
        ChannelKey = Identity.PublicKey,
        IntegrityLog = new IntegrityHead(7, RootAt(1)),
        Nonce = Nonce,
    };

    private static EvidenceExpectation Expectation() => new()
    {
        Host = Host,
        IdentityKey = Identity.PublicKey,
        EndorsementKey = null,
        Enrolment = null,
        ChannelKey = Identity.Id,
        Checkpoint = new CheckpointRule("log.example", 5, Judge),
        IntegrityLog = null,
        Nonce = Nonce,
    };

    private static CheckpointStanding Judge(EvidenceCheckpoint checkpoint) =>
        checkpoint.Size > 9 ? CheckpointStanding.Ahead
        : checkpoint.Root == RootAt(checkpoint.Size) ? CheckpointStanding.Consistent
        : CheckpointStanding.Inconsistent;

    private static Digest32 RootAt(long size) => Digest32.Of(Encoding.ASCII.GetBytes($"root at {size}"));
}
