using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Statements;

/// <summary>One signature of an envelope, as read; nothing about it is verified.</summary>
/// <param name="Key">The id of the key it names.</param>
/// <param name="Value">64 bytes, IEEE P1363.</param>
public sealed record EnvelopeSignature(KeyId Key, ImmutableArray<byte> Value);

/// <summary>
/// A DSSE v1 envelope (secure-systems-lab/dsse, protocol.md and envelope.md), as read; nothing in it is verified.
/// Stricter than DSSE asks: the envelope is canonical JSON, base64 is standard and canonical, every signature names its
/// key, and there are no other members. DSSE leaves the signature's form to the key's type; here it is ECDSA over P-256
/// with SHA-256 as 64 bytes of IEEE P1363, because that form has a fixed length and, unlike DER, no second encoding.
/// </summary>
public sealed class Envelope
{
    private readonly byte[] _payload;

    internal Envelope(byte[] payload, string payloadType, ImmutableArray<EnvelopeSignature> signatures)
    {
        _payload = payload;
        PayloadType = payloadType;
        Signatures = signatures;
    }

    /// <summary>The payload's bytes.</summary>
    public ReadOnlySpan<byte> Payload => _payload;

    /// <summary>The payload's bytes, for who keeps them.</summary>
    internal ReadOnlyMemory<byte> PayloadMemory => _payload;

    /// <summary>The media type of the payload.</summary>
    public string PayloadType { get; }

    /// <summary>The signatures, in the order of the envelope.</summary>
    public ImmutableArray<EnvelopeSignature> Signatures { get; }

    /// <summary>
    /// The bytes that are signed: the pre-authentication encoding
    /// `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`.
    /// </summary>
    public static byte[] PreAuthEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        var type = Encoding.UTF8.GetBytes(payloadType);
        var head = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"DSSEv1 {type.Length} {payloadType} {payload.Length} "));
        var result = new byte[head.Length + payload.Length];
        head.CopyTo(result, 0);
        payload.CopyTo(result.AsSpan(head.Length));
        return result;
    }

    /// <summary>Reads an envelope from its canonical JSON.</summary>
    public static EnvelopeReading Read(ReadOnlySpan<byte> utf8)
    {
        switch (CanonicalJson.ParseCanonical(utf8))
        {
            case JsonReading.Rejected rejected:
                return Refuse(ReasonFor(rejected.Fault), $"The envelope is {rejected.Fault.Clause}.");
            case JsonReading.Understood understood:
                return Read(understood.Root);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static StatementRefusal ReasonFor(JsonFault fault) => fault.Code switch
    {
        JsonFaultCode.TooLarge => StatementRefusal.TooLarge,
        JsonFaultCode.NotCanonical => StatementRefusal.EnvelopeNotCanonical,
        JsonFaultCode.Malformed or JsonFaultCode.TooDeep or JsonFaultCode.DuplicateMember
            or JsonFaultCode.TrailingBytes or JsonFaultCode.NumberOutOfRange or JsonFaultCode.InvalidText =>
            StatementRefusal.MalformedEnvelope,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static EnvelopeReading Read(JsonElement root)
    {
        if (!JsonMembers.AreExactly(root, "payload", "payloadType", "signatures")
            || root.GetProperty("payload").ValueKind != JsonValueKind.String
            || root.GetProperty("payloadType").ValueKind != JsonValueKind.String
            || root.GetProperty("signatures").ValueKind != JsonValueKind.Array)
        {
            return Refuse(
                StatementRefusal.MalformedEnvelope,
                "The envelope must have exactly payload, payloadType and signatures (DSSE v1).");
        }

        var payloadText = root.GetProperty("payload").GetString() ?? "";
        if (StrictBase64.DecodedLength(payloadText) > LedgerLimits.PayloadBytes)
        {
            return Refuse(
                StatementRefusal.TooLarge, $"The payload is larger than {LedgerLimits.PayloadBytes} bytes.");
        }

        if (!StrictBase64.TryDecode(payloadText, LedgerLimits.PayloadBytes, out var payload))
        {
            return Refuse(
                StatementRefusal.MalformedEnvelope, "The payload is not canonical standard base64 (RFC 4648).");
        }

        var list = root.GetProperty("signatures");
        if (list.GetArrayLength() > LedgerLimits.EnvelopeSignatures)
        {
            return Refuse(
                StatementRefusal.TooLarge, $"There are more than {LedgerLimits.EnvelopeSignatures} signatures.");
        }

        var signatures = ImmutableArray.CreateBuilder<EnvelopeSignature>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
        {
            if (ReadSignature(item) is not { } signature)
            {
                return Refuse(
                    StatementRefusal.MalformedEnvelope,
                    $"Signature {signatures.Count} must have exactly keyid (64 lower-case hex digits) and sig "
                    + "(64 bytes in canonical base64).");
            }

            signatures.Add(signature);
        }

        var type = root.GetProperty("payloadType").GetString() ?? "";
        return new EnvelopeReading.Read(new Envelope(payload, type, signatures.MoveToImmutable()));
    }

    private static EnvelopeSignature? ReadSignature(JsonElement item) =>
        JsonMembers.AreExactly(item, "keyid", "sig")
        && KeyId.TryParse(JsonMembers.Text(item, "keyid"), out var key)
        && StrictBase64.TryDecode(JsonMembers.Text(item, "sig"), PublicKey.SignatureLength, out var value)
        && value.Length == PublicKey.SignatureLength
            ? new EnvelopeSignature(key, [.. value])
            : null;

    private static EnvelopeReading.Refused Refuse(StatementRefusal reason, string sentence) => new(reason, sentence);
}

/// <summary>The outcome of reading an envelope: <see cref="Read"/> or <see cref="Refused"/>.</summary>
public abstract record EnvelopeReading
{
    private EnvelopeReading()
    {
    }

    /// <summary>It has the form of an envelope.</summary>
    /// <param name="Envelope">What it says, unverified.</param>
    public sealed record Read(Envelope Envelope) : EnvelopeReading;

    /// <summary>It is not an envelope.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="Sentence">Why, for people.</param>
    public sealed record Refused(StatementRefusal Reason, string Sentence) : EnvelopeReading;
}
