using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Bailiwick.Ledger.Keys;

/// <summary>
/// A public key that verifies statements and checkpoints: ECDSA over P-256 with SHA-256, what every TPM and PKCS#11
/// token has. One key has exactly one accepted encoding, the DER SubjectPublicKeyInfo of RFC 5480 with the named curve
/// and the uncompressed point (91 bytes), so that one key can never be counted as two.
/// </summary>
public sealed class PublicKey : IEquatable<PublicKey>
{
    /// <summary>Length of a signature in IEEE P1363 form, in bytes.</summary>
    public const int SignatureLength = 64;

    private const int CoordinateLength = 32;

    private readonly byte[] _spki;
    private readonly ECParameters _parameters;

    // Opening a key costs more than using it. The platform promises no thread safety for one key object, so an object
    // is lent to one caller at a time; there are never more of them than callers at once.
    private readonly ConcurrentBag<ECDsa> _idle = [];

    private PublicKey(byte[] spki, ECParameters parameters, ECDsa opened)
    {
        _spki = spki;
        _parameters = parameters;
        _idle.Add(opened);
        Id = KeyId.OfSubjectPublicKeyInfo(spki);
    }

    /// <summary>The key's id.</summary>
    public KeyId Id { get; }

    /// <summary>The SubjectPublicKeyInfo in DER, 91 bytes.</summary>
    public ReadOnlySpan<byte> SubjectPublicKeyInfo => _spki;

    /// <summary>The SubjectPublicKeyInfo in standard base64, as root statements carry it.</summary>
    public string Base64 => Convert.ToBase64String(_spki);

    /// <summary>
    /// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 || ... up to the coordinates.
    /// </summary>
    private static ReadOnlySpan<byte> Prefix =>
    [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
        0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];

    /// <summary>Reads the one accepted encoding of a key whose point lies on the curve.</summary>
    public static bool TryParse(ReadOnlySpan<byte> spki, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        if (spki.Length != Prefix.Length + (2 * CoordinateLength) || !spki.StartsWith(Prefix))
        {
            return false;
        }

        var parameters = new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint
            {
                X = spki.Slice(Prefix.Length, CoordinateLength).ToArray(),
                Y = spki[(Prefix.Length + CoordinateLength)..].ToArray(),
            },
        };
        try
        {
            var opened = ECDsa.Create(parameters);
            if (!spki.SequenceEqual(opened.ExportSubjectPublicKeyInfo()))
            {
                opened.Dispose();
                return false;
            }

            key = new PublicKey(spki.ToArray(), parameters, opened);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Reads the encoding in canonical standard base64.</summary>
    public static bool TryParseBase64([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        return StrictBase64.TryDecode(text, Prefix.Length + (2 * CoordinateLength), out var spki)
            && TryParse(spki, out key);
    }

    /// <summary>
    /// True if <paramref name="signature"/> (64 bytes, IEEE P1363) is this key's over <paramref name="data"/>; false
    /// for anything else, other lengths included.
    /// </summary>
    public bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureLength)
        {
            return false;
        }

        if (!_idle.TryTake(out var opened))
        {
            opened = ECDsa.Create(_parameters);
        }

        var holds = opened.VerifyData(
            data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        _idle.Add(opened);
        return holds;
    }

    /// <inheritdoc/>
    public bool Equals(PublicKey? other) => other is not null && Id == other.Id;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Id.ToString();
}
