using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Bailiwick.Ledger.Keys;

/// <summary>
/// Translates between the two forms of an ECDSA P-256 signature: 64 bytes of IEEE P1363, which statements use, and the
/// DER of RFC 3279 section 2.2.3, which ECDSA note signatures use. Only strict DER is read, so each signature has one
/// DER form.
/// </summary>
internal static class DerSignature
{
    private const int NumberLength = PublicKey.SignatureLength / 2;

    /// <summary>Writes SEQUENCE { INTEGER r, INTEGER s }.</summary>
    public static byte[] FromFixed(ReadOnlySpan<byte> signature)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(WithoutLeadingZeros(signature[..NumberLength]));
            writer.WriteIntegerUnsigned(WithoutLeadingZeros(signature[NumberLength..]));
        }

        return writer.Encode();
    }

    /// <summary>Reads the form that <see cref="FromFixed"/> writes, and nothing else.</summary>
    public static bool TryToFixed(ReadOnlySpan<byte> der, [NotNullWhen(true)] out byte[]? signature)
    {
        signature = null;
        var result = new byte[PublicKey.SignatureLength];
        try
        {
            AsnDecoder.ReadSequence(der, AsnEncodingRules.DER, out var offset, out var length, out var consumed);
            var content = der.Slice(offset, length);
            if (consumed != der.Length || !TryNumber(ref content, result.AsSpan(0, NumberLength))
                || !TryNumber(ref content, result.AsSpan(NumberLength)) || !content.IsEmpty)
            {
                return false;
            }
        }
        catch (AsnContentException)
        {
            return false;
        }

        signature = result;
        return true;
    }

    private static bool TryNumber(ref ReadOnlySpan<byte> content, Span<byte> number)
    {
        var bytes = AsnDecoder.ReadIntegerBytes(content, AsnEncodingRules.DER, out var consumed);
        content = content[consumed..];
        if ((bytes[0] & 0x80) != 0)
        {
            return false;
        }

        bytes = bytes.Length > 1 && bytes[0] == 0 ? bytes[1..] : bytes;
        if (bytes.Length > NumberLength)
        {
            return false;
        }

        bytes.CopyTo(number[(NumberLength - bytes.Length)..]);
        return true;
    }

    private static ReadOnlySpan<byte> WithoutLeadingZeros(ReadOnlySpan<byte> number)
    {
        var from = number.IndexOfAnyExcept((byte)0);
        return from < 0 ? number[^1..] : number[from..];
    }
}
