using System.Globalization;

namespace Bailiwick.Tests.Fakes;

/// <summary>What qemu-img makes: sparse files, and under LUKS the header that the real one once made.</summary>
internal static class FakeImages
{
    private const int PayloadOffset = 2_068_480;

    public static void Raw(string file, string size) => Sparse(file, Bytes(size), []);

    public static void Luks(string file, string size) => Sparse(file, PayloadOffset + Bytes(size), Header());

    private static byte[] Header()
    {
        using var vector = System.Text.Json.JsonDocument.Parse(File.ReadAllText(VectorFiles.Find("disks/luks1.json")));
        return vector.RootElement.GetProperty("sectors").GetProperty("0").GetBytesFromBase64();
    }

    private static void Sparse(string file, long length, byte[] head)
    {
        using FileStream stream = File.Create(file);
        stream.Write(head);
        stream.SetLength(length);
    }

    private static long Bytes(string size) => long.Parse(size[..^1], CultureInfo.InvariantCulture) << 20;
}
