namespace Bailiwick.Keyring.Sharing;

/// <summary>
/// The field of 256 elements modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4). No tables and no branches on values:
/// the time tells nothing of them.
/// </summary>
internal static class ByteField
{
    private const int Modulus = 0x11B;

    public static byte Multiply(byte left, byte right)
    {
        int product = 0, shifted = left;
        for (int bit = 0; bit < 8; bit++)
        {
            product ^= -((right >> bit) & 1) & shifted;
            shifted = (shifted << 1) ^ (-(shifted >> 7) & Modulus);
        }

        return (byte)product;
    }

    /// <summary>The inverse, which is the 254th power; 0 for 0.</summary>
    public static byte Invert(byte value)
    {
        byte power = value;
        for (int bit = 0; bit < 6; bit++)
        {
            power = Multiply(Multiply(power, power), value);
        }

        return Multiply(power, power);
    }
}
