using System.Text;
using Bailiwick.Attestation.BootLog;

namespace Bailiwick.Tests.Attestation.BootLog;

/// <summary>Measured bytes are text exactly where a strict decoder says so, which is the oracle here.</summary>
public sealed class MeasuredTextTests
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding Utf16 = new(false, false, throwOnInvalidBytes: true);

    [Theory]
    [InlineData("61", "a")]
    [InlineData("6100", "a")]
    [InlineData("c3a4", "ä")]
    [InlineData("610062", null)]
    [InlineData("c3", null)]
    [InlineData("eda080", null)]
    [InlineData("61006200", "ab")]
    [InlineData("3dd800de", "\ud83d\ude00")]
    [InlineData("3dd800de3dd800de", "\ud83d\ude00\ud83d\ude00")]
    [InlineData("610000006200", null)]
    [InlineData("3dd83dd8", null)]
    [InlineData("3dd8ff00", null)]
    [InlineData("00de3dd8", null)]
    [InlineData("3dd800de00de", null)]
    public void Reads_text_strictly(string hex, string? text) =>
        Assert.Equal(text, Assert.Single(Texts([Convert.FromHexString(hex)])));

    [Fact]
    public void Reads_what_a_strict_decoder_reads()
    {
        var random = new Random(7);
        byte[] alphabet = [0x00, 0x20, 0x61, 0x7F, 0x80, 0xC3, 0xA4, 0xD8, 0xDB, 0xDC, 0xDF, 0xE2, 0xED, 0xF0, 0xFF];
        byte[][] all = [.. Enumerable.Range(0, 20_000).Select(_ => Some(random, alphabet))];
        string?[] wanted = [.. all.Select(one => Strictly(Utf8, one, 1) ?? Strictly(Utf16, one, 2))];
        Assert.Equal(wanted, Texts(all));

        // The bytes are such that each outcome is there many times.
        Assert.InRange(wanted.Count(one => one is null), 1000, 19_000);
    }

    /// <summary>Not four bytes: those could be a separator.</summary>
    private static byte[] Some(Random random, byte[] alphabet)
    {
        byte[] bytes = new byte[random.Next(2) == 0 ? random.Next(1, 4) : random.Next(5, 9)];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = alphabet[random.Next(alphabet.Length)];
        }

        return bytes;
    }

    /// <summary>The text of each event that is one, null for what is none.</summary>
    private static string?[] Texts(byte[][] all)
    {
        BootLogWriter log = new();
        foreach (byte[] one in all)
        {
            log.Add(5, BootEventType.Ipl, one);
        }

        return [.. BootLogWriter.Facts(log.Bytes).All.Select(fact => (fact as BootFact.Phrase)?.Text)];
    }

    private static string? Strictly(Encoding encoding, ReadOnlySpan<byte> bytes, int nulBytes)
    {
        ReadOnlySpan<byte> nul = stackalloc byte[nulBytes];
        try
        {
            string text = encoding.GetString(bytes.EndsWith(nul) ? bytes[..^nulBytes] : bytes);
            return bytes.Length % nulBytes != 0 || text.Contains('\0', StringComparison.Ordinal) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
