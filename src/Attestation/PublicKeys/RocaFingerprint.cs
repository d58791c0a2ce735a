using System.Numerics;

namespace Bailiwick.Attestation.PublicKeys;

/// <summary>
/// Recognises RSA moduli made by the flawed generator of CVE-2017-15361 (ROCA; Nemec et al., "The Return of
/// Coppersmith's Attack", CCS 2017, section 3.3): modulo each small prime such a modulus is a power of 65537. A good
/// modulus is one for all of these primes with a chance of less than one in a hundred million.
/// </summary>
public static class RocaFingerprint
{
    private const int Generator = 65537;

    private static readonly int[] Primes =
    [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];

    private static readonly bool[][] Powers = [.. Primes.Select(PowersModulo)];

    /// <summary>Whether a key bears the fingerprint; false for keys that are not RSA.</summary>
    public static bool Marks(SubjectKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!key.IsRsa)
        {
            return false;
        }

        var modulus = new BigInteger(key.Modulus, isUnsigned: true, isBigEndian: true);
        return Primes.Zip(Powers).All(one => one.Second[(int)(modulus % one.First)]);
    }

    private static bool[] PowersModulo(int prime)
    {
        bool[] powers = new bool[prime];
        for (int power = 1; !powers[power]; power = power * (Generator % prime) % prime)
        {
            powers[power] = true;
        }

        return powers;
    }
}
