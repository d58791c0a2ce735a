using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bailiwick.Attestation.MachineTpms;

/// <summary>
/// What UEFI firmware measures of a kernel that QEMU hands to it (fw_cfg), so that a machine's owner has reference
/// values from the files of the image and needs no machine's word: QEMU writes the boot loader's part of the kernel's
/// header (Linux/x86 boot protocol) before the firmware sees it, so what is measured is not the file's own digest.
/// Seen with QEMU 7.2 (x86_load_linux) and OVMF 2022.11.
/// </summary>
public static class DirectKernel
{
    // Linux/x86 boot protocol, "The real-mode kernel header".
    private const int Version = 0x206;
    private const int LoaderType = 0x210;
    private const int LoadFlags = 0x211;
    private const int RamdiskAddress = 0x218;
    private const int RamdiskSize = 0x21c;
    private const int HeapEnd = 0x224;
    private const int CommandLineAddress = 0x228;
    private const int RamdiskMost = 0x22c;
    private const int ExtraFlags = 0x236;
    private const int HeaderEnd = 0x260;
    private const int LeastVersion = 0x20c;

    // Where QEMU puts things, and what it keeps for ACPI below the end of memory (pc-q35).
    private const uint RealAddress = 0x10000;
    private const uint LineAddress = 0x20000;
    private const uint AcpiBytes = 0x20000 + 0x8000;
    private const byte Qemu = 0xb0;
    private const int MostMemoryMib = 2048;

    // Where PE headers have what Authenticode leaves out.
    private const int PeOffset = 0x3c;
    private const int OptionalHeader = 24;
    private const int Checksum = 64;
    private const int CertificateTable = 112 + (4 * 8);

    /// <summary>The command line that the kernel measures: OVMF names the initrd on it.</summary>
    /// <param name="arguments">The machine's whole command line, as planned.</param>
    public static string MeasuredLine(string arguments) => $"{arguments} initrd=initrd";

    /// <summary>
    /// The Authenticode digest (SHA-256, lower hex) under which the firmware measures the kernel into PCR 4.
    /// </summary>
    /// <param name="kernel">The kernel's file: a bzImage with an EFI stub, boot protocol 2.12 or later.</param>
    /// <param name="initrdBytes">The length of the initrd's file.</param>
    /// <param name="memoryMib">The machine's memory, at most 2 GiB: above that QEMU splits it.</param>
    /// <returns>Null for what is no such kernel, or for more memory.</returns>
    public static string? MeasuredKernel(ReadOnlySpan<byte> kernel, uint initrdBytes, int memoryMib)
    {
        if (memoryMib is < 1 or > MostMemoryMib || kernel.Length < HeaderEnd || !kernel.StartsWith("MZ"u8)
            || !kernel[0x202..].StartsWith("HdrS"u8)
            || BinaryPrimitives.ReadUInt16LittleEndian(kernel[Version..]) < LeastVersion)
        {
            return null;
        }

        byte[] handed = kernel.ToArray();
        uint end = ((uint)memoryMib << 20) - AcpiBytes;
        bool isAnywhere = (kernel[ExtraFlags] & 2) != 0;
        uint most = isAnywhere ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(kernel[RamdiskMost..]);
        most = most >= end ? end - 1 : most;
        if (initrdBytes > most)
        {
            return null;
        }

        handed[LoaderType] = Qemu;
        handed[LoadFlags] |= 0x80;
        BinaryPrimitives.WriteUInt16LittleEndian(handed.AsSpan(HeapEnd), (ushort)(LineAddress - RealAddress - 0x200));
        BinaryPrimitives.WriteUInt32LittleEndian(handed.AsSpan(CommandLineAddress), LineAddress);
        BinaryPrimitives.WriteUInt32LittleEndian(handed.AsSpan(RamdiskAddress), (most - initrdBytes) & ~4095u);
        BinaryPrimitives.WriteUInt32LittleEndian(handed.AsSpan(RamdiskSize), initrdBytes);
        return Authenticode(handed);
    }

    /// <summary>Windows Authenticode Portable Executable Signature Format 1.0, for a file without anything behind its
    /// sections but the certificate table; null for another.</summary>
    private static string? Authenticode(ReadOnlySpan<byte> file)
    {
        long pe = BinaryPrimitives.ReadUInt32LittleEndian(file[PeOffset..]);
        long table = pe + OptionalHeader + CertificateTable;
        if (table + 8 > file.Length)
        {
            return null;
        }

        int checksum = (int)pe + OptionalHeader + Checksum, directory = (int)table;
        long signatures = BinaryPrimitives.ReadUInt32LittleEndian(file[(directory + 4)..]);
        if (signatures > file.Length - directory - 8)
        {
            return null;
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..checksum]);
        hash.AppendData(file[(checksum + 4)..directory]);
        hash.AppendData(file[(directory + 8)..^(int)signatures]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
