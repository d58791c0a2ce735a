using System.Security.Cryptography;
using System.Text;
using Bailiwick.Domains.Volumes;
using Bailiwick.Ledger;

namespace Bailiwick.Tests.Domains.Volumes;

/// <summary>Which LUKS headers are accepted, and what is said against the others.</summary>
public sealed class LuksReaderTests
{
    private const int Slot0 = 208, Slot1 = 256;

    [Theory]
    [InlineData("luks1", 1, 2_068_480)]
    [InlineData("luks1-cryptsetup", 1, 2_097_152)]
    [InlineData("luks2", 2, 16_777_216)]
    [InlineData("luks2-argon2id", 2, 16_777_216)]
    public void Accepts_what_the_real_tools_make_as_we_ask_them(string name, int version, int payload)
    {
        LuksReading reading = LuksReader.Read(DiskImage.Vector(name).Bytes);
        Assert.Empty(reading.Refusals);
        LuksHeader header = Assert.IsType<LuksHeader>(reading.Accepted);
        Assert.Equal(
            (version, "aes-xts-plain64", "sha256", 64u),
            (header.Version, header.Cipher, header.Hash, header.KeyBytes));
        Assert.Equal((ulong)payload, header.Payload.Offset);
        LuksSlot slot = Assert.Single(header.Slots, one => one.IsActive);
        Assert.Equal((0, 4000u), (slot.Number, slot.Stripes));
        Assert.Equal(version == 1 ? 4096ul : 32768ul, slot.Area.Offset);
        Assert.Equal(version == 1 ? 20 : 32, header.Digest.Value.Length);
    }

    [Theory]
    [InlineData("luks1-sha1", LuksRefusalCode.Hash)]
    [InlineData("luks1-aes128", LuksRefusalCode.KeySize, LuksRefusalCode.SlotArea, LuksRefusalCode.SlotsOverlap)]
    [InlineData(
        "luks1-essiv", LuksRefusalCode.Cipher, LuksRefusalCode.KeySize, LuksRefusalCode.SlotArea,
        LuksRefusalCode.SlotsOverlap)]
    [InlineData("luks1-two-keys", LuksRefusalCode.SeveralActiveSlots)]
    [InlineData("luks2-two-keys", LuksRefusalCode.SeveralActiveSlots)]
    [InlineData("luks2-sha512", LuksRefusalCode.Hash, LuksRefusalCode.Metadata)]
    [InlineData("luks2-token", LuksRefusalCode.Tokens)]
    [InlineData("luks2-header", LuksRefusalCode.Truncated)]
    [InlineData("qcow2", LuksRefusalCode.NotLuks)]
    [InlineData("raw", LuksRefusalCode.NotLuks)]
    public void Refuses_what_the_real_tools_make_otherwise(string name, params LuksRefusalCode[] codes)
    {
        LuksReading reading = LuksReader.Read(DiskImage.Vector(name).Bytes);
        Assert.Null(reading.Accepted);
        Assert.Equal(codes, reading.Refusals.Select(one => one.Code).Distinct().Order());
    }

    [Fact]
    public void Refuses_a_re_encryption_that_cryptsetup_began()
    {
        LuksReading reading = LuksReader.Read(DiskImage.Vector("luks2-reencrypt").Bytes);
        Assert.Empty(new[] { LuksRefusalCode.Reencryption, LuksRefusalCode.Requirements }
            .Except(reading.Refusals.Select(one => one.Code)));
    }

    public static TheoryData<string> Changes1 => [.. Made1.Keys];

    private static Dictionary<string, (Action<DiskImage> Change, LuksRefusalCode[] Codes)> Made1 => new()
    {
        ["null cipher"] = (d => d.Put(8, "cipher_null"), [LuksRefusalCode.NullCipher, LuksRefusalCode.Cipher]),
        ["null mode"] = (d => d.Put(40, "ecb\0\0\0\0\0\0\0\0"), [LuksRefusalCode.NullCipher, LuksRefusalCode.Cipher]),
        ["another cipher"] = (d => d.Put(8, "serpent"), [LuksRefusalCode.Cipher]),
        ["plain vectors"] = (d => d.Put(40, "xts-plain\0\0"), [LuksRefusalCode.Cipher]),
        ["another hash"] = (d => d.Put(72, "ripemd160"), [LuksRefusalCode.Hash]),
        ["half a key"] = (d => d.Big32(108, 32), [LuksRefusalCode.KeySize]),
        ["a key without end"] = (d => d.Big32(108, uint.MaxValue), [LuksRefusalCode.KeySize]),
        ["text without end"] = (d => d.Put(8, "aes".PadRight(32, 'x')), [LuksRefusalCode.Text, LuksRefusalCode.Cipher]),
        ["something behind a text"] = (d => d.Put(30, 1), [LuksRefusalCode.Text]),
        ["no UUID"] = (d => d.Put(168, "zz"), [LuksRefusalCode.Uuid]),
        ["a detached header"] = (d => d.Big32(104, 0), [LuksRefusalCode.PayloadOffset, LuksRefusalCode.SlotArea]),
        ["data in the keys"] = (d => d.Big32(104, 8), [LuksRefusalCode.SlotArea]),
        ["data behind the end"] = (d => d.Big32(104, 20_000), [LuksRefusalCode.Truncated]),
        ["data far behind the end"] = (
            d => d.Big32(104, uint.MaxValue), [LuksRefusalCode.Truncated, LuksRefusalCode.PayloadOffset]),
        ["no iterations of the digest"] = (d => d.Big32(164, 0), [LuksRefusalCode.Iterations]),
        ["iterations without end"] = (d => d.Big32(Slot0 + 4, uint.MaxValue), [LuksRefusalCode.Iterations]),
        ["too few iterations"] = (d => d.Big32(Slot0 + 4, 999), [LuksRefusalCode.Iterations]),
        ["no slot in use"] = (d => d.Big32(Slot0, 0xdead), [LuksRefusalCode.NoActiveSlot]),
        ["a slot in no state"] = (
            d => d.Big32(Slot1, 7).Big32(Slot1 + 4, 1000),
            [LuksRefusalCode.SlotState, LuksRefusalCode.SeveralActiveSlots]),
        ["another slot in use"] = (
            d => d.Big32(Slot1, 0xac71f3).Big32(Slot1 + 4, 1000), [LuksRefusalCode.SeveralActiveSlots]),
        ["keys in the header"] = (d => d.Big32(Slot0 + 40, 0), [LuksRefusalCode.SlotArea]),
        ["keys in the data"] = (d => d.Big32(Slot1 + 40, 4040), [LuksRefusalCode.SlotArea]),
        ["keys behind the end"] = (d => d.Big32(Slot1 + 40, uint.MaxValue), [LuksRefusalCode.SlotArea]),
        ["keys over keys"] = (d => d.Big32(Slot1 + 40, 9), [LuksRefusalCode.SlotsOverlap]),
        ["one stripe"] = (d => d.Big32(Slot0 + 44, 1), [LuksRefusalCode.Stripes]),
        ["stripes without end"] = (d => d.Big32(Slot1 + 44, uint.MaxValue), [LuksRefusalCode.Stripes]),
        ["version 3"] = (d => d.Put(7, 3), [LuksRefusalCode.NotLuks]),
        ["cut off in the header"] = (d => d.Resize(591), [LuksRefusalCode.Truncated]),
        ["cut off in the keys"] = (d => d.Resize(100_000), [LuksRefusalCode.Truncated]),
    };

    [Theory]
    [MemberData(nameof(Changes1))]
    public void Refuses_every_change_of_a_version_1_header_by_its_reason(string name)
    {
        var (change, codes) = Made1[name];
        DiskImage image = DiskImage.Vector("luks1");
        Assert.NotNull(LuksReader.Read(image.Bytes).Accepted);
        change(image);
        LuksReading reading = LuksReader.Read(image.Bytes);
        Assert.Null(reading.Accepted);
        Assert.Equal(codes.Order(), reading.Refusals.Select(one => one.Code).Distinct().Order());
    }

    [Theory]
    [InlineData(
        "\"encryption\":\"aes-xts-plain64\",\"sector", "\"encryption\":\"cipher_null-ecb\",\"sector",
        LuksRefusalCode.NullCipher)]
    [InlineData(
        "\"encryption\":\"aes-xts-plain64\",\"key_size", "\"encryption\":\"cipher_null-ecb\",\"key_size",
        LuksRefusalCode.NullCipher)]
    [InlineData(
        "\"encryption\":\"aes-xts-plain64\",\"sector", "\"encryption\":\"aes-cbc-plain64\",\"sector",
        LuksRefusalCode.Cipher)]
    [InlineData(
        "\"keyslots_size\"", "\"requirements\":{\"mandatory\":[\"online-reencrypt-v2\"]},\"keyslots_size\"",
        LuksRefusalCode.Requirements)]
    [InlineData(
        "\"keyslots_size\"", "\"flags\":[\"allow-discards\"],\"keyslots_size\"",
        LuksRefusalCode.Flags)]
    [InlineData(
        "\"type\":\"crypt\"", "\"type\":\"linear\"",
        LuksRefusalCode.Segments)]
    [InlineData(
        "\"size\":\"dynamic\"", "\"size\":\"4096\"",
        LuksRefusalCode.Segments)]
    [InlineData(
        "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"",
        LuksRefusalCode.Segments)]
    [InlineData(
        "\"size\":\"dynamic\"", "\"flags\":[\"backup-final\"],\"size\":\"dynamic\"",
        LuksRefusalCode.Reencryption)]
    [InlineData(
        "\"size\":\"dynamic\"", "\"integrity\":{\"type\":\"none\"},\"size\":\"dynamic\"",
        LuksRefusalCode.Integrity)]
    [InlineData(
        "\"sector_size\":4096", "\"sector_size\":1024",
        LuksRefusalCode.SectorSize)]
    [InlineData(
        "\"type\":\"luks2\"", "\"type\":\"reencrypt\"",
        LuksRefusalCode.Reencryption)]
    [InlineData(
        "\"stripes\":4000", "\"stripes\":1",
        LuksRefusalCode.Stripes)]
    [InlineData(
        "\"offset\":\"32768\"", "\"offset\":\"4096\"",
        LuksRefusalCode.SlotArea)]
    [InlineData(
        "\"offset\":\"32768\"", "\"offset\":\"16777216\"",
        LuksRefusalCode.SlotArea)]
    [InlineData(
        "\"offset\":\"32768\"", "\"offset\":\"032768\"",
        LuksRefusalCode.Metadata)]
    [InlineData(
        "\"offset\":\"16777216\"", "\"offset\":\"32768\"",
        LuksRefusalCode.PayloadOffset)]
    [InlineData(
        "\"iterations\":1000,\"salt", "\"iterations\":0,\"salt",
        LuksRefusalCode.Iterations)]
    [InlineData(
        "\"tokens\":{}", "\"tokens\":{\"0\":{}}",
        LuksRefusalCode.Tokens)]
    [InlineData(
        "\"keyslots\":[\"0\"]", "\"keyslots\":[]",
        LuksRefusalCode.Digests)]
    [InlineData(
        "\"tokens\":{}", "\"tokens\":{},\"more\":1",
        LuksRefusalCode.Metadata)]
    [InlineData(
        "\"tokens\":{}", "\"tokens\":{},\"tokens\":{}",
        LuksRefusalCode.Metadata)]
    [InlineData(
        "\"tokens\":{}", "\"tokens\":{",
        LuksRefusalCode.Metadata)]
    [InlineData(
        "\"tokens\":{}", "\"\\u0074okens\":{}",
        LuksRefusalCode.Metadata)]
    [InlineData(
        "\"json_size\":\"12288\"", "\"json_size\":\"12287\"",
        LuksRefusalCode.Metadata)]
    public void Refuses_every_change_of_the_metadata_although_its_checksums_hold(
        string text, string other, LuksRefusalCode code)
    {
        DiskImage image = DiskImage.Vector("luks2");
        Rewrite(image, json => json);
        Assert.NotNull(LuksReader.Read(image.Bytes).Accepted);
        Rewrite(image, json => Replace(json, text, other));
        LuksReading reading = LuksReader.Read(image.Bytes);
        Assert.Null(reading.Accepted);
        Assert.Contains(code, reading.Refusals.Select(one => one.Code));
        Assert.DoesNotContain(LuksRefusalCode.Checksum, reading.Refusals.Select(one => one.Code));
    }

    [Theory]
    [InlineData("\"memory\":", 3_000_000)]
    [InlineData("\"time\":", 0)]
    [InlineData("\"cpus\":", 200)]
    public void Refuses_a_derivation_that_costs_too_much_or_nothing(string member, int value)
    {
        DiskImage image = DiskImage.Vector("luks2-argon2id");
        Rewrite(image, json =>
        {
            int at = json.IndexOf(member, StringComparison.Ordinal) + member.Length;
            int end = json.IndexOfAny([',', '}'], at);
            return $"{json[..at]}{value}{json[end..]}";
        });
        Assert.Equal([LuksRefusalCode.Iterations], LuksReader.Read(image.Bytes).Refusals.Select(one => one.Code));
    }

    [Fact]
    public void Refuses_headers_of_version_2_that_differ_or_of_which_one_is_damaged()
    {
        Assert.Equal([LuksRefusalCode.Checksum], Codes(d => d.Put(110, 0, 0, 0, 0, 0, 0)));
        Assert.Equal([LuksRefusalCode.CopiesDiffer], Codes(d => d.Put(16384, 0)));
        Assert.Equal(
            [LuksRefusalCode.Checksum, LuksRefusalCode.CopiesDiffer], Codes(d => d.Put(16384 + 23, 99)));
        // An older second header that is whole in itself.
        Assert.Equal([LuksRefusalCode.CopiesDiffer], Codes(d => Seal(d.Put(16384 + 23, 1), 16384)));
        Assert.Equal([LuksRefusalCode.HeaderSize], Codes(d => d.Put(14, 0x30)));
        Assert.Equal([LuksRefusalCode.Truncated], Codes(d => d.Resize(20_000)));
        Assert.Equal(
            [LuksRefusalCode.Checksum, LuksRefusalCode.CopiesDiffer], Codes(d => Seal(d.Put(72, "sha1\0\0"), 0)));
    }

    [Fact]
    public void No_byte_of_either_header_of_version_2_can_be_changed()
    {
        DiskImage image = DiskImage.Vector("luks2");
        for (int at = 0; at < 32768; at += image.Content[at] == 0 ? 61 : 3)
        {
            image.Content[at] ^= 0x10;
            Assert.Null(LuksReader.Read(image.Bytes).Accepted);
            image.Content[at] ^= 0x10;
        }

        Assert.NotNull(LuksReader.Read(image.Bytes).Accepted);
    }

    [Fact]
    public void The_digest_is_over_every_byte_before_the_data_and_none_behind()
    {
        DiskImage image = DiskImage.Vector("luks1");
        LuksHeader header = Assert.IsType<LuksHeader>(LuksReader.Read(image.Bytes).Accepted);
        Digest32? digest = HeaderDigest.Of(image.Bytes, header);
        byte[] before =
        [
            .. "bailiwick volume header v1\0\u0001\0\0\0\0\0"u8, 0x1f, 0x90, 0x00, .. image.Content[..2_068_480],
        ];
        Assert.Equal(Digest32.Of(before), digest);
        foreach (int at in new[] { 0, 130, 250, 1000, 4096, 200_000, 2_068_479 })
        {
            image.Content[at] ^= 1;
            Assert.NotEqual(digest, HeaderDigest.Of(image.Bytes, header));
            image.Content[at] ^= 1;
        }

        image.Content[2_068_480] ^= 1;
        Assert.Equal(digest, HeaderDigest.Of(image.Bytes, header));
        Assert.Equal(digest, HeaderDigest.Of(image.Resize(8 << 20).Bytes, header));
        Assert.Null(HeaderDigest.Of(image.Resize(2_000_000).Bytes, header));
    }

    private static LuksRefusalCode[] Codes(Func<DiskImage, DiskImage> change) =>
    [
        .. LuksReader.Read(change(DiskImage.Vector("luks2")).Bytes).Refusals.Select(one => one.Code)
            .Distinct().Order(),
    ];

    private static string Replace(string json, string text, string other)
    {
        Assert.Contains(text, json, StringComparison.Ordinal);
        int at = json.IndexOf(text, StringComparison.Ordinal);
        return json[..at] + other + json[(at + text.Length)..];
    }

    /// <summary>Writes other metadata into both headers, with checksums that hold.</summary>
    private static void Rewrite(DiskImage image, Func<string, string> change)
    {
        string json = Encoding.ASCII.GetString(image.Content.AsSpan(4096, 12288)).TrimEnd('\0');
        byte[] text = Encoding.ASCII.GetBytes(change(json).PadRight(12288, '\0'));
        Seal(Seal(image.Put(4096, text).Put(16384 + 4096, text), 0), 16384);
    }

    private static DiskImage Seal(DiskImage image, int at)
    {
        Span<byte> header = image.Content.AsSpan(at, 16384);
        header.Slice(448, 64).Clear();
        SHA256.HashData(header, header.Slice(448, 32));
        return image;
    }
}
