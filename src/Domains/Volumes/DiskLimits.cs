namespace Bailiwick.Domains.Volumes;

/// <summary>What a disk file may cost whoever looks into it, whatever its headers say.</summary>
public static class DiskLimits
{
    /// <summary>The bytes at the front of a file that every look into it reads.</summary>
    public const int HeadBytes = 64 * 1024;

    /// <summary>The bytes at the end of a file that every look into it reads: three sectors.</summary>
    public const int TailBytes = 3 * DiskBytes.SectorBytes;

    /// <summary>The most bytes that one look into a file reads in all.</summary>
    public const int InspectionBytes = 512 * 1024;

    /// <summary>The most reads of one look into a file.</summary>
    public const int InspectionReads = 64;

    /// <summary>The most bytes before a LUKS volume's data; cryptsetup's own default for LUKS2 is 16 MiB.</summary>
    public const int LuksPayloadOffset = 32 * 1024 * 1024;

    /// <summary>The largest LUKS2 header, one copy of the two: cryptsetup makes 16 KiB.</summary>
    public const int Luks2HeaderBytes = 64 * 1024;

    /// <summary>The fewest iterations of PBKDF2, as QEMU and cryptsetup have it.</summary>
    public const int LeastIterations = 1_000;

    /// <summary>The most iterations of PBKDF2: a few seconds of a processor.</summary>
    public const int MostIterations = 10_000_000;

    /// <summary>The most memory that a key derivation (Argon2) may ask for, in KiB.</summary>
    public const int DerivationKib = 1024 * 1024;

    /// <summary>The longest name out of a header that is repeated to anybody, in characters.</summary>
    internal const int NameLength = 256;

    internal const int DescriptorBytes = 20 * DiskBytes.SectorBytes;
    internal const int Extents = 64;
    internal const int HeaderExtensions = 32;
    internal const int VhdxEntries = 2_047;
    internal const int JsonDepth = 8;
    internal const int DerivationRounds = 100;
    internal const int DerivationThreads = 16;
}
