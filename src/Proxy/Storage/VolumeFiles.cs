using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// The files of volumes in the pool. A file is made under a temporary name, flushed and renamed, so that a name in the
/// pool always stands for a whole volume. What is encrypted is QEMU's own LUKS; the passphrase is the volume's key in
/// hex and reaches <c>qemu-img</c> on standard input only, never in its arguments, its environment or a file.
/// </summary>
/// <param name="host">Runs <c>qemu-img</c> and <c>sync</c>.</param>
/// <param name="pool">The pool's directory.</param>
public sealed class VolumeFiles(IHost host, string pool)
{
    // The key derivation of LUKS slows down guessing a passphrase that people chose. Ours is 256 random bits, which
    // nobody guesses at any speed, so the shortest derivation costs nothing but start time.
    private const int DerivationMilliseconds = 10;

    /// <summary>What the revisions of a volume's statement said of its size, in MiB.</summary>
    public Func<VolumeRef, ImmutableArray<int>> SizesOf { get; init; } = _ => [];

    /// <summary>Where the volume's file is.</summary>
    public string PathOf(DiskPlan disk) => Path.Combine(pool, disk.FileName);

    /// <summary>Looks at what lies under the volume's name, before any other program does.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public VolumeState Inspect(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        VolumeState state = VolumeFile.Inspect(LinuxDisk.Instance, Path.GetFullPath(PathOf(disk)), ShapeOf(disk));
        return OtherForm(disk) is { } other ? state with { Refusals = state.Refusals.Add(other) } : state;
    }

    /// <summary>
    /// A volume that lies here in the other form, ciphertext or in clear, is never silently made anew in this one.
    /// </summary>
    private string? OtherForm(DiskPlan disk)
    {
        string name = Path.ChangeExtension(disk.FileName, disk.Encrypted ? ".raw" : ".luks");
        string? found = new[] { name, name + ".filling" }.FirstOrDefault(one => Path.Exists(Path.Combine(pool, one)));
        return found is null ? null
            : $"It lies in the pool as {found}, {(disk.Encrypted ? "in clear" : "ciphertext")}, and by the policies of "
                + $"now it is to be {(disk.Encrypted ? "ciphertext" : "in clear")}: what a volume is never changes. "
                + "State it as it was, or a new volume. [volume-form]";
    }

    /// <summary>
    /// Makes a volume as large as the newest revision of its statement says, where it is as large as an earlier one
    /// did.
    /// </summary>
    /// <returns>Whether it is; false while another program has it open.</returns>
    /// <exception cref="WorldException">It is not what was looked at before, or the disk refused.</exception>
    public bool TryGrow(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return VolumeFile.TryGrow(LinuxDisk.Instance, Path.GetFullPath(PathOf(disk)), ShapeOf(disk));
    }

    /// <summary>
    /// Where the volume's file is while it is filled: a name that no machine uses and no key service knows.
    /// </summary>
    public string FillingOf(DiskPlan disk) => PathOf(disk) + DerivedNames.FillingSuffix;

    /// <summary>Looks at what is being filled, as at a volume.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public VolumeState InspectFilling(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return VolumeFile.Inspect(LinuxDisk.Instance, Path.GetFullPath(FillingOf(disk)), ShapeOf(disk));
    }

    /// <summary>Makes a blank volume under LUKS that is to be filled.</summary>
    /// <exception cref="WorldException">The disk or a program refused.</exception>
    public void CreateFilling(DiskPlan disk, SecretBytes key) => CreateEncrypted(disk, key, FillingOf(disk));

    /// <summary>Removes what was being filled, if anything.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void DropFilling(DiskPlan disk) => Change(disk, () => File.Delete(FillingOf(disk)));

    /// <summary>Gives the filled file the volume's name; there must be none of that name.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void CompleteFilling(DiskPlan disk)
    {
        Change(disk, () => File.Move(FillingOf(disk), PathOf(disk)));
        host.Run(new ProgramCall("sync", pool));
    }

    /// <summary>Makes a blank volume without encryption; only for a plan that says so.</summary>
    /// <exception cref="ArgumentException">The plan says that the volume is encrypted.</exception>
    /// <exception cref="WorldException">The disk or a program refused.</exception>
    public void CreatePlain(DiskPlan disk)
    {
        if (disk.Encrypted)
        {
            throw new ArgumentException($"{disk.Volume} is to be encrypted.", nameof(disk));
        }

        Create(disk, PathOf(disk), ["qemu-img", "create", "-q", "-f", "raw"], default);
    }

    /// <summary>Makes a blank volume under LUKS.</summary>
    /// <exception cref="WorldException">The disk or a program refused.</exception>
    public void CreateEncrypted(DiskPlan disk, SecretBytes key) => CreateEncrypted(disk, key, PathOf(disk));

    private VolumeShape ShapeOf(DiskPlan disk) => new(
        disk.Encrypted, (long)disk.SizeMib << 20, [.. SizesOf(disk.Volume).Select(mib => (long)mib << 20)]);

    private void CreateEncrypted(DiskPlan disk, SecretBytes key, string path)
    {
        byte[] passphrase = Passphrase(key);
        try
        {
            string options = string.Create(
                CultureInfo.InvariantCulture, $"key-secret=k,iter-time={DerivationMilliseconds}");
            Create(
                disk, path,
                [
                    "qemu-img", "create", "-q", "-f", "luks", "--object", "secret,id=k,file=/dev/stdin",
                    "-o", options,
                ],
                passphrase);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
        }
    }

    /// <summary>The key as QEMU wants it, UTF-8: 64 hex digits. The caller overwrites it after use.</summary>
    public static byte[] Passphrase(SecretBytes key)
    {
        // Pinned, so that the collector leaves no second copy behind when it moves things.
        byte[] text = GC.AllocateUninitializedArray<byte>(key.Length * 2, pinned: true);
        using SecretLoan loan = key.Borrow();
        Convert.TryToHexStringLower(loan.Bytes, text, out _);
        return text;
    }

    private void Create(DiskPlan disk, string path, string[] program, ReadOnlyMemory<byte> input)
    {
        string temporary = path + ".new";
        Change(disk, () =>
        {
            File.Delete(temporary);
            string size = disk.SizeMib.ToString(CultureInfo.InvariantCulture) + "M";
            QemuLuks.Run(host, new ProgramCall([.. program, temporary, size]) { Input = input });
            File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            host.Run(new ProgramCall("sync", temporary));
            File.Move(temporary, path);
            host.Run(new ProgramCall("sync", pool));
        });
    }

    private static void Change(DiskPlan disk, Action change)
    {
        try
        {
            change();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException([$"make the volume {disk.Volume}"], -1, error.Message);
        }
    }
}
