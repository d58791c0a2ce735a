using System.Numerics;
using Bailiwick.Domains.Consequences;

namespace Bailiwick.Tests.Domains.Consequences;

public sealed class SmallestReasonTests
{
    [Fact]
    public void The_reason_is_the_smallest_and_excludes_every_candidate()
    {
        var random = new Random(1);
        for (int round = 0; round < 2_000; round++)
        {
            int demands = random.Next(1, 9);
            var missed = Enumerable.Range(0, random.Next(1, 7))
                .Select(_ => (BigInteger)random.Next(1, 1 << demands)).ToArray();

            var reason = SmallestReason.Of(missed, demands);

            var bits = reason.Aggregate(BigInteger.Zero, (all, i) => all | BigInteger.One << i);
            Assert.True(Excludes(bits, missed));
            int least = Enumerable.Range(0, 1 << demands).Where(one => Excludes(one, missed))
                .Min(one => BitOperations.PopCount((uint)one));
            Assert.All(reason, i => Assert.False(Excludes(bits & ~(BigInteger.One << i), missed)));
            Assert.True(reason.Length == least || least > SmallestReason.Exact, $"{reason.Length} and not {least}");
        }
    }

    [Fact]
    public void No_candidates_need_no_reason_and_one_that_misses_nothing_has_none()
    {
        Assert.Empty(SmallestReason.Of([], 3));
        Assert.Throws<ArgumentException>(() => SmallestReason.Of([BigInteger.One, BigInteger.Zero], 3));
    }

    private static bool Excludes(BigInteger chosen, BigInteger[] missed) =>
        Array.TrueForAll(missed, one => !(one & chosen).IsZero);
}
