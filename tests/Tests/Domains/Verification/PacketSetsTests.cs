using System.Collections.Immutable;
using Bailiwick.Domains.Verification;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>Sets of packets against what is asked of each packet by itself.</summary>
public sealed class PacketSetsTests
{
    private static readonly HeaderField[] Fields =
        [HeaderField.Protocol, HeaderField.Source4, HeaderField.EtherDestination, HeaderField.Destination6];

    [Fact]
    public void A_packet_is_in_what_sets_come_to_exactly_if_what_was_asked_says_so()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var sets = new PacketSets();
            (int set, Func<Dictionary<HeaderField, UInt128>, bool> asks) = Drawn(random, sets, 5);
            for (int i = 0; i < 200; i++)
            {
                Dictionary<HeaderField, UInt128> packet = Fields.ToDictionary(
                    field => field, field => Value(random, field));
                Assert.True(sets.Has(set, packet) == asks(packet), $"seed {seed}, packet {i}");
            }

            if (set != PacketSets.None)
            {
                Assert.True(asks(Whole(sets.Witness(set))), $"seed {seed}, what the set itself tells");
            }
        }
    }

    [Fact]
    public void Sets_of_the_same_packets_are_one_whatever_they_were_made_of()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var sets = new PacketSets();
            int one = Drawn(random, sets, 4).Set, other = Drawn(random, sets, 4).Set;
            int both = sets.Both(one, other), either = sets.Either(one, other);
            Assert.Equal(both, sets.Without(one, sets.Without(one, other)));
            Assert.Equal(either, sets.Without(PacketSets.All, sets.Both(
                sets.Without(PacketSets.All, one), sets.Without(PacketSets.All, other))));
            Assert.Equal(either, sets.Any([sets.Without(one, other), both, sets.Without(other, one)]));
            Assert.Equal(one, sets.Either(sets.Without(one, other), both));
            sets.Clear();
            random = new Random(seed);
            Assert.Equal(one, Drawn(random, sets, 4).Set);
        }
    }

    [Fact]
    public void What_was_forgotten_is_never_met_again_however_often_room_is_used()
    {
        var used = new PacketSets();
        for (int round = 0; round < 600; round++)
        {
            // Every fifth has so many nodes that its room grows, within what others had and beyond it.
            int rows = round % 5 == 0 ? 400 + (round * 3) : 20;
            var fresh = new PacketSets();
            (int one, int again) = Mixed(used, round, rows);
            (int wanted, _) = Mixed(fresh, round, rows);

            Assert.Equal((wanted, wanted, fresh.Count), (one, again, used.Count));
            used.Clear();
        }

        static (int Once, int Again) Mixed(PacketSets sets, int seed, int count)
        {
            int Half(int from) => sets.Any(Enumerable.Range(0, 2).Select(part =>
            {
                var random = new Random(seed + from);
                var rows = new ElementRows([HeaderField.Source4, HeaderField.Destination6]);
                for (int row = 0; row < count; row++)
                {
                    ValueRange[] element =
                        [ValueRange.Of((UInt128)random.Next(count)), ValueRange.Of((UInt128)random.Next(1 << 20))];
                    if (row % 2 == part)
                    {
                        rows.Add(element);
                    }
                }

                return sets.Elements(rows);
            }));
            int one = Half(0), other = Half(1_000_000), either = sets.Either(one, other);
            return (either, sets.Either(sets.Without(either, other), sets.Without(other, sets.Without(one, other))));
        }
    }

    [Fact]
    public void Elements_made_at_once_are_the_union_of_each()
    {
        ImmutableArray<HeaderField>[] keys =
        [
            [HeaderField.EtherDestination, HeaderField.Source4],
            [HeaderField.Destination6, HeaderField.Protocol, HeaderField.Source4],
            [HeaderField.Source4, HeaderField.Protocol, HeaderField.Source4],
        ];
        int apart = 0, overlapping = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var sets = new PacketSets();
            ImmutableArray<HeaderField> key = keys[seed % keys.Length];
            var rows = new ElementRows(key);
            List<int> each = [];
            for (int i = 0; i < 12; i++)
            {
                // Some lists have single values only, so that none overlaps another.
                ValueRange[] element = [.. key.Select(field => Range(random, field, isOne: seed % 2 == 0))];
                rows.Add(element);
                each.Add(key.Select((field, part) => sets.Of(field, [element[part]])).Aggregate(
                    PacketSets.All, sets.Both));
            }

            rows.Sort();
            overlapping += rows.Overlap(0, 0, rows.Count) ? 1 : 0;
            apart += rows.Overlap(0, 0, rows.Count) ? 0 : 1;
            Assert.Equal(sets.Any(each), sets.Elements(rows));
        }

        Assert.True(overlapping > 50 && apart > 50, $"{overlapping} {apart}");
    }

    private static (int Set, Func<Dictionary<HeaderField, UInt128>, bool> Asks) Drawn(
        Random random, PacketSets sets, int depth)
    {
        if (depth == 0 || random.Next(6) == 0)
        {
            HeaderField field = Fields[random.Next(Fields.Length)];
            ImmutableArray<ValueRange> values = Ranges.Sorted(
                Enumerable.Range(0, random.Next(1, 4)).Select(_ => Range(random, field, isOne: false)));
            return (sets.Of(field, values),
                packet => values.Any(range => range.First <= packet[field] && packet[field] <= range.Last));
        }

        (int one, Func<Dictionary<HeaderField, UInt128>, bool> left) = Drawn(random, sets, depth - 1);
        (int other, Func<Dictionary<HeaderField, UInt128>, bool> right) = Drawn(random, sets, depth - 1);
        return random.Next(3) switch
        {
            0 => (sets.Both(one, other), packet => left(packet) && right(packet)),
            1 => (sets.Either(one, other), packet => left(packet) || right(packet)),
            _ => (sets.Without(one, other), packet => left(packet) && !right(packet)),
        };
    }

    /// <summary>Few values, so that they meet, at the ends of the field and in its midst.</summary>
    private static UInt128 Value(Random random, HeaderField field)
    {
        UInt128 greatest = HeaderFields.Greatest(field), near = (UInt128)random.Next(6);
        return random.Next(3) switch { 0 => near, 1 => greatest - near, _ => (greatest >> 1) + near };
    }

    private static ValueRange Range(Random random, HeaderField field, bool isOne)
    {
        UInt128 one = Value(random, field), other = isOne ? one : Value(random, field);
        return new ValueRange(UInt128.Min(one, other), UInt128.Max(one, other));
    }

    private static Dictionary<HeaderField, UInt128> Whole(Dictionary<HeaderField, UInt128> packet) =>
        Fields.ToDictionary(field => field, packet.GetValueOrDefault);
}
