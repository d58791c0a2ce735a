using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Attestation.IntegrityLog;

/// <summary>One form each of what a host shows of its log; nothing else is read.</summary>
public sealed class IntegrityTailTests
{
    private static readonly IntegrityScene Scene = IntegrityScene.Good();
    private static readonly byte[] Good = Scene.Tail(IntegrityScene.Bank, after: 1).Write();
    private static readonly string Entry = Encoding.UTF8.GetString(Scene.Entries[4].Entry.Write());

    [Fact]
    public void Reads_what_it_wrote()
    {
        IntegrityTail read = Read(Good) ?? throw new InvalidOperationException();
        Assert.Equal(Good, read.Write());
        Assert.Equal(Scene.At(1), read.After);
        Assert.Equal(5, read.Count);
        Assert.Equal([1, 2, 4], read.Openings.Select(o => o.Entry.Sequence));
        Assert.Equal(Scene.Entries[1].Commitment(), read.Commitment(0));
        Assert.Null(Read(Scene.Tail(null).Write())?.After);
    }

    [Fact]
    public void Reads_nothing_that_was_cut_or_has_a_bit_changed_and_is_not_canonical()
    {
        for (int length = 0; length < Good.Length; length++)
        {
            Assert.Null(Read(Good[..length]));
        }

        Assert.Null(Read([.. Good, (byte)' ']));
        for (int bit = 0; bit < Good.Length * 8; bit++)
        {
            byte[] changed = [.. Good];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            // What is still read is another tail, in its one form.
            if (Read(changed) is { } read)
            {
                Assert.Equal(changed, read.Write());
            }
        }
    }

    [Theory]
    [InlineData("integrity-tail/v1", "integrity-tail/v2")]
    [InlineData("\"openings\":[", "\"openings\":[1,")]
    [InlineData("\"openings\":[", "\"openings\":[{},")]
    [InlineData("\"after\":{", "\"after\":[],\"b\":{")]
    [InlineData("\"first\":0", "\"first\":1")]
    [InlineData("\"first\":0", "\"first\":-1")]
    [InlineData("\"boot\":\"e", "\"boot\":\"E")]
    [InlineData("\"commitments\":\"", "\"commitments\":\"AAAA")]
    [InlineData("\"salt\":\"", "\"salt\":\"AAAA")]
    public void Reads_no_other_form(string from, string to)
    {
        string text = Encoding.UTF8.GetString(Good);
        string changed = text.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(text, changed);
        Assert.Null(Read(Encoding.UTF8.GetBytes(changed)));
    }

    [Fact]
    public void Reads_no_openings_out_of_order_or_twice()
    {
        IntegrityTail tail = Scene.Tail(IntegrityScene.Bank);
        Assert.NotNull(Read(tail.Write()));
        Assert.Null(Read((tail with { Openings = [tail.Openings[1], tail.Openings[0]] }).Write()));
        Assert.Null(Read((tail with { Openings = [tail.Openings[1], tail.Openings[1]] }).Write()));
    }

    [Fact]
    public void Reads_no_more_than_its_limits()
    {
        Assert.NotNull(Read(new IntegrityTail(null, new byte[IntegrityTail.MostEntries * 32], []).Write()));
        Assert.Null(Read(new IntegrityTail(null, new byte[(IntegrityTail.MostEntries + 1) * 32], []).Write()));
        IntegrityScene full = new();
        for (int entry = 1; entry < IntegrityTail.MostOpenings; entry++)
        {
            full.Add(IntegrityKind.PortOpened, IntegrityReaders.Of(IntegrityScene.Bank), new string('x', 200));
        }

        Assert.NotNull(Read(full.Tail(IntegrityScene.Bank).Write()));
        full.Add(IntegrityKind.PortOpened, IntegrityReaders.Everyone, "x");
        Assert.Null(Read(full.Tail(IntegrityScene.Bank).Write()));
    }

    [Theory]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"Port-opened\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"port--opened\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"-port\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"port-\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"port opened\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"0port\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":\"a2345678901234567890123456789012345678901\"")]
    [InlineData("\"kind\":\"port-opened\"", "\"kind\":7")]
    [InlineData("\"sequence\":4", "\"sequence\":-4")]
    [InlineData("\"sequence\":4", "\"sequence\":\"4\"")]
    [InlineData("\"subject\":\"bwq0123456789\"", "\"subject\":\"\"")]
    [InlineData("\"readers\":[", "\"readers\":[\"all\",")]
    [InlineData("\"readers\":[", "\"readers\":\"all\",\"x\":[")]
    [InlineData("\"digest\":\"", "\"digest\":\"00")]
    public void Reads_no_entry_of_another_form(string from, string to)
    {
        Assert.NotNull(IntegrityEntry.Read(Encoding.UTF8.GetBytes(Entry)));
        string changed = Entry.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Entry, changed);
        Assert.Null(IntegrityEntry.Read(Encoding.UTF8.GetBytes(changed)));
    }

    [Fact]
    public void Reads_no_readers_out_of_order_or_twice_or_by_another_word()
    {
        string[] both = [.. new[] { IntegrityScene.Bank, IntegrityScene.Hospital }.Order().Select(p => $"\"{p}\"")];
        string good = $"[{both[0]},{both[1]}]";
        Assert.Contains(good, Entry, StringComparison.Ordinal);
        foreach (string other in new[]
            { $"[{both[1]},{both[0]}]", $"[{both[0]},{both[0]}]", "\"everyone\"", "null", "[1]", "{}" })
        {
            Assert.Null(IntegrityEntry.Read(
                Encoding.UTF8.GetBytes(Entry.Replace(good, other, StringComparison.Ordinal))));
        }

        Assert.Equal(IntegrityReaders.Everyone, IntegrityEntry.Read(Encoding.UTF8.GetBytes(
            Entry.Replace(good, "\"all\"", StringComparison.Ordinal)))?.Readers);
        Assert.Equal(IntegrityReaders.Nobody, IntegrityEntry.Read(Encoding.UTF8.GetBytes(
            Entry.Replace(good, "[]", StringComparison.Ordinal)))?.Readers);
    }

    [Fact]
    public void Who_cannot_be_named_is_nobody()
    {
        PartyId bank = IntegrityScene.Bank, hospital = IntegrityScene.Hospital;
        Assert.False(IntegrityReaders.Nobody.Include(bank));
        Assert.True(IntegrityReaders.Everyone.Include(bank));
        Assert.False(IntegrityReaders.Everyone.Name(bank));
        Assert.True(IntegrityReaders.Of(bank).Include(bank));
        Assert.False(IntegrityReaders.Of(bank).Include(hospital));
        Assert.Equal(IntegrityReaders.Nobody, IntegrityReaders.Of());
        PartyId[] many = [.. Enumerable.Range(0, 65).Select(n => PartyId.Unsigned($"tenant {n}"))];
        Assert.True(IntegrityReaders.Of(many[..64]).Include(many[63]));
        Assert.Equal(IntegrityReaders.Nobody, IntegrityReaders.Of(many));
    }

    [Fact]
    public void Every_kind_has_one_name_that_is_a_name()
    {
        Assert.All(IntegrityKinds.All, kind => Assert.Equal(kind, IntegrityKinds.Parse(kind.WireName())));
        Assert.All(IntegrityKinds.All, kind => Assert.True(IntegrityKinds.IsName(kind.WireName())));
        Assert.Equal(IntegrityKinds.All.Count, IntegrityKinds.All.Select(k => k.WireName()).Distinct().Count());
        Assert.Null(IntegrityKinds.Parse("Plan"));
        Assert.Null(IntegrityKinds.Parse(null));
    }

    private static IntegrityTail? Read(byte[] bytes) => IntegrityTail.Read(bytes, out _);
}
