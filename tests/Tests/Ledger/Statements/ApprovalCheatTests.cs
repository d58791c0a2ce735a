using System.Globalization;
using System.Numerics;
using System.Text;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>
/// Approvals of policies that were given to something else, by somebody else, or at another time: hostile cases P03 and
/// C02. Each try stands beside what the same keys may do.
/// </summary>
public sealed class ApprovalCheatTests
{
    private readonly Signatory _tenant = new(StatementKind.Tenant, "hospital", keys: 3, threshold: 2);
    private readonly StatementBook _book;

    public ApprovalCheatTests() => _book = StatementBook.Empty.MustAccept(_tenant.Root());

    [Fact]
    public void Refuses_signatures_over_another_form_of_the_same_statement()
    {
        byte[] payload = _tenant.Payload(StatementKind.Domain, "records");
        byte[] spaced = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(payload).Replace("\":", "\": ", StringComparison.Ordinal));

        _book.MustRefuse(Assemble(payload, Signatures(spaced, 0, 1)), StatementRefusal.InvalidSignature);
        _book.MustAccept(Assemble(payload, Signatures(payload, 0, 1)));
    }

    [Theory]
    [InlineData("archive", 1, "allow")]
    [InlineData("records", 2, "allow")]
    [InlineData("records", 1, "deny")]
    public void Refuses_approvals_moved_to_another_name_revision_or_content(string name, long revision, string flow)
    {
        byte[] approved = _tenant.Payload(StatementKind.Domain, "records", body: new { flow = "allow" });
        byte[] other = _tenant.Payload(
            StatementKind.Domain, name, revision, revision == 2 ? Digest32.Of(approved) : null, new { flow });
        var book = revision == 2 ? _book.MustAccept(_tenant.Sign(approved, 0, 1)) : _book;

        book.MustRefuse(Assemble(other, Signatures(approved, 0, 1)), StatementRefusal.InvalidSignature);
        book.MustAccept(Assemble(other, Signatures(other, 0, 1)));
    }

    [Fact]
    public void Two_approvals_of_two_contents_are_not_two_of_one()
    {
        byte[] one = _tenant.Payload(StatementKind.Domain, "records", body: new { flow = "allow" });
        byte[] two = _tenant.Payload(StatementKind.Domain, "records", body: new { flow = "deny" });

        foreach (byte[] payload in new[] { one, two })
        {
            _book.MustRefuse(
                Assemble(payload, [.. Signatures(one, 0), .. Signatures(two, 1)]), StatementRefusal.InvalidSignature);
            _book.MustAccept(Assemble(payload, [.. Signatures(payload, 0), .. Signatures(payload, 1)]));
        }
    }

    [Theory]
    [InlineData("2026-11-21T10:00:00Z")]
    [InlineData("2020-01-01T00:00:00Z")]
    [InlineData("1970-01-01T00:00:00Z")]
    public void Refuses_a_revoked_key_whatever_moment_the_statement_claims(string issued)
    {
        var fresh = Signatory.NewKey();
        byte[] back = StatementPayload.Compose(
            StatementKind.Domain, _tenant.Id, StatementName.Parse("records"), 1, null,
            DateTimeOffset.Parse(issued, CultureInfo.InvariantCulture), Signatory.Json(new { level = 1 }));
        byte[] rotation = EnvelopeWriter.Sign(
            _tenant.NextRoot(2, Digest32.Of(_tenant.FirstRoot), [_tenant.Keys[0], fresh], 2),
            _tenant.Keys[0], _tenant.Keys[1], fresh);
        var rotated = _book.MustAccept(rotation);

        rotated.MustRefuse(_tenant.Sign(back, 0, 1), StatementRefusal.UnknownKey);
        rotated.MustAccept(EnvelopeWriter.Sign(back, _tenant.Keys[0], fresh));
        _book.MustAccept(_tenant.Sign(back, 0, 1));
    }

    [Fact]
    public void Refuses_a_second_signature_of_one_key_under_the_name_of_its_other_encoding()
    {
        byte[] payload = _tenant.Payload(StatementKind.Domain, "records");
        var (first, again) = (Signatures(payload, 0)[0], Signatures(payload, 0)[0]);
        byte[] longer = [0x30, 0x81, 0x59, .. _tenant.Keys[0].PublicKey.SubjectPublicKeyInfo.ToArray()[2..]];

        _book.MustRefuse(
            Assemble(payload, [first, again with { Key = KeyId.OfSubjectPublicKeyInfo(longer) }]),
            StatementRefusal.UnknownKey);
        _book.MustRefuse(
            Assemble(payload, [first, again with { Key = _tenant.Keys[1].Id }]), StatementRefusal.InvalidSignature);
        _book.MustAccept(Assemble(payload, [first, .. Signatures(payload, 1)]));
    }

    [Fact]
    public void Refuses_one_key_twice_by_the_other_form_that_each_ecdsa_signature_has()
    {
        byte[] payload = _tenant.Payload(StatementKind.Domain, "records");
        var first = Signatures(payload, 0)[0];
        var other = first with { Value = [.. Mirrored(first.Value.AsSpan())] };

        Assert.NotEqual(first.Value.AsSpan().ToArray(), other.Value.AsSpan().ToArray());
        _book.MustRefuse(Assemble(payload, [first, other]), StatementRefusal.DuplicateSignature);
        _book.MustAccept(Assemble(payload, [first, .. Signatures(payload, 1)]));
    }

    private EnvelopeSignature[] Signatures(byte[] payload, params int[] keys) => [.. keys.Select(key =>
        new EnvelopeSignature(
            _tenant.Keys[key].Id,
            [.. _tenant.Keys[key].Sign(Envelope.PreAuthEncoding(StatementPayload.MediaType, payload))]))];

    private static byte[] Assemble(byte[] payload, EnvelopeSignature[] signatures) =>
        EnvelopeWriter.Assemble(payload, StatementPayload.MediaType, signatures);

    /// <summary>(r, n - s), which the same key and message verify as well (SEC 1, 4.1.4).</summary>
    private static byte[] Mirrored(ReadOnlySpan<byte> signature)
    {
        var order = new BigInteger(
            Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
            isUnsigned: true, isBigEndian: true);
        var half = order - new BigInteger(signature[32..], isUnsigned: true, isBigEndian: true);
        byte[] s = half.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. signature[..32], .. new byte[32 - s.Length], .. s];
    }
}
