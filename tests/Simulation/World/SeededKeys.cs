using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bailiwick.Simulation.World;

/// <summary>P-256 keys that are the same in each run of a seed, so that ids, names and their order are too.</summary>
internal sealed class SeededKeys(int seed)
{
    private int _made;

    public ECDsa Next()
    {
        byte[] name = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(name, seed);
        BinaryPrimitives.WriteInt32BigEndian(name.AsSpan(4), _made++);
        byte[] secret = SHA256.HashData(name);
        // Below the order of the curve, which begins with four bytes of ones.
        secret[0] &= 0x7f;
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = secret });
    }
}
