using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Seeing;

namespace Bailiwick.Tests.Domains.Seeing;

/// <summary>Which frames are of a service, read from hostile bytes; and the file that they are kept in.</summary>
public sealed class FrameFilterTests
{
    [Theory]
    [InlineData(4, 6, 40000, 443, true)]
    [InlineData(4, 6, 443, 40000, true)]
    [InlineData(6, 6, 40000, 443, true)]
    [InlineData(6, 6, 443, 40000, true)]
    [InlineData(4, 6, 40000, 444, false)]
    [InlineData(6, 6, 40000, 444, false)]
    [InlineData(4, 17, 40000, 443, false)]
    [InlineData(6, 58, 40000, 443, false)]
    public void Takes_a_service_both_ways_and_nothing_else(int version, int protocol, int from, int to, bool takes)
    {
        byte[] frame = Frame(version, protocol, from, to);

        Assert.Equal(takes, new FrameFilter(FlowProtocol.Tcp, 443).Takes(frame));
        Assert.True(FrameFilter.All.Takes(frame));
    }

    [Theory]
    [InlineData(4, 1, true)]
    [InlineData(6, 58, true)]
    [InlineData(4, 58, false)]
    [InlineData(6, 1, false)]
    public void Takes_ICMP_of_each_family_by_its_own_number(int version, int protocol, bool takes) =>
        Assert.Equal(takes, new FrameFilter(FlowProtocol.Icmp, 0).Takes(Frame(version, protocol, 0, 0)));

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Every_frame_that_is_cut_short_is_of_no_service_and_none_throws(int version)
    {
        byte[] frame = Frame(version, 6, 40000, 443);
        var filter = new FrameFilter(FlowProtocol.Tcp, 443);
        int least = 14 + (version == 4 ? 20 : 40) + 4;
        for (int length = 0; length <= frame.Length; length++)
        {
            Assert.Equal(length >= least, filter.Takes(frame.AsSpan(0, length)));
        }

        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            byte[] flipped = [.. frame];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            filter.Takes(flipped);
        }
    }

    [Fact]
    public void A_later_fragment_has_no_ports_and_a_header_shorter_than_it_can_be_none_either()
    {
        var filter = new FrameFilter(FlowProtocol.Tcp, 443);
        byte[] frame = Frame(4, 6, 40000, 443);
        Assert.True(filter.Takes(frame));
        frame[14 + 7] = 1;
        Assert.False(filter.Takes(frame));
        frame = Frame(4, 6, 40000, 443);
        frame[14] = 0x44;
        Assert.False(filter.Takes(frame));
    }

    [Theory]
    [InlineData(0, 0, "all frames")]
    [InlineData(1, 0, "icmp")]
    [InlineData(6, 443, "tcp/443")]
    [InlineData(17, 53, "udp/53")]
    [InlineData(6, 0, null)]
    [InlineData(1, 443, null)]
    [InlineData(0, 443, null)]
    [InlineData(58, 0, null)]
    [InlineData(6, 65536, null)]
    public void Reads_numbers_exactly(int protocol, int port, string? text)
    {
        FrameFilter? filter = FrameFilter.Of(protocol, port);

        Assert.Equal(text, filter?.ToString());
        Assert.Equal(text is null ? null : protocol, filter?.ProtocolNumber);
    }

    [Fact]
    public void The_file_is_as_libpcap_has_it()
    {
        Assert.Equal(
            "d4c3b2a1020004000000000000000000ffff000001000000", Convert.ToHexStringLower(PcapFormat.Header()));
        Assert.True(PcapFormat.IsHeader(PcapFormat.Header()));
        Assert.False(PcapFormat.IsHeader(PcapFormat.Header().AsSpan(0, 23)));
        Assert.False(PcapFormat.IsHeader([0, .. PcapFormat.Header()]));

        byte[] record = new byte[PcapFormat.RecordBytes];
        PcapFormat.Record(record, DateTimeOffset.UnixEpoch.AddSeconds(258).AddMicroseconds(3), 60);
        Assert.Equal("02010000030000003c0000003c000000", Convert.ToHexStringLower(record));
        Assert.Equal(60, PcapFormat.LengthOf(record));
        record[12]++;
        Assert.Null(PcapFormat.LengthOf(record));
        Assert.Null(PcapFormat.LengthOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]));
    }

    private static byte[] Frame(int version, int protocol, int from, int to)
    {
        byte[] ports = [(byte)(from >> 8), (byte)from, (byte)(to >> 8), (byte)to, 0, 0, 0, 0];
        byte[] header = version == 4
            ? [0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, (byte)protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
            : [0x60, 0, 0, 0, 0, 8, (byte)protocol, 64, .. new byte[32]];
        return
        [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, .. version == 4 ? new byte[] { 8, 0 } : [0x86, 0xdd], .. header,
            .. ports,
        ];
    }
}
