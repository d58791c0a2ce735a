using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>The strict envelope and payload readers against hostile bytes.</summary>
public sealed class EnvelopeTests
{
    private readonly Signatory _tenant = new(StatementKind.Tenant, "hospital", keys: 2, threshold: 2);
    private readonly StatementBook _book;
    private readonly byte[] _payload;
    private readonly byte[] _envelope;

    public EnvelopeTests()
    {
        _book = StatementBook.Empty.MustAccept(_tenant.Root());
        _payload = _tenant.Payload(StatementKind.Domain, "records");
        _envelope = _tenant.Sign(_payload, 0, 1);
    }

    [Fact]
    public void Signs_the_pre_authentication_encoding_of_dsse()
    {
        // The example of secure-systems-lab/dsse, protocol.md.
        Assert.Equal(
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
            Encoding.UTF8.GetString(Envelope.PreAuthEncoding("http://example.com/HelloWorld", "hello world"u8)));
        Assert.Equal("DSSEv1 2 \u00e9 0 ", Encoding.UTF8.GetString(Envelope.PreAuthEncoding("\u00e9", [])));

        var read = Assert.IsType<EnvelopeReading.Read>(Envelope.Read(_envelope)).Envelope;
        Assert.Equal(_payload, read.Payload.ToArray());
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_tenant.Keys[0].PublicKey.SubjectPublicKeyInfo, out _);
        Assert.True(key.VerifyData(
            Envelope.PreAuthEncoding(StatementPayload.MediaType, _payload),
            read.Signatures[0].Value.AsSpan(), HashAlgorithmName.SHA256));
    }

    [Fact]
    public void Survives_every_truncation_of_an_envelope()
    {
        for (var length = 0; length < _envelope.Length; length++)
        {
            Assert.IsType<StatementVerdict.Refused>(_book.Consider(_envelope.AsMemory(0, length)));
        }

        _book.MustAccept(_envelope);
    }

    [Fact]
    public void Accepts_nothing_after_any_single_flipped_bit()
    {
        for (var bit = 0; bit < _envelope.Length * 8; bit++)
        {
            var flipped = _envelope.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsType<StatementVerdict.Refused>(_book.Consider(flipped));
        }

        _book.MustAccept(_envelope);
    }

    [Fact]
    public void Refuses_trailing_and_leading_bytes_and_other_forms_of_the_envelope()
    {
        _book.MustRefuse([.. _envelope, (byte)'\n'], StatementRefusal.EnvelopeNotCanonical);
        _book.MustRefuse([(byte)' ', .. _envelope], StatementRefusal.EnvelopeNotCanonical);
        _book.MustRefuse([.. _envelope, (byte)'x'], StatementRefusal.MalformedEnvelope);
        _book.MustRefuse([0xef, 0xbb, 0xbf, .. _envelope], StatementRefusal.MalformedEnvelope);
        _book.MustRefuse([], StatementRefusal.MalformedEnvelope);
        _book.MustAccept(_envelope);
    }

    [Fact]
    public void Refuses_an_envelope_with_other_members_or_types()
    {
        var good = Object(_envelope);
        Refuse(edited => edited["extra"] = 1);
        Refuse(edited => edited.Remove("payloadType"));
        Refuse(edited => edited["payload"] = 7);
        Refuse(edited => edited["payloadType"] = null);
        Refuse(edited => edited["signatures"] = new JsonObject());
        Refuse(edited => edited["signatures"] = new JsonArray(JsonNode.Parse("{}")));
        Refuse(edited => Signature(edited)["extra"] = 1);
        Refuse(edited => Signature(edited).Remove("keyid"));
        Refuse(edited => Signature(edited)["keyid"] = _tenant.Keys[0].Id.Short);
        Refuse(edited => Signature(edited)["keyid"] = _tenant.Keys[0].Id.ToString().ToUpperInvariant());
        Refuse(edited => Signature(edited)["sig"] = "");
        Refuse(edited => Signature(edited)["sig"] = Convert.ToBase64String(new byte[63]));
        Refuse(edited => Signature(edited)["sig"] = Convert.ToBase64String(new byte[65]));
        _book.MustAccept(Canonical(good));

        void Refuse(Action<JsonObject> edit)
        {
            var edited = good.DeepClone().AsObject();
            edit(edited);
            _book.MustRefuse(Canonical(edited), StatementRefusal.MalformedEnvelope);
        }
    }

    [Fact]
    public void Refuses_other_base64_of_the_same_bytes()
    {
        var text = Encoding.UTF8.GetString(_envelope);
        var sig = Text(_envelope, "sig");
        Assert.EndsWith("==", sig, StringComparison.Ordinal);
        var last = sig[^3];
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        var loose = Alphabet[Alphabet.IndexOf(last, StringComparison.Ordinal) + 1];
        string[] others =
        [
            sig[..^3] + loose + "==", sig.TrimEnd('='), sig + "====", sig[..4] + "\\n" + sig[4..],
            sig[..^2] + " =", sig.Replace('A', '-'),
        ];
        Assert.All(
            others.Where(other => other != sig),
            other => _book.MustRefuse(
                Encoding.UTF8.GetBytes(text.Replace(sig, other, StringComparison.Ordinal)),
                StatementRefusal.MalformedEnvelope));
        _book.MustAccept(_envelope);
    }

    [Fact]
    public void Refuses_what_is_larger_than_the_limits()
    {
        _book.MustRefuse(new byte[10 * 1024 * 1024], StatementRefusal.TooLarge);
        var big = Convert.ToBase64String(new byte[LedgerLimits.PayloadBytes + 1]);
        _book.MustRefuse(
            Encoding.UTF8.GetBytes($"{{\"payload\":\"{big}\",\"payloadType\":\"x\",\"signatures\":[]}}"),
            StatementRefusal.TooLarge);
        var one = new EnvelopeSignature(_tenant.Keys[0].Id, [.. new byte[64]]);
        var most = EnvelopeWriter.Assemble(
            _payload, StatementPayload.MediaType, [.. Enumerable.Repeat(one, LedgerLimits.EnvelopeSignatures)]);
        _book.MustRefuse(most, StatementRefusal.DuplicateSignature);
        var text = Encoding.UTF8.GetString(most);
        var more = text.Insert(text.IndexOf('[', StringComparison.Ordinal) + 1, Item(text) + ",");
        _book.MustRefuse(Encoding.UTF8.GetBytes(more), StatementRefusal.TooLarge);
        Assert.Throws<ArgumentException>(() => EnvelopeWriter.Assemble(
            _payload, StatementPayload.MediaType, [.. Enumerable.Repeat(one, LedgerLimits.EnvelopeSignatures + 1)]));
        Assert.Throws<ArgumentException>(
            () => EnvelopeWriter.Sign(new byte[LedgerLimits.PayloadBytes + 1], _tenant.Keys[0]));
    }

    [Fact]
    public void Refuses_another_payload_type_signed_by_the_right_keys()
    {
        const string Other = "application/vnd.bailiwick.evidence+json";
        var signed = Envelope.PreAuthEncoding(Other, _payload);
        var signatures = _tenant.Keys
            .Select(key => new EnvelopeSignature(key.Id, [.. key.Sign(signed)])).ToArray();
        _book.MustRefuse(EnvelopeWriter.Assemble(_payload, Other, signatures), StatementRefusal.WrongPayloadType);
        _book.MustRefuse(
            EnvelopeWriter.Assemble(_payload, StatementPayload.MediaType, signatures),
            StatementRefusal.InvalidSignature);
        _book.MustAccept(_envelope);
    }

    [Fact]
    public void Refuses_a_payload_in_another_form_even_signed()
    {
        var text = Encoding.UTF8.GetString(_payload);
        Refuse(text + "\n", StatementRefusal.PayloadNotCanonical);
        Refuse(text.Replace("\":", "\": ", StringComparison.Ordinal), StatementRefusal.PayloadNotCanonical);
        Refuse(
            text.Replace("records", "\\u0072ecords", StringComparison.Ordinal), StatementRefusal.PayloadNotCanonical);
        Refuse(Level("1.0"), StatementRefusal.MalformedPayload);
        Refuse(Level("1,\"level\":1"), StatementRefusal.MalformedPayload);
        Refuse(Level(new string('[', 64) + new string(']', 64)), StatementRefusal.MalformedPayload);
        Refuse(text[..^1], StatementRefusal.MalformedPayload);
        Refuse("", StatementRefusal.MalformedPayload);
        Refuse("[]", StatementRefusal.MalformedPayload);
        _book.MustAccept(_tenant.Sign(Encoding.UTF8.GetBytes(text), 0, 1));

        string Level(string value) =>
            text.Replace("\"level\":1", "\"level\":" + value, StringComparison.Ordinal);

        void Refuse(string payload, StatementRefusal reason) =>
            _book.MustRefuse(_tenant.Sign(Encoding.UTF8.GetBytes(payload), 0, 1), reason);
    }

    [Theory]
    [InlineData("bailiwick", "\"statement/v2\"", StatementRefusal.UnknownVersion)]
    [InlineData("bailiwick", "1", StatementRefusal.UnknownVersion)]
    [InlineData("kind", "\"domain\"", StatementRefusal.UnknownKind)]
    [InlineData("kind", "\"Domain \"", StatementRefusal.UnknownKind)]
    [InlineData("kind", "3", StatementRefusal.UnknownKind)]
    [InlineData("kind", "\"3\"", StatementRefusal.UnknownKind)]
    [InlineData("name", "\"\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"Records\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"records-\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"1records\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"../records\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"rec\u043erds\"", StatementRefusal.InvalidName)]
    [InlineData("name", "\"a2345678901234567890123456789012345678901\"", StatementRefusal.InvalidName)]
    [InlineData("name", "null", StatementRefusal.InvalidName)]
    [InlineData("owner", "\"\"", StatementRefusal.InvalidOwner)]
    [InlineData("owner", "\"Self\"", StatementRefusal.InvalidOwner)]
    [InlineData("owner", "null", StatementRefusal.InvalidOwner)]
    [InlineData("owner", "\"self\"", StatementRefusal.SelfOwnerMisused)]
    [InlineData("revision", "0", StatementRefusal.MalformedPayload)]
    [InlineData("revision", "-1", StatementRefusal.MalformedPayload)]
    [InlineData("revision", "\"1\"", StatementRefusal.MalformedPayload)]
    [InlineData("revision", "2", StatementRefusal.Gap)]
    [InlineData("revision", "9007199254740991", StatementRefusal.Gap)]
    [InlineData("previous", "\"\"", StatementRefusal.MalformedPayload)]
    [InlineData("previous", "0", StatementRefusal.MalformedPayload)]
    [InlineData("issued", "\"2026-11-21\"", StatementRefusal.MalformedPayload)]
    [InlineData("issued", "\"2026-02-30T10:00:00Z\"", StatementRefusal.MalformedPayload)]
    [InlineData("issued", "\"2026-11-21T10:00:00+00:00\"", StatementRefusal.MalformedPayload)]
    [InlineData("issued", "0", StatementRefusal.MalformedPayload)]
    [InlineData("body", "[]", StatementRefusal.MalformedPayload)]
    [InlineData("body", "null", StatementRefusal.MalformedPayload)]
    [InlineData("extra", "1", StatementRefusal.MalformedPayload)]
    public void Refuses_a_wrong_member_even_signed(string member, string value, StatementRefusal reason)
    {
        var payload = Object(_payload);
        payload[member] = JsonNode.Parse(value);
        _book.MustRefuse(_tenant.Sign(Canonical(payload), 0, 1), reason);
        payload.Remove(member);
        _book.MustRefuseOrAccept(_tenant.Sign(Canonical(payload), 0, 1), accept: member == "extra");
    }

    [Fact]
    public void Refuses_self_and_strangers_as_owners_of_roots()
    {
        var root = Object(_tenant.FirstRoot);
        root["owner"] = _tenant.Id.ToString();
        _book.MustRefuse(_tenant.Sign(Canonical(root), 0, 1), StatementRefusal.SelfOwnerMisused);
        root["owner"] = "self";
        root["revision"] = 2;
        _book.MustRefuse(_tenant.Sign(Canonical(root), 0, 1), StatementRefusal.SelfOwnerMisused);
        _book.MustRepeat(_tenant.Root());
    }

    [Fact]
    public void Composes_only_what_it_would_read()
    {
        var name = StatementName.Parse("records");
        var body = Signatory.Json(new { a = 1 });
        var at = DateTimeOffset.UnixEpoch;
        byte[] Compose(StatementKind kind, PartyId? owner, long revision, JsonElement with) =>
            StatementPayload.Compose(kind, owner, name, revision, null, at, with);
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Domain, null, 1, body));
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Tenant, _tenant.Id, 1, body));
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Domain, _tenant.Id, 0, body));
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Domain, _tenant.Id, 1, Signatory.Json(1)));
        var fraction = Signatory.Json(new { a = 1.5 });
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Domain, _tenant.Id, 1, fraction));
        var big = Signatory.Json(new { a = new string('a', LedgerLimits.PayloadBytes) });
        Assert.Throws<ArgumentException>(() => Compose(StatementKind.Domain, _tenant.Id, 1, big));
        Assert.True(CanonicalJson.IsCanonical(Compose(StatementKind.Domain, _tenant.Id, 1, body)));
    }

    [Fact]
    public void Has_no_statement_for_an_unsigned_party()
    {
        var id = PartyId.Unsigned("hospital");
        Assert.Equal(id, PartyId.Unsigned("hospital"));
        Assert.NotEqual(id, PartyId.Unsigned("bank"));
        Assert.Equal(Digest32.Of("bailiwick unsigned party\0hospital"u8), id.Digest);
        Assert.Equal(8, id.Short.Length);
        var payload = StatementPayload.Compose(
            StatementKind.Domain, id, StatementName.Parse("records"), 1, null, DateTimeOffset.UnixEpoch,
            Signatory.Json(new { a = 1 }));
        _book.MustRefuse(_tenant.Sign(payload, 0, 1), StatementRefusal.UnknownOwner);
    }

    private static JsonObject Object(byte[] text) => Assert.IsType<JsonObject>(JsonNode.Parse(text));

    private static JsonObject Signature(JsonObject envelope) =>
        Assert.IsType<JsonObject>(Assert.IsType<JsonArray>(envelope["signatures"])[0]);

    private static string Text(byte[] envelope, string member) => JsonElement.Parse(envelope)
        .GetProperty("signatures")[0].GetProperty(member).GetString() ?? "";

    private static string Item(string envelope) =>
        JsonElement.Parse(envelope).GetProperty("signatures")[0].GetRawText();

    private static byte[] Canonical(JsonObject value) =>
        CanonicalJson.Write(JsonSerializer.SerializeToElement(value));
}
