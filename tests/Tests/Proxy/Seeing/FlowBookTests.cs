using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Seeing;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Seeing;

/// <summary>Totals over counters that come and go, bounded for each machine.</summary>
public sealed class FlowBookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly DomainRef Web = new(PartyId.Unsigned("bank"), StatementName.Parse("web"));

    [Fact]
    public void Adds_what_came_since_the_reading_before_and_begins_anew_with_an_element_that_was_idle()
    {
        FlowBook book = FlowBook.Empty;
        book.Take([Reading(CountedAt.Asked, Tcp(80, 5)), Reading(CountedAt.Sent, Tcp(80, 4))], Noon);
        book.Take([Reading(CountedAt.Asked, Tcp(80, 7)), Reading(CountedAt.Sent, Tcp(80, 6))], Noon.AddMinutes(1));
        Assert.Equal((7L, 6L, 1L), Packets(Assert.Single(book.Records)));
        Assert.Equal((Noon, Noon.AddMinutes(1)), (book.Records[0].First, book.Records[0].Last));

        // The element went and came back: what it counts now is new.
        book.Take([Reading(CountedAt.Asked, Tcp(80, 2)), Reading(CountedAt.Sent, Tcp(80, 2))], Noon.AddMinutes(9));
        Assert.Equal((9L, 8L, 1L), Packets(Assert.Single(book.Records)));

        // The tables were made anew, and count as much again.
        book.Restart();
        book.Take([Reading(CountedAt.Asked, Tcp(80, 2)), Reading(CountedAt.Sent, Tcp(80, 2))], Noon.AddMinutes(10));
        Assert.Equal((11L, 10L, 1L), Packets(Assert.Single(book.Records)));
        Assert.Equal(1, book.Records[0].Dropped.Packets);

        // Without anything new a record is not seen again.
        book.Take([Reading(CountedAt.Asked, Tcp(80, 2))], Noon.AddMinutes(11));
        Assert.Equal(Noon.AddMinutes(10), book.Records[0].Last);
    }

    [Fact]
    public void A_machine_that_floods_drives_out_its_own_records_only()
    {
        FlowBook book = FlowBook.Empty;
        book.Take([Reading(CountedAt.Asked, Tcp(443, 1)) with { Device = "bwt-quiet" }], Noon);
        for (int round = 0; round < 20; round++)
        {
            book.Take(
                [
                    Reading(CountedAt.Asked, [.. Enumerable.Range(round * 256, 256).Select(port => Tcp(port, 1))]),
                    Reading(CountedAt.Asked, Tcp(443, 1)) with { Device = "bwt-quiet" },
                ],
                Noon.AddMinutes(1 + round));
        }

        Assert.Equal(FlowBook.RecordsOfPort, book.Records.Count(record => record.Device == "bwt-loud"));
        Assert.Single(book.Records, record => record.Device == "bwt-quiet");
        Assert.Contains(book.Records, record => record.Flow.Port == (20 * 256) - 1);
    }

    [Fact]
    public void What_nobody_sent_for_a_day_goes()
    {
        FlowBook book = FlowBook.Empty;
        book.Take([Reading(CountedAt.Asked, Tcp(80, 1))], Noon);
        book.Take([Reading(CountedAt.Asked, Tcp(81, 1))], Noon.AddHours(FlowBook.KeptHours));
        Assert.Equal(2, book.Records.Length);
        book.Take([Reading(CountedAt.Asked, Tcp(82, 1))], Noon.AddHours(FlowBook.KeptHours).AddMinutes(1));
        Assert.Equal([82, 81], book.Records.Select(record => record.Flow.Port));
    }

    [Fact]
    public void A_successor_goes_on_with_what_was_kept_and_a_damaged_file_is_no_history()
    {
        FakeDisk disk = new(1) { EffectiveUser = 0 };
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, "/flows");
        FlowBook book = FlowBook.Empty;
        book.Take([Reading(CountedAt.Got, Tcp(80, 3)), Reading(CountedAt.AtGateway, Tcp(80, 3))], Noon);
        book.Save(directory, Web);

        FlowBook successor = FlowBook.Open(directory, Web);
        Assert.Equal(book.Records, successor.Records);
        successor.Take([Reading(CountedAt.Got, Tcp(80, 2))], Noon.AddMinutes(1));
        Assert.Equal(5, Assert.Single(successor.Records).Got.Packets);
        Assert.Empty(FlowBook.Open(directory, Web with { Name = StatementName.Parse("other") }).Records);

        DurableFile.Replace(directory, $"flows-{DerivedNames.Digits(Web.ToString(), 10)}.json", "[{"u8);
        Assert.Empty(FlowBook.Open(directory, Web).Records);
    }

    [Fact]
    public void Reads_what_nft_prints_and_nothing_of_another_shape()
    {
        const string Listing = """
            {"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"family": "bridge", "name": "a6_x", "table":
            "bwf_x", "type": ["ipv6_addr", "ipv6_addr", "inet_proto", "inet_service"], "handle": 6, "elem": [
            {"elem": {"val": {"concat": ["fd20:1::11", "fd20:2::11", "tcp", 80]}, "expires": 9,
            "counter": {"packets": 2, "bytes": 120}}},
            {"elem": {"val": {"concat": ["fd20:1::11", "fd20:2::11", "ipv6-icmp", 0]}, "expires": 9,
            "counter": {"packets": 1, "bytes": 64}}},
            {"elem": {"val": {"concat": ["fd20:1::11", "fd20:2::11", 253, 0]}, "expires": 9,
            "counter": {"packets": 1, "bytes": 64}}}]}}]}
            """;
        Assert.Equal(
            [
                new FlowCount("fd20:1::11", "fd20:2::11", "tcp", 80, 2, 120),
                new FlowCount("fd20:1::11", "fd20:2::11", "icmp", 0, 1, 64),
                new FlowCount("fd20:1::11", "fd20:2::11", "253", 0, 1, 64),
            ],
            FlowListing.Read(Listing));
        Assert.Empty(FlowListing.Read("""{"nftables": [{"set": {"name": "a4_x"}}]}"""));
        Assert.ThrowsAny<Exception>(() => FlowListing.Read("{}"));
        Assert.Throws<JsonException>(() => FlowListing.Read(Listing.Replace(", 80]", "]", StringComparison.Ordinal)));
        Assert.Throws<JsonException>(
            () => FlowListing.Read(Listing.Replace(", 80]", ", \"http\"]", StringComparison.Ordinal)));
    }

    private static (long Asked, long Sent, long Dropped) Packets(FlowRecord record) =>
        (record.Asked.Packets, record.Sent.Packets, record.DroppedBySwitch.Packets);

    private static FlowReading Reading(CountedAt at, params FlowCount[] counts) =>
        new("bwt-loud", "bank/web-1", at, counts);

    private static FlowCount Tcp(int port, long packets) =>
        new("10.20.1.11", "10.20.2.11", "tcp", port, packets, packets * 60);
}
