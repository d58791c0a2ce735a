using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Attestation.Predicates;

/// <summary>
/// A key whose signatures of files are accepted: RSA (PKCS #1 v1.5) or ECDSA over the file's digest, in the form of
/// security.ima, version 2 (Linux, security/integrity/integrity.h, signature_v2_hdr).
/// </summary>
public sealed class RuntimeSigner : IEquatable<RuntimeSigner>
{
    private const int Header = 9;
    private const byte DigitalSignature = 3, Version = 2;
    private readonly AsymmetricAlgorithm _key;

    private RuntimeSigner(string spki, AsymmetricAlgorithm key)
    {
        Spki = spki;
        _key = key;
    }

    /// <summary>The SubjectPublicKeyInfo in base64.</summary>
    public string Spki { get; }

    /// <summary>Reads a SubjectPublicKeyInfo in base64: RSA of 2,048 to 8,192 bits, or an elliptic curve.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out RuntimeSigner? signer)
    {
        signer = null;
        byte[] der = new byte[text.Length];
        if (text.Length > 4096 || !Convert.TryFromBase64String(text, der, out int length)
            || Convert.ToBase64String(der.AsSpan(0, length)) != text)
        {
            return false;
        }

        AsymmetricAlgorithm? key = Import(RSA.Create(), der.AsSpan(0, length))
            ?? Import(ECDsa.Create(), der.AsSpan(0, length));
        if (key is RSA { KeySize: < 2048 or > 8192 })
        {
            key = null;
        }

        signer = key is null ? null : new RuntimeSigner(text, key);
        return signer is not null;
    }

    /// <summary>Whether this key signed a file's digest; false for anything that is no such signature.</summary>
    public bool Signed(ReadOnlySpan<byte> algorithm, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length <= Header || signature[0] != DigitalSignature || signature[1] != Version
            || BinaryPrimitives.ReadUInt16BigEndian(signature[7..]) != signature.Length - Header
            || HashOf(signature[2]) is not { } hash || hash.Bytes != digest.Length
            || Encoding.ASCII.GetString(algorithm) != hash.LinuxName)
        {
            return false;
        }

        try
        {
            return _key switch
            {
                RSA rsa => rsa.VerifyHash(digest, signature[Header..], hash.Name, RSASignaturePadding.Pkcs1),
                ECDsa ecdsa => ecdsa.VerifyHash(
                    digest, signature[Header..], DSASignatureFormat.Rfc3279DerSequence),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public bool Equals(RuntimeSigner? other) => other is not null && Spki == other.Spki;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RuntimeSigner);

    /// <inheritdoc/>
    public override int GetHashCode() => Spki.GetHashCode(StringComparison.Ordinal);

    /// <summary>Numbers of Linux's enum hash_algo (include/uapi/linux/hash_info.h); SHA-1 and older count for nothing.
    /// </summary>
    private static (string LinuxName, HashAlgorithmName Name, int Bytes)? HashOf(byte number) => number switch
    {
        4 => ("sha256", HashAlgorithmName.SHA256, 32),
        5 => ("sha384", HashAlgorithmName.SHA384, 48),
        6 => ("sha512", HashAlgorithmName.SHA512, 64),
        _ => null,
    };

    private static AsymmetricAlgorithm? Import(AsymmetricAlgorithm key, ReadOnlySpan<byte> der)
    {
        try
        {
            key.ImportSubjectPublicKeyInfo(der, out int read);
            if (read == der.Length)
            {
                return key;
            }
        }
        catch (CryptographicException)
        {
            // The other kind of key, or none: the caller asks for the next.
        }

        key.Dispose();
        return null;
    }
}
