using System.Globalization;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// QEMU's own formats: qcow (block/qcow.c), qcow2 and 3 (docs/interop/qcow2.txt) and QED (docs/interop/qed_spec.txt).
/// All that lets a file name other files is a fact of its own.
/// </summary>
internal static class QemuFormats
{
    private const ulong KnownFeatures = 0x1f, DataFileFeature = 4, RawDataFeature = 2;
    private const ulong KnownQedFeatures = 7, QedBackingFeature = 1;
    private const int MaxName = 1023;
    private const uint DataFileName = 0x44415441, CryptoHeader = 0x0537be77;
    private static readonly int[] Header = [72, 104];

    public static IEnumerable<FormatReading> Read(DiskReads file)
    {
        if (file.Head is [(byte)'Q', (byte)'F', (byte)'I', 0xfb, ..])
        {
            ReadOnlySpan<byte> head = file.Head;
            yield return head.Big32(4) == 1 ? Qcow1(file) : Qcow2(file);
        }

        if (file.Head is [(byte)'Q', (byte)'E', (byte)'D', 0, ..])
        {
            yield return Qed(file);
        }
    }

    private static FormatReading Qcow1(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        FormatReading found = new FormatReading(DiskFormat.Qcow).Variant("1");
        found.Needs(file, 0, 48, "header");
        found.VirtualBytes = head.Big64(24);
        Backing(file, found, head.Big64(8), head.Big32(16));
        Cipher(found, head.Big32(36));
        return found;
    }

    private static FormatReading Qcow2(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        uint version = head.Big32(4);
        FormatReading found = new FormatReading(DiskFormat.Qcow2)
            .Variant(version.ToString(CultureInfo.InvariantCulture));
        if (version is not (2 or 3))
        {
            found.Damaged($"It is of version {version}, which nobody knows");
        }

        found.Needs(file, 0, (ulong)Header[version == 2 ? 0 : 1], "header");
        found.VirtualBytes = head.Big64(24);
        Backing(file, found, head.Big64(8), head.Big32(16));
        Cipher(found, head.Big32(32));
        Tables(file, found);
        if (head.Big32(60) is var snapshots and > 0)
        {
            found.Number(
                DiskFactKind.Snapshots, snapshots, DiskRefusalCode.Snapshots, $"It has {snapshots} snapshots in it.");
        }

        if (version != 2)
        {
            Features(found, head.Big64(72), head.Big64(88));
        }

        Extensions(file, found, version == 2 ? 72 : head.Big32(100));
        return found;
    }

    /// <summary>The first table of a disk has an entry for each cluster full of entries, and no more.</summary>
    private static void Tables(DiskReads file, FormatReading found)
    {
        ReadOnlySpan<byte> head = file.Head;
        uint bits = head.Big32(20), entries = head.Big32(36);
        if (bits is < 9 or > 21)
        {
            found.Damaged($"Its clusters have 2^{bits} bytes");
            return;
        }

        // Entries of 16 bytes (extended L2) halve what one of the first table covers.
        int covered = (int)(2 * bits) - ((head.Big64(72) & 16) != 0 && head.Big32(4) != 2 ? 4 : 3);
        ulong needed = (head.Big64(24) >> covered) + 1;
        if (entries > needed)
        {
            found.Number(
                DiskFactKind.TableEntries, entries, DiskRefusalCode.TableTooLarge,
                $"Its first table has {entries} entries where the disk needs {needed}.");
        }

        found.Needs(file, head.Big64(40), 8UL * entries, "first table");
        found.Needs(file, head.Big64(48), (ulong)head.Big32(56) << (int)bits, "reference table");
    }

    private static void Features(FormatReading found, ulong incompatible, ulong autoclear)
    {
        if ((incompatible & DataFileFeature) != 0 || (autoclear & RawDataFeature) != 0)
        {
            found.Add(
                DiskFactKind.DataFile, "", DiskRefusalCode.DataFile,
                "Its header says that its data is in another file.");
        }

        if ((incompatible & ~KnownFeatures) is var unknown and not 0)
        {
            found.Unknown(unknown);
        }
    }

    private static void Extensions(DiskReads file, FormatReading found, uint from)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (from is < 72 or > 4096)
        {
            found.Damaged($"Its header has {from} bytes");
            return;
        }

        ulong at = from;
        for (int i = 0; i < DiskLimits.HeaderExtensions && at + 8 <= (ulong)head.Length; i++)
        {
            uint type = head.Big32((int)at), length = head.Big32((int)at + 4);
            if (type == 0)
            {
                return;
            }

            ReadOnlySpan<byte> data = head.Part((int)at + 8, (int)Math.Min(length, DiskLimits.HeadBytes));
            if (type == DataFileName)
            {
                found.Names(DiskFactKind.DataFile, DiskRefusalCode.DataFile, data);
            }
            else if (type == CryptoHeader)
            {
                found.Encrypted("LUKS inside");
            }

            at += 8 + ((length + 7UL) & ~7UL);
        }

        found.Damaged("Its header extensions have no end");
    }

    private static void Backing(DiskReads file, FormatReading found, ulong offset, uint size)
    {
        if (offset != 0)
        {
            found.Names(
                DiskFactKind.BackingFile, DiskRefusalCode.BackingFile,
                file.At(offset, (int)Math.Min(size, MaxName)));
        }
    }

    private static void Cipher(FormatReading found, uint method)
    {
        if (method != 0)
        {
            found.Encrypted(method switch { 1 => "AES", 2 => "LUKS", _ => $"method {method}" });
        }
    }

    private static FormatReading Qed(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        FormatReading found = new(DiskFormat.Qed);
        found.Needs(file, 0, 64, "header");
        found.VirtualBytes = head.Little64(48);
        ulong features = head.Little64(16);
        if ((features & QedBackingFeature) != 0 || head.Little32(60) != 0)
        {
            found.Names(
                DiskFactKind.BackingFile, DiskRefusalCode.BackingFile,
                file.At((ulong)head.Little32(56), (int)Math.Min(head.Little32(60), MaxName)));
        }

        if ((features & ~KnownQedFeatures) is var unknown and not 0)
        {
            found.Unknown(unknown);
        }

        found.Needs(file, head.Little64(40), 8, "first table");
        return found;
    }
}
