using System.Formats.Asn1;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary>A key as a file holds it.</summary>
/// <param name="Key">The public key.</param>
/// <param name="Area">Its public area, where the file has one.</param>
internal sealed record QuoteKeyFile(SubjectKey Key, TpmPublic? Area);

/// <summary>The forms in which keys and signatures of quotes are kept in files.</summary>
internal static class QuoteInput
{
    private static readonly bool[] Either = [false, true];

    /// <summary>A key in PEM, in DER, or as a public area.</summary>
    internal static QuoteKeyFile Key(string path)
    {
        byte[] bytes = EvidenceFile.Read(path, TpmLimits.StructureBytes);
        if ((TpmPublic.TryReadSized(bytes, out var area, out _) || TpmPublic.TryRead(bytes, out area, out _))
            && area.Key is { } held)
        {
            return new QuoteKeyFile(held, area);
        }

        return SubjectKey.Parse(EvidenceFile.FromPem(bytes, "PUBLIC KEY") ?? bytes) is { } bare
            ? new QuoteKeyFile(bare, null)
            : throw new CustodyException(
                $"{path} is no public key in PEM, no TPM2B_PUBLIC and no TPMT_PUBLIC of an RSA or ECC key.");
    }

    /// <summary>
    /// The TPMT_SIGNATURE that a file stands for. A plain signature does not name its scheme: it is the key's own, or
    /// else each that could be meant is given.
    /// </summary>
    internal static IEnumerable<byte[]> Signatures(byte[] file, QuoteKeyFile key, TpmAttest? attest)
    {
        var hash = attest?.Body is TpmAttestBody.Quote quote
            ? Enum.GetValues<TpmHash>().FirstOrDefault(h => h.Size() == quote.PcrDigest.Length, TpmHash.Sha256)
            : TpmHash.Sha256;
        if (TpmSignature.TryRead(file, out _, out _))
        {
            return [file];
        }

        if (key.Key.IsRsa)
        {
            bool? pss = key.Area?.Detail is TpmKeyDetail.Rsa { Scheme.Kind: var kind }
                ? kind == TpmSchemeKind.RsaPss : null;
            return file.Length != key.Key.Modulus.Length ? [file]
                : Either.Where(one => pss is null || pss == one)
                    .Select(one => new TpmSignature.Rsa(one, hash, file).Write());
        }

        return [Numbers(file, key.Key) is var (r, s) ? new TpmSignature.Ecdsa(hash, r, s).Write() : file];
    }

    /// <summary>r and s, in DER or one after the other.</summary>
    private static (byte[] R, byte[] S)? Numbers(byte[] file, SubjectKey key)
    {
        int length = key.Curve is { } curve ? SubjectKey.CoordinateBytes(curve) : 0;
        if (file.Length == 2 * length)
        {
            return (file[..length], file[length..]);
        }

        try
        {
            var outer = new AsnReader(file, AsnEncodingRules.DER);
            var sequence = outer.ReadSequence();
            byte[] r = Unsigned(sequence), s = Unsigned(sequence);
            sequence.ThrowIfNotEmpty();
            outer.ThrowIfNotEmpty();
            return r.Length <= length && s.Length <= length ? (r, s) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static byte[] Unsigned(AsnReader reader) => reader.ReadIntegerBytes().Span.TrimStart((byte)0).ToArray();
}
