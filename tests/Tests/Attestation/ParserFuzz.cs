using System.Diagnostics;

namespace Bailiwick.Tests.Attestation;

/// <summary>
/// Random mutations of known inputs, seeded, against one promise: no exception, under a second and under 64 MB for
/// each (I01).
/// </summary>
internal static class ParserFuzz
{
    private static readonly byte[][] Interesting =
    [
        [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80], [1, 0, 0, 0],
        [0x20, 0, 0, 0], [0, 0, 1, 0],
    ];

    /// <summary>Runs for a time; the failing input's seed is in the failure.</summary>
    internal static int Run(IReadOnlyList<byte[]> corpus, TimeSpan time, Action<byte[]> read)
    {
        long start = Stopwatch.GetTimestamp();
        int seed = 0;
        for (; Stopwatch.GetElapsedTime(start) < time; seed++)
        {
            byte[] input = Mutate(new Random(seed), corpus);
            long before = GC.GetAllocatedBytesForCurrentThread(), began = Stopwatch.GetTimestamp();
            try
            {
                read(input);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                Assert.Fail($"seed {seed}, input {Shown(input)}: {fault}");
            }

            long cost = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(cost < 64 << 20, $"seed {seed}, input {Shown(input)} cost {cost} bytes");
            // On a busy machine a thread may stand still for a while; the limit on what the reader does is far below.
            Assert.True(Stopwatch.GetElapsedTime(began).TotalSeconds < 5, $"seed {seed} took too long");
        }

        return seed;
    }

    /// <summary>To be put into a test of its own: keys of the corpus differ from run to run.</summary>
    private static string Shown(byte[] input) =>
        input.Length <= 16 * 1024 ? Convert.ToBase64String(input) : $"of {input.Length} bytes";

    private static byte[] Mutate(Random random, IReadOnlyList<byte[]> corpus)
    {
        byte[] input = [.. corpus[random.Next(corpus.Count)]];
        for (int i = random.Next(1, 6); i > 0 && input.Length > 8; i--)
        {
            int at = random.Next(input.Length), length = Math.Min(random.Next(1, 64), input.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    input[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    byte[] value = Interesting[random.Next(Interesting.Length)];
                    value.AsSpan(0, Math.Min(value.Length, input.Length - at)).CopyTo(input.AsSpan(at));
                    break;
                case 2:
                    input = input[..at];
                    break;
                case 3:
                    input = [.. input[..at], .. input[(at + length)..]];
                    break;
                case 4:
                    input = [.. input[..(at + length)], .. input[at..]];
                    break;
                default:
                    random.NextBytes(input.AsSpan(at, length));
                    break;
            }
        }

        return input;
    }
}
