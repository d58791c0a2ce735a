using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Bailiwick.Domains.Volumes;

namespace Bailiwick.Tests.Domains.Volumes;

/// <summary>A disk file in memory: one of tests/Vectors/disks, or one made here; to be changed by a test.</summary>
internal sealed class DiskImage
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    private DiskImage(byte[] content, string[] formats)
    {
        Content = content;
        Formats = formats;
    }

    /// <summary>All vectors, by name.</summary>
    public static string[] Names { get; } =
        [.. VectorFiles.In("disks", "*.json").Select(file => Path.GetFileNameWithoutExtension(file) ?? "")];

    /// <summary>Every byte of it.</summary>
    public byte[] Content { get; private set; }

    /// <summary>What it is.</summary>
    public string[] Formats { get; }

    /// <summary>How many bytes were read of it, and how often.</summary>
    public (long Bytes, int Reads) Cost { get; private set; }

    public DiskBytes Bytes => new(Content.Length, Read);

    public static DiskImage Vector(string name)
    {
        Packed packed = JsonSerializer.Deserialize<Packed>(
            File.ReadAllText(VectorFiles.Find($"disks/{name}.json")), Web)
            ?? throw new InvalidDataException(name);
        DiskImage image = new(new byte[packed.Length], packed.Formats);
        foreach (var (at, bytes) in packed.Sectors)
        {
            bytes.CopyTo(image.Content, int.Parse(at, null));
        }

        return image;
    }

    public static DiskImage Zero(int bytes) => new(new byte[bytes], []);

    public DiskImage Put(int at, params byte[] bytes)
    {
        bytes.CopyTo(Content, at);
        return this;
    }

    public DiskImage Put(int at, string text) => Put(at, Encoding.Latin1.GetBytes(text));

    public DiskImage Big32(int at, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Content.AsSpan(at), value);
        return this;
    }

    public DiskImage Big64(int at, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Content.AsSpan(at), value);
        return this;
    }

    public DiskImage Little64(int at, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Content.AsSpan(at), value);
        return this;
    }

    public DiskImage Resize(int bytes)
    {
        byte[] content = Content;
        Array.Resize(ref content, bytes);
        Content = content;
        return this;
    }

    public DiskImage Cut(int bytes) => Resize(Content.Length - bytes);

    private int Read(long offset, Span<byte> into)
    {
        ReadOnlySpan<byte> rest = offset >= Content.Length ? default : Content.AsSpan((int)offset);
        rest = rest[..Math.Min(rest.Length, into.Length)];
        rest.CopyTo(into);
        Cost = (Cost.Bytes + rest.Length, Cost.Reads + 1);
        return rest.Length;
    }

    private sealed record Packed(
        string Made, int Length, string[] Formats, IReadOnlyDictionary<string, byte[]> Sectors);
}
