using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bailiwick.Attestation.BootLog;

/// <summary>One entry of PK, KEK, db or dbx.</summary>
/// <param name="Kind">The GUID of its kind (UEFI 2.10, section 32.4.1).</param>
/// <param name="Owner">Who put it there, as that party says.</param>
/// <param name="Data">A certificate in DER, or a digest.</param>
public sealed record SignatureEntry(Guid Kind, Guid Owner, ReadOnlyMemory<byte> Data)
{
    /// <summary>EFI_CERT_X509_GUID.</summary>
    public static Guid X509 { get; } = new("a5c059a1-94e4-4aa7-87b5-ab155c2bf072");

    /// <summary>EFI_CERT_SHA256_GUID: the digest of an image.</summary>
    public static Guid Sha256 { get; } = new("c1c41626-504c-4092-aca9-41f936934328");

    /// <summary>What identifies it: SHA-256 of a certificate, a digest as it stands; lower-case hexadecimal digits.
    /// </summary>
    public string Fingerprint =>
        Convert.ToHexStringLower(Kind == Sha256 ? Data.Span : SHA256.HashData(Data.Span));

    /// <summary>The subject of a certificate; empty where it is none that can be read.</summary>
    public string Subject()
    {
        if (Kind != X509)
        {
            return "";
        }

        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(Data.Span);
            return certificate.Subject;
        }
        catch (CryptographicException)
        {
            return "";
        }
    }
}

/// <summary>Reads EFI_SIGNATURE_LIST structures (UEFI 2.10, section 32.4.1).</summary>
public static class SignatureDatabase
{
    private const int Header = 28;
    private const int Owner = 16;

    /// <summary>
    /// The entries of a variable's value; null where it does not have the form. A list with a signature header is
    /// refused: no kind defines one, and a reader that does not skip it takes chosen bytes for entries
    /// (CVE-2026-12681).
    /// </summary>
    public static ImmutableArray<SignatureEntry>? Read(ReadOnlySpan<byte> value)
    {
        var entries = ImmutableArray.CreateBuilder<SignatureEntry>();
        while (!value.IsEmpty)
        {
            if (value.Length < Header)
            {
                return null;
            }

            var kind = new Guid(value[..16]);
            uint list = BinaryPrimitives.ReadUInt32LittleEndian(value[16..]);
            uint header = BinaryPrimitives.ReadUInt32LittleEndian(value[20..]);
            uint each = BinaryPrimitives.ReadUInt32LittleEndian(value[24..]);
            if (list < Header || list > (uint)value.Length || header != 0 || each <= Owner
                || (list - Header) % each != 0)
            {
                return null;
            }

            for (ReadOnlySpan<byte> rest = value[Header..(int)list]; !rest.IsEmpty; rest = rest[(int)each..])
            {
                if (entries.Count == BootLogLimits.Signatures)
                {
                    return null;
                }

                entries.Add(new SignatureEntry(kind, new Guid(rest[..Owner]), rest[Owner..(int)each].ToArray()));
            }

            value = value[(int)list..];
        }

        return entries.ToImmutable();
    }
}
