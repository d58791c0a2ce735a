using System.Security.Cryptography;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>Who must sign, and how the count can be cheated: hostile cases P01 and P03.</summary>
public sealed class ThresholdTests
{
    private readonly Signatory _hospital = new(StatementKind.Tenant, "hospital", keys: 3, threshold: 2);
    private readonly Signatory _bank = new(StatementKind.Tenant, "bank", keys: 3, threshold: 2);
    private readonly Signatory _operator = new(StatementKind.Datacentre, "south", keys: 1, threshold: 1);
    private readonly StatementBook _book;

    public ThresholdTests() => _book = StatementBook.Empty
        .MustAccept(_hospital.Root()).MustAccept(_bank.Root()).MustAccept(_operator.Root());

    [Fact]
    public void Accepts_a_domain_signed_by_two_of_three_keys()
    {
        var payload = _hospital.Payload(StatementKind.Domain, "records");
        var verdict = Assert.IsType<StatementVerdict.Accepted>(_book.Consider(_hospital.Sign(payload, 0, 2)));
        var statement = verdict.Statement;
        Assert.Equal(_hospital.Id, statement.Owner);
        Assert.Equal(StatementKind.Domain, statement.Kind);
        Assert.Equal("records", statement.Name.Text);
        Assert.Equal(1, statement.Revision);
        Assert.Null(statement.Previous);
        Assert.Equal("2026-11-21T10:00:00Z", statement.Issued);
        Assert.Equal(Digest32.Of(payload), statement.Digest);
        Assert.Equal([_hospital.Keys[0].Id, _hospital.Keys[2].Id], statement.SignedBy);
        Assert.Equal(payload, statement.Payload.ToArray());
        Assert.Same(statement, verdict.Next.Find(_hospital.Id, StatementKind.Domain, statement.Name));
        Assert.Null(_book.Find(_hospital.Id, StatementKind.Domain, statement.Name));
    }

    [Fact]
    public void Refuses_a_statement_with_a_dropped_signature()
    {
        var payload = _hospital.Payload(StatementKind.Domain, "records");
        _book.MustAccept(_hospital.Sign(payload, 0, 1));
        _book.MustRefuse(_hospital.Sign(payload, 0), StatementRefusal.BelowThreshold);
        _book.MustRefuse(_hospital.Sign(payload), StatementRefusal.BelowThreshold);
    }

    [Fact]
    public void Refuses_one_tenants_signed_statement_under_another_tenant()
    {
        var banks = _bank.Payload(StatementKind.Domain, "records");
        _book.MustAccept(_bank.Sign(banks, 0, 1));
        _book.MustRefuse(_hospital.Sign(banks, 0, 1), StatementRefusal.UnknownKey);

        var hospitals = _hospital.Payload(StatementKind.Domain, "records");
        _book.MustAccept(_hospital.Sign(hospitals, 0, 1));
        _book.MustRefuse(_bank.Sign(hospitals, 0, 1), StatementRefusal.UnknownKey);

        // The bank's signatures moved over to the hospital's payload, with the hospital's key ids written on them.
        var moved = ((EnvelopeReading.Read)Envelope.Read(_bank.Sign(banks, 0, 1))).Envelope.Signatures
            .Select((one, place) => one with { Key = _hospital.Keys[place].Id }).ToArray();
        _book.MustRefuse(
            EnvelopeWriter.Assemble(hospitals, StatementPayload.MediaType, moved), StatementRefusal.InvalidSignature);
    }

    [Fact]
    public void Refuses_an_edited_payload()
    {
        var signed = (EnvelopeReading.Read)Envelope.Read(
            _hospital.Sign(_hospital.Payload(StatementKind.Domain, "records", body: new { flow = "deny" }), 0, 1));
        var edited = _hospital.Payload(StatementKind.Domain, "records", body: new { flow = "allow" });
        _book.MustRefuse(
            EnvelopeWriter.Assemble(edited, StatementPayload.MediaType, signed.Envelope.Signatures),
            StatementRefusal.InvalidSignature);
        _book.MustAccept(EnvelopeWriter.Assemble(
            signed.Envelope.Payload, StatementPayload.MediaType, signed.Envelope.Signatures));
    }

    [Fact]
    public void Refuses_two_of_three_met_with_one_key_twice()
    {
        var payload = _hospital.Payload(StatementKind.Domain, "records");
        _book.MustRefuse(_hospital.Sign(payload, 1, 1), StatementRefusal.DuplicateSignature);
        _book.MustRefuse(_hospital.Sign(payload, 0, 1, 1), StatementRefusal.DuplicateSignature);
        _book.MustAccept(_hospital.Sign(payload, 0, 1));
    }

    [Fact]
    public void Refuses_a_signature_by_a_stranger_even_beside_enough_others()
    {
        var payload = _hospital.Payload(StatementKind.Domain, "records");
        var signers = new[] { _hospital.Keys[0], _hospital.Keys[1], Signatory.NewKey() };
        _book.MustRefuse(EnvelopeWriter.Sign(payload, signers), StatementRefusal.UnknownKey);
        _book.MustAccept(EnvelopeWriter.Sign(payload, signers[..2]));
    }

    [Fact]
    public void Refuses_kinds_that_the_party_may_not_own()
    {
        _book.MustRefuse(
            _hospital.Sign(_hospital.Payload(StatementKind.Host, "h1"), 0, 1), StatementRefusal.WrongOwnerForKind);
        _book.MustRefuse(
            _operator.Sign(_operator.Payload(StatementKind.Domain, "records"), 0), StatementRefusal.WrongOwnerForKind);
        _book.MustAccept(_operator.Sign(_operator.Payload(StatementKind.Host, "h1"), 0));
    }

    [Fact]
    public void Refuses_a_party_whose_root_is_not_known()
    {
        var stranger = new Signatory(StatementKind.Tenant, "regulator", keys: 1, threshold: 1);
        var envelope = stranger.Sign(stranger.Payload(StatementKind.Domain, "records"), 0);
        _book.MustRefuse(envelope, StatementRefusal.UnknownOwner);
        _book.MustAccept(stranger.Root()).MustAccept(envelope);
    }

    [Theory]
    [InlineData(0, StatementRefusal.InvalidThreshold)]
    [InlineData(-1, StatementRefusal.InvalidThreshold)]
    [InlineData(4, StatementRefusal.InvalidThreshold)]
    [InlineData(4294967297, StatementRefusal.InvalidThreshold)]
    public void Refuses_a_threshold_outside_the_keys(long threshold, StatementRefusal reason)
    {
        var keys = new[] { Signatory.NewKey(), Signatory.NewKey(), Signatory.NewKey() };
        StatementBook.Empty.MustRefuse(FirstRoot(Signatory.RootBody(keys, threshold), keys), reason);
        StatementBook.Empty.MustAccept(FirstRoot(Signatory.RootBody(keys, 3), keys));
    }

    [Fact]
    public void Refuses_a_first_root_that_fewer_than_its_threshold_signed()
    {
        var keys = new[] { Signatory.NewKey(), Signatory.NewKey() };
        var body = Signatory.RootBody(keys, 2);
        StatementBook.Empty.MustRefuse(FirstRoot(body, keys[0]), StatementRefusal.BelowThreshold);
        StatementBook.Empty.MustRefuse(FirstRoot(body), StatementRefusal.BelowThreshold);
        StatementBook.Empty.MustAccept(FirstRoot(body, keys));
    }

    [Fact]
    public void Refuses_a_root_with_no_keys_or_too_many_or_one_twice()
    {
        var key = Signatory.NewKey();
        var many = Enumerable.Range(0, LedgerLimits.RootKeys + 1).Select(_ => Signatory.NewKey()).ToArray();
        StatementBook.Empty.MustRefuse(
            FirstRoot(Signatory.RootBody([], 1), key), StatementRefusal.WrongNumberOfRootKeys);
        StatementBook.Empty.MustRefuse(
            FirstRoot(Signatory.RootBody(many, 1), many[0]), StatementRefusal.WrongNumberOfRootKeys);
        StatementBook.Empty.MustRefuse(
            FirstRoot(Signatory.RootBody([key, key], 2), key), StatementRefusal.DuplicateRootKey);
        StatementBook.Empty.MustAccept(FirstRoot(Signatory.RootBody(many[1..], 1), many[1]));
    }

    [Fact]
    public void Refuses_one_key_in_two_encodings()
    {
        var key = Signatory.NewKey();
        StatementBook.Empty.MustAccept(FirstRoot(Roots(key.PublicKey.Base64), key));
        foreach (var (what, other) in OtherEncodings(key.PublicKey))
        {
            var body = Roots(key.PublicKey.Base64, Convert.ToBase64String(other));
            var verdict = StatementBook.Empty.Consider(FirstRoot(body, key));
            Assert.True(
                verdict is StatementVerdict.Refused { Reason: StatementRefusal.InvalidRootKey },
                $"{what}: {verdict.GetType().Name}");
        }
    }

    [Fact]
    public void Refuses_a_root_whose_members_have_other_types()
    {
        var key = Signatory.NewKey();
        object[] bodies =
        [
            new { threshold = 1 },
            new { roots = Array.Empty<object>() },
            new { roots = "none", threshold = 1 },
            new { roots = new[] { key.PublicKey.Base64 }, threshold = 1 },
            new { roots = new[] { new { key = 7 } }, threshold = 1 },
            new { roots = new[] { new { key = key.PublicKey.Base64, weight = 2 } }, threshold = 1 },
            new { roots = new[] { new { key = key.PublicKey.Base64 } }, threshold = "1" },
        ];
        foreach (var body in bodies)
        {
            StatementBook.Empty.MustRefuse(FirstRoot(Signatory.Json(body), key), StatementRefusal.MalformedRoot);
        }

        StatementBook.Empty.MustAccept(FirstRoot(Roots(key.PublicKey.Base64), key));
    }

    private static System.Text.Json.JsonElement Roots(params string[] keys) =>
        Signatory.Json(new { roots = keys.Select(key => new { key }).ToArray(), threshold = 1 });

    private static byte[] FirstRoot(System.Text.Json.JsonElement body, params EcdsaSigner[] signers) =>
        EnvelopeWriter.Sign(
            StatementPayload.Compose(
                StatementKind.Tenant, null, StatementName.Parse("tenant"), 1, null, DateTimeOffset.UnixEpoch, body),
            signers);

    private static IEnumerable<(string What, byte[] Encoding)> OtherEncodings(PublicKey key)
    {
        var spki = key.SubjectPublicKeyInfo.ToArray();
        byte[] compressed =
        [
            .. Convert.FromHexString("3039301306072a8648ce3d020106082a8648ce3d030107032200"),
            (byte)(2 + (spki[^1] & 1)), .. spki.AsSpan(27, 32),
        ];
        yield return ("compressed point", compressed);
        yield return ("long form of the length", [0x30, 0x81, 0x59, .. spki.AsSpan(2)]);
        yield return ("trailing byte", [.. spki, 0]);
        yield return ("length in three bytes", [0x30, 0x82, 0x00, 0x59, .. spki.AsSpan(2)]);
        yield return ("hybrid point", [.. spki.AsSpan(0, 26), (byte)(6 + (spki[^1] & 1)), .. spki.AsSpan(27)]);
        yield return ("point not on the curve", [.. spki.AsSpan(0, 90), (byte)(spki[90] ^ 1)]);
        yield return ("point at infinity", [.. spki.AsSpan(0, 27), .. new byte[64]]);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        yield return ("another curve", other.ExportSubjectPublicKeyInfo());
        using var rsa = RSA.Create(2048);
        yield return ("another algorithm", rsa.ExportSubjectPublicKeyInfo());
    }
}
