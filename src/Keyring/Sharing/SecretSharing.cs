using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;

namespace Bailiwick.Keyring.Sharing;

/// <summary>
/// Shamir's secret sharing (Communications of the ACM 22(11), 1979), byte by byte over <see cref="ByteField"/>: a share
/// is a point, from 1 on, of a random polynomial whose value at 0 is the secret. Secrets, coefficients and shares stay
/// in locked memory.
/// </summary>
internal static class SecretSharing
{
    /// <summary>The most shares of one secret.</summary>
    public const int MostShares = 16;

    /// <summary>Splits a secret.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="threshold">How many shares give it back, from 2.</param>
    /// <param name="count">How many shares there are; the i-th is the point i + 1.</param>
    public static SecretBytes[] Split(SecretBytes secret, int threshold, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threshold, count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostShares);
        using SecretBytes coefficients = SecretBytes.Create(threshold * secret.Length, all =>
        {
            using SecretLoan loan = secret.Borrow();
            loan.Bytes.CopyTo(all);
            RandomNumberGenerator.Fill(all[loan.Bytes.Length..]);
        });
        SecretBytes[] shares = new SecretBytes[count];
        for (int i = 0; i < count; i++)
        {
            byte point = (byte)(i + 1);
            shares[i] = SecretBytes.Create(secret.Length, share => Evaluate(coefficients, point, share));
        }

        return shares;
    }

    /// <summary>The value at 0 of the polynomial through these points, which must be distinct and not 0.</summary>
    public static SecretBytes Join(IReadOnlyList<(byte Point, SecretBytes Share)> shares)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shares.Count, 2, nameof(shares));
        return SecretBytes.Create(shares[0].Share.Length, secret =>
        {
            foreach (var (point, share) in shares)
            {
                byte weight = Weight(shares, point);
                using SecretLoan loan = share.Borrow();
                for (int at = 0; at < secret.Length; at++)
                {
                    secret[at] ^= ByteField.Multiply(loan.Bytes[at], weight);
                }
            }
        });
    }

    private static void Evaluate(SecretBytes coefficients, byte point, Span<byte> share)
    {
        using SecretLoan loan = coefficients.Borrow();
        for (int row = coefficients.Length / share.Length - 1; row >= 0; row--)
        {
            for (int at = 0; at < share.Length; at++)
            {
                share[at] = (byte)(ByteField.Multiply(share[at], point) ^ loan.Bytes[row * share.Length + at]);
            }
        }
    }

    /// <summary>Lagrange's factor of a point for the value at 0; subtraction is addition here.</summary>
    private static byte Weight(IReadOnlyList<(byte Point, SecretBytes Share)> shares, byte point)
    {
        byte weight = 1;
        foreach (var (other, _) in shares)
        {
            if (other != point)
            {
                weight = ByteField.Multiply(
                    weight, ByteField.Multiply(other, ByteField.Invert((byte)(other ^ point))));
            }
        }

        return weight;
    }
}
