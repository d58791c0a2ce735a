namespace Bailiwick.Tests.Attestation.Tpm;

/// <summary>Small lies in bytes: changed, cut, doubled, swapped, with sizes at their edges.</summary>
internal static class Mutation
{
    internal static byte[] Of(ReadOnlySpan<byte> bytes, Random random)
    {
        List<byte> result = [.. bytes];
        for (int changes = random.Next(1, 5); changes > 0 && result.Count > 2; changes--)
        {
            int at = random.Next(result.Count - 1);
            switch (random.Next(6))
            {
                case 0:
                    result[at] = (byte)random.Next(256);
                    break;
                case 1:
                    result[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    result.RemoveRange(at, random.Next(1, Math.Min(8, result.Count - at)));
                    break;
                case 3:
                    result.InsertRange(at, result.GetRange(at, random.Next(1, Math.Min(40, result.Count - at))));
                    break;
                case 4:
                    byte edge = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => 0x7f };
                    (result[at], result[at + 1]) = (edge, edge);
                    break;
                default:
                    int other = random.Next(result.Count);
                    (result[at], result[other]) = (result[other], result[at]);
                    break;
            }
        }

        return [.. result];
    }
}
