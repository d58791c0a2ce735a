using System.Text;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Statements;

/// <summary>Makes the envelope of a statement. See <see cref="Envelope"/> for its form.</summary>
public static class EnvelopeWriter
{
    /// <summary>Signs a statement's payload with each signer, in the order given.</summary>
    /// <returns>The envelope as canonical JSON.</returns>
    /// <exception cref="ArgumentException">A limit is broken, or a signer's signature has not 64 bytes.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> payload, params IReadOnlyList<ISigner> signers)
    {
        ArgumentNullException.ThrowIfNull(signers);
        var signed = Envelope.PreAuthEncoding(StatementPayload.MediaType, payload);
        var signatures = new List<EnvelopeSignature>();
        foreach (var signer in signers)
        {
            signatures.Add(new EnvelopeSignature(signer.Id, [.. signer.Sign(signed)]));
        }

        return Assemble(payload, StatementPayload.MediaType, signatures);
    }

    /// <summary>
    /// Puts a payload and signatures that were made elsewhere into one envelope, so that the holders of a root's keys
    /// need not meet.
    /// </summary>
    /// <returns>The envelope as canonical JSON.</returns>
    /// <exception cref="ArgumentException">A limit is broken, or a signature has not 64 bytes.</exception>
    public static byte[] Assemble(
        ReadOnlySpan<byte> payload, string payloadType, IReadOnlyList<EnvelopeSignature> signatures)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        if (payload.Length > LedgerLimits.PayloadBytes || signatures.Count > LedgerLimits.EnvelopeSignatures)
        {
            throw new ArgumentException(
                $"An envelope holds at most {LedgerLimits.PayloadBytes} bytes of payload and "
                + $"{LedgerLimits.EnvelopeSignatures} signatures.");
        }

        // Base64 and hexadecimal need no escaping, and the members are in canonical order.
        var text = new StringBuilder("{\"payload\":\"").Append(Convert.ToBase64String(payload))
            .Append("\",\"payloadType\":").Append(Encoding.UTF8.GetString(JsonText.Quote(payloadType)))
            .Append(",\"signatures\":[");
        for (var i = 0; i < signatures.Count; i++)
        {
            if (signatures[i].Value.Length != PublicKey.SignatureLength)
            {
                throw new ArgumentException($"Signature {i} has not {PublicKey.SignatureLength} bytes.");
            }

            text.Append(i > 0 ? "," : "").Append("{\"keyid\":\"").Append(signatures[i].Key).Append("\",\"sig\":\"")
                .Append(Convert.ToBase64String(signatures[i].Value.AsSpan())).Append("\"}");
        }

        return Encoding.UTF8.GetBytes(text.Append("]}").ToString());
    }
}
