using System.Collections.Immutable;

namespace Bailiwick.Attestation.Predicates;

/// <summary>
/// One demand on a platform's measured state. A small closed language: each case says what satisfies it, and whatever
/// is not proven breaks it.
/// </summary>
public abstract record Predicate
{
    private Predicate()
    {
    }

    /// <summary>The boot log has the crypto-agile form.</summary>
    public sealed record CryptoAgile : Predicate;

    /// <summary>Secure boot is on, or off, and no debug mode of the firmware weakens it.</summary>
    /// <param name="On">The state that is demanded.</param>
    public sealed record SecureBoot(bool On) : Predicate;

    /// <summary>Every entry of a secure boot database is of an accepted owner and is an accepted certificate or
    /// digest.</summary>
    /// <param name="Database">Which.</param>
    /// <param name="Owners">The owners; null where any may be.</param>
    /// <param name="Fingerprints">SHA-256 of each certificate, or the digest itself; null where any may be.</param>
    public sealed record SecureBootKeys(
        KeyDatabase Database, ImmutableArray<Guid>? Owners, ReferenceSet? Fingerprints) : Predicate;

    /// <summary>The firmware's version is one of these texts.</summary>
    /// <param name="Versions">The versions.</param>
    public sealed record FirmwareVersion(ImmutableArray<string> Versions) : Predicate;

    /// <summary>Everything measured into PCR 4 besides the firmware's own actions is one of these images
    /// (Authenticode digests).</summary>
    /// <param name="Digests">The digests.</param>
    public sealed record BootApplications(ReferenceSet Digests) : Predicate;

    /// <summary>The kernel that a loader measured into PCR 9, or a unified kernel image into PCR 11, is one of these.
    /// </summary>
    /// <param name="Digests">Digests of the file, or of the section.</param>
    public sealed record Kernel(ReferenceSet Digests) : Predicate;

    /// <summary>The initial file system (PCR 9 or 11) is one of these.</summary>
    /// <param name="Digests">Digests of the file, or of the section.</param>
    public sealed record Initrd(ReferenceSet Digests) : Predicate;

    /// <summary>
    /// Everything else that a loader read into PCR 9 (its configuration, modules, fonts) is one of these. The log's
    /// names of files prove nothing, so <see cref="Kernel"/>, <see cref="Initrd"/> and the command line hold only if
    /// this predicate, or they, account for each event of PCR 9.
    /// </summary>
    /// <param name="Digests">Digests of files.</param>
    public sealed record BootFiles(ReferenceSet Digests) : Predicate;

    /// <summary>The kernel's command line is one of these, to the letter.</summary>
    /// <param name="Lines">The lines.</param>
    public sealed record CommandLine(ImmutableArray<string> Lines) : Predicate;

    /// <summary>The kernel's command line has all of the required words and none with a forbidden beginning.</summary>
    /// <param name="Required">Whole words, `lockdown=confidentiality`.</param>
    /// <param name="Forbidden">A key, which forbids it with any value: `init=`, `ima_policy`.</param>
    public sealed record CommandLineWords(
        ImmutableArray<string> Required, ImmutableArray<string> Forbidden) : Predicate;

    /// <summary>A PCR has one of these values.</summary>
    /// <param name="Number">The PCR, 0 to 23.</param>
    /// <param name="Values">The values, in the quoted bank.</param>
    public sealed record Pcr(int Number, ReferenceSet Values) : Predicate;

    /// <summary>Every event of a PCR besides separators has one of these digests, and there is at least one.</summary>
    /// <param name="Number">The PCR, 0 to 23.</param>
    /// <param name="Digests">The digests, in the quoted bank.</param>
    public sealed record BootEvents(int Number, ReferenceSet Digests) : Predicate;

    /// <summary>The loader handed over to the kernel (PCR 5, ExitBootServices).</summary>
    public sealed record ExitBootServices : Predicate;

    /// <summary>Every file that IMA measured has an accepted digest or is signed by an accepted key.</summary>
    /// <param name="Path">Only files with this path; a `*` at its end stands for anything. Null: every file.</param>
    /// <param name="Digests">Accepted digests of content; null where only signatures count.</param>
    /// <param name="Signers">Accepted signing keys; empty where only digests count.</param>
    public sealed record RuntimeFiles(
        string? Path, ReferenceSet? Digests, ImmutableArray<RuntimeSigner> Signers) : Predicate;

    /// <summary>IMA has seen no violation since the boot.</summary>
    public sealed record NoViolations : Predicate;

    /// <summary>A program (the Proxy, the hypervisor) was measured, and each time with an accepted digest.</summary>
    /// <param name="Path">Its path.</param>
    /// <param name="Digests">Accepted digests of its file.</param>
    public sealed record Program(string Path, ReferenceSet Digests) : Predicate;
}

/// <summary>The databases of UEFI secure boot. Closed.</summary>
public enum KeyDatabase
{
    /// <summary>The platform key.</summary>
    PlatformKey = 1,

    /// <summary>The keys that may change db and dbx.</summary>
    KeyExchangeKeys,

    /// <summary>What may boot.</summary>
    Allowed,

    /// <summary>What may not boot.</summary>
    Forbidden,
}
