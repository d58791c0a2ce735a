using System.Collections.Immutable;
using Bailiwick.Domains.Verification;

namespace Bailiwick.Tests.Domains.Verification;

public sealed class PacketWordsTests
{
    [Fact]
    public void A_packet_is_told_by_what_is_not_so_of_nearly_every_other()
    {
        Assert.Equal(
            "an IPv4 packet (TCP, destination port 22, the first of its connection, from 10.20.1.11)", Words(
                (HeaderField.EtherType, 0x0800), (HeaderField.Extended, 0), (HeaderField.FragmentNext, 256),
                (HeaderField.Protocol, 6), (HeaderField.LaterFragment, 0), (HeaderField.DestinationPort, 22),
                (HeaderField.ConnectionState, 8), (HeaderField.ConnectionDirection, 0),
                (HeaderField.Source4, 0x0a14010b)));
        Assert.Equal(
            "an IPv6 packet (with extension headers, fragmented, of UDP, not the first fragment)", Words(
                (HeaderField.EtherType, 0x86dd), (HeaderField.Extended, 1), (HeaderField.FragmentNext, 17),
                (HeaderField.LaterFragment, 1)));
        Assert.Equal("a frame of type 0x88cc", Words((HeaderField.EtherType, 0x88cc)));
    }

    [Fact]
    public void Every_field_has_words_of_its_own_for_people()
    {
        foreach (HeaderField field in Enum.GetValues<HeaderField>().Where(one => one != HeaderField.EtherType))
        {
            string words = Words((field, 3));
            Assert.DoesNotContain(field.ToString(), words, StringComparison.Ordinal);
            Assert.Contains('(', words);
        }
    }

    private static string Words(params (HeaderField Field, int Value)[] packet) =>
        PacketWords.Of(packet.ToImmutableSortedDictionary(part => part.Field, part => (UInt128)part.Value));
}
