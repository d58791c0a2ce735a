using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Names and numbers that follow from a reference alone, so that every host derives the same without asking anyone.
/// Short hashes can collide, by chance or by intent; <see cref="PolicyCheck"/> lets the tenant that the datacentre
/// admitted earlier keep them.
/// </summary>
public static class DerivedNames
{
    /// <summary>Hexadecimal digits of a device's name: with a prefix of three letters it fits IFNAMSIZ (15).</summary>
    public const int DeviceDigits = 10;

    /// <summary>Hexadecimal digits of a machine's name.</summary>
    public const int MachineDigits = 16;

    /// <summary>Digits of the name of a volume's file in the pool.</summary>
    public const int VolumeDigits = 32;

    /// <summary>Behind the name of a volume's file while it is filled.</summary>
    public const string FillingSuffix = ".filling";

    /// <summary>Largest VXLAN network number (RFC 7348: 24 bits).</summary>
    public const int MaxNetworkNumber = 0xFFFFFF;

    /// <summary>
    /// The first <paramref name="count"/> lower-case hex digits of SHA-256 of the reference in UTF-8.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 to 64 digits.</exception>
    public static string Digits(string reference, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 64);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(reference, hash);
        return count % 2 == 0
            ? Convert.ToHexStringLower(hash[..(count / 2)]) : Convert.ToHexStringLower(hash)[..count];
    }

    /// <summary>The domain's VXLAN network number: the one its tenant chose, else one derived from its name.</summary>
    public static int NetworkNumber(DomainModel domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return domain.Network.Number ?? NetworkNumber(domain.Ref.ToString());
    }

    /// <summary>The number derived from a reference, 1 to <see cref="MaxNetworkNumber"/>.</summary>
    public static int NetworkNumber(string reference)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash("network " + reference, hash);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(hash) % MaxNetworkNumber) + 1;
    }

    /// <summary>SHA-256 of a text in UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <param name="hash">Gets the 32 bytes.</param>
    internal static void Hash(ReadOnlySpan<char> text, Span<byte> hash)
    {
        const int Usual = 768;
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = length <= Usual ? stackalloc byte[Usual] : new byte[length];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(text, bytes)], hash);
    }
}
