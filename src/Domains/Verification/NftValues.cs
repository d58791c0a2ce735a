using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bailiwick.Domains.Verification;

/// <summary>A word or sentence of a ruleset is not known; the reader tells where.</summary>
internal sealed class UnknownWordException(string text) : Exception(text);

/// <summary>Values as nftables writes them, by type (nft(8), "Data types").</summary>
internal static class NftValues
{
    private const int NameLength = 15;

    /// <summary>
    /// A value, a range <c>a-b</c>, an address with a prefix length, or a name that ends in <c>*</c>.
    /// </summary>
    public static ValueRange Parse(string type, string text)
    {
        if (NftWords.Constant(type, text) is { } constant)
        {
            return ValueRange.Of((UInt128)constant);
        }

        var range = type switch
        {
            "ifname" => Name(text),
            "ether_addr" => Mac(text),
            "ipv4_addr" or "ipv6_addr" => Address(type, text),
            "devgroup" or "ether_type" or "inet_proto" or "icmp_type" or "icmp_code" or "icmpv6_type" or "arp_op"
                or "inet_service" or "integer" or "pkt_type" => Numbers(text),
            _ => null,
        };
        return range is { } known && known.First <= known.Last ? known : throw new UnknownWordException(text);
    }

    /// <summary>A value or a range for people: names, MACs and addresses as such, all else in hexadecimal.</summary>
    public static string Text(string type, ValueRange range) => range.First == range.Last
        ? Text(type, range.First) : $"{Text(type, range.First)}-{Text(type, range.Last)}";

    /// <summary>A value for people.</summary>
    public static string Text(string type, UInt128 value)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return type switch
        {
            "ifname" => Encoding.ASCII.GetString(bytes).TrimEnd('\0'),
            "ether_addr" => string.Join(
                ':', bytes[10..].Select(one => one.ToString("x2", CultureInfo.InvariantCulture))),
            "ipv4_addr" => new IPAddress(bytes[12..]).ToString(),
            "ipv6_addr" => new IPAddress(bytes).ToString(),
            _ => "0x" + value.ToString("x", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>The name of a device as the value of a field.</summary>
    public static UInt128 OfName(string name) =>
        Name(name) is { } range && range.First == range.Last ? range.First : throw new UnknownWordException(name);

    public static UInt128 OfMac(string mac) => (Mac(mac) ?? throw new UnknownWordException(mac)).First;

    public static UInt128 OfAddress(string address) => OfAddress(IPAddress.Parse(address));

    public static UInt128 OfAddress(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static ValueRange? Name(string text)
    {
        var isPrefix = text.EndsWith('*');
        var name = isPrefix ? text.AsSpan(..^1) : text;
        if (name.Length is 0 or > NameLength || name.ContainsAnyExceptInRange('!', '~') || name.Contains('*'))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        Encoding.ASCII.GetBytes(name, bytes);
        var first = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return new ValueRange(first, isPrefix ? first | (UInt128.MaxValue >> (8 * name.Length)) : first);
    }

    private static int Digit(char letter) => letter <= '9' ? letter - '0' : (letter | ' ') - 'a' + 10;

    private static ValueRange? Mac(string text)
    {
        if (text.Length != 17)
        {
            return null;
        }

        ulong mac = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (i % 3 == 2 ? text[i] != ':' : !char.IsAsciiHexDigit(text[i]))
            {
                return null;
            }

            mac = i % 3 == 2 ? mac : (mac << 4) | (uint)Digit(text[i]);
        }

        return ValueRange.Of(mac);
    }

    private static ValueRange? Address(string type, string text)
    {
        var bits = type == "ipv4_addr" ? 32 : 128;
        if (One(text) is { } only)
        {
            return ValueRange.Of(only);
        }

        if (text.Split('/') is [var start, var length])
        {
            return One(start) is { } first && Number(length) is { } prefix && prefix <= (UInt128)bits
                ? Prefix(first, (int)prefix, bits) : null;
        }

        return text.Split('-') is [var from, var to]
            && One(from) is { } least && One(to) is { } greatest ? new ValueRange(least, greatest) : null;

        UInt128? One(string word) => bits == 32 ? Dotted(word)
            : IPAddress.TryParse(word, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
                && address.ScopeId == 0 ? OfAddress(address) : null;
    }

    /// <summary>Four numbers as they are written in full: .NET would take 10.1 for 10.0.0.1.</summary>
    private static UInt128? Dotted(string text)
    {
        var (address, number, digits, dots) = (0u, 0u, 0, 0);
        foreach (var letter in text)
        {
            if (letter == '.' && digits > 0 && dots < 3)
            {
                (address, number, digits, dots) = ((address << 8) | number, 0, 0, dots + 1);
            }
            else if (char.IsAsciiDigit(letter) && (digits == 0 || number > 0))
            {
                (number, digits) = ((10 * number) + (uint)(letter - '0'), digits + 1);
                if (number > byte.MaxValue)
                {
                    return null;
                }
            }
            else
            {
                return null;
            }
        }

        return dots == 3 && digits > 0 ? (address << 8) | number : null;
    }

    /// <summary>The values that begin with the same bits.</summary>
    public static ValueRange Prefix(UInt128 first, int length, int bits)
    {
        var rest = length == 0
            ? (bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1)
            : (UInt128.One << (bits - length)) - 1;
        return new ValueRange(first & ~rest, first | rest);
    }

    private static ValueRange? Numbers(string text) => text.Split('-') is [var from, var to]
        ? Number(from) is { } least && Number(to) is { } greatest ? new ValueRange(least, greatest) : null
        : Number(text) is { } one ? ValueRange.Of(one) : null;

    private static UInt128? Number(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? text.Length is > 2 and <= 34 && text[2..].All(char.IsAsciiHexDigit)
                ? UInt128.Parse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : null
            : text.Length is > 0 and <= 38 && text.All(char.IsAsciiDigit)
                ? UInt128.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
}
