using System.Collections.Immutable;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.MachineTpms;

/// <summary>
/// The encrypted states of machines' TPMs at rest in the pool, each in a file named by its own digest, so that no host
/// overwrites another's. The pool is believed in nothing: which state counts is what the tenant's key service knows.
/// </summary>
/// <param name="host">Runs <c>sync</c>.</param>
/// <param name="pool">The pool's directory.</param>
public sealed class MachineTpmStates(IHost host, string pool)
{
    /// <summary>So many states of one machine are kept, the newest.</summary>
    public const int Most = 4;

    private const int MaxBytes = 1 << 20;
    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The states that lie here under their digests, newest first; what has another name is passed over.
    /// </summary>
    /// <exception cref="WorldException">The pool cannot be read.</exception>
    public ImmutableArray<Digest32> Candidates(string stateName) => Guarded("read", stateName, directory =>
        Directory.Exists(directory)
            ? [.. Files(directory).Take(Most).Select(file => file.Digest)]
            : ImmutableArray<Digest32>.Empty);

    /// <summary>Copies a state out of the pool; false when what lies there is not what its name says.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public bool Fetch(string stateName, Digest32 state, string target) => Guarded("fetch", stateName, directory =>
    {
        byte[] content = Read(Path.Combine(directory, state.Hex));
        if (Digest32.Of(content) != state)
        {
            return false;
        }

        File.WriteAllBytes(target, content);
        File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return true;
    });

    /// <summary>Lays a state down in the pool, durably, and gives its digest; the oldest ones make room.</summary>
    /// <exception cref="WorldException">The disk refused: the state must be kept where it is.</exception>
    public Digest32 Keep(string stateName, byte[] content) => Guarded("keep", stateName, directory =>
    {
        Digest32 digest = Digest32.Of(content);
        Directory.CreateDirectory(directory, Private);
        string file = Path.Combine(directory, digest.Hex);
        string temporary = file + ".new";
        File.WriteAllBytes(temporary, content);
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        host.Run(new ProgramCall("sync", temporary));
        File.Move(temporary, file, overwrite: true);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow);
        foreach (var (_, old) in Files(directory).Skip(Most))
        {
            File.Delete(old);
        }

        host.Run(new ProgramCall("sync", directory));
        return digest;
    });

    private static IEnumerable<(Digest32 Digest, string File)> Files(string directory)
    {
        foreach (FileInfo file in new DirectoryInfo(directory).EnumerateFiles()
            .OrderByDescending(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal))
        {
            if (Digest32.TryParse(file.Name, out Digest32? digest))
            {
                yield return (digest, file.FullName);
            }
        }
    }

    private static byte[] Read(string file) => new FileInfo(file).Length <= MaxBytes
        ? File.ReadAllBytes(file)
        : throw new IOException($"{file} is larger than {MaxBytes} bytes");

    private T Guarded<T>(string what, string stateName, Func<string, T> act)
    {
        try
        {
            return act(Path.Combine(pool, stateName));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException([what, "the TPM state", stateName], -1, error.Message);
        }
    }
}
