using System.Buffers.Binary;
using System.Security.Cryptography;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Tests.Proxy.Storage;

/// <summary>The reader of NBD against servers that are honest, cut off, or otherwise than they should be.</summary>
public sealed class NbdExportTests
{
    private const int Half = 512;
    private const int Greeting = 18;
    private const int Negotiated = Greeting + 10;
    private const int Reply = 16;
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(2 * Half);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_what_is_offered_and_says_goodbye()
    {
        using Conversation server = new(Honest());
        NbdExport export = new(server);
        Assert.Equal(Content, await All(export));
        await export.CloseAsync(Stop);

        // Flags, option, two reads and the disconnect (proto.md: fixed newstyle, simple replies).
        Assert.Equal(20 + (3 * 28), server.Said.Length);
        Assert.Equal(2, BinaryPrimitives.ReadUInt16BigEndian(server.Said.AsSpan(20 + (2 * 28) + 6)));
    }

    [Fact]
    public async Task Nothing_is_read_of_a_server_that_is_cut_off_at_any_byte()
    {
        byte[] honest = Honest();
        for (int length = 0; length < honest.Length; length++)
        {
            using Conversation server = new(honest[..length]);
            await Assert.ThrowsAnyAsync<IOException>(() => All(new NbdExport(server)));
        }
    }

    [Fact]
    public async Task A_flipped_bit_is_refused_or_read_as_other_content()
    {
        byte[] honest = Honest();
        for (int bit = 0; bit < honest.Length * 8; bit++)
        {
            byte[] flipped = [.. honest];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            using Conversation server = new(flipped);
            byte[]? read;
            try
            {
                read = await All(new NbdExport(server));
            }
            catch (Exception error) when (error is InvalidDataException or IOException)
            {
                read = null;
            }

            int at = bit / 8;
            bool meansNothing = at == Greeting - 2 || (at == Greeting - 1 && bit % 8 > 1)
                || at is Negotiated - 2 or Negotiated - 1;
            Assert.True(meansNothing || read is null || !read.AsSpan().SequenceEqual(Content), $"bit {bit}");
        }
    }

    [Fact]
    public async Task What_a_server_cannot_read_is_an_error_and_no_content()
    {
        byte[] failing = Honest();
        failing[Negotiated + 7] = 5;
        using Conversation server = new(failing);
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => All(new NbdExport(server)));
        Assert.Contains("error 5", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 2 * Half + 1)]
    [InlineData(1, 2 * Half)]
    [InlineData(-1, 1)]
    public async Task Asks_for_nothing_beyond_the_export(long offset, int length)
    {
        using Conversation server = new(Honest());
        NbdExport export = new(server);
        await export.OpenAsync(Stop);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => export.ReadAsync(offset, new byte[length], Stop));
    }

    /// <summary>In two requests, however much is claimed.</summary>
    private static async Task<byte[]> All(NbdExport export)
    {
        await export.OpenAsync(Stop);
        byte[] read = new byte[2 * Half];
        if (export.Size != read.Length)
        {
            return [];
        }

        await export.ReadAsync(0, read.AsMemory(0, Half), Stop);
        await export.ReadAsync(Half, read.AsMemory(Half), Stop);
        return read;
    }

    private static byte[] Honest() =>
    [
        .. "NBDMAGICIHAVEOPT"u8, 0, 3, 0, 0, 0, 0, 0, 0, 2 * Half / 256, 0, 0, 0,
        0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, .. Content.AsSpan(0, Half),
        0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, .. Content.AsSpan(Half),
    ];

    /// <summary>Answers what was written before, whatever is said.</summary>
    private sealed class Conversation(byte[] answers) : MemoryStream(answers)
    {
        private readonly MemoryStream _said = new();

        public byte[] Said => _said.ToArray();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _said.Write(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}
