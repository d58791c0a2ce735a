using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Lab.Hosts;

/// <summary>Compiles the lab's small C programs, whose source is inside this assembly, once per content.</summary>
public static class NativeProgram
{
    private static readonly string[] Flags = ["-std=gnu17", "-O2", "-Wall", "-Wextra"];

    /// <summary>The bytes of a source file of the lab.</summary>
    public static byte[] Source(string name)
    {
        using var stream = typeof(NativeProgram).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not inside the lab's assembly");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    /// <summary>The path of the compiled program in the cache; compiles it when it is not there.</summary>
    public static async Task<string> Build(
        string cache, string name, IReadOnlyList<string> sources, bool isStatic, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(sources);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var source in sources)
        {
            hash.AppendData(Source(source));
        }

        hash.AppendData(Encoding.ASCII.GetBytes(string.Join(' ', Flags) + isStatic));
        var digest = Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
        var path = Path.Combine(cache, "programs", digest, name);
        if (File.Exists(path))
        {
            return path;
        }

        LabPrograms.Require("gcc");
        var scratch = Directory.CreateDirectory($"{Path.Combine(cache, "programs", digest)}.{Guid.NewGuid():N}");
        try
        {
            foreach (var source in sources)
            {
                await File.WriteAllBytesAsync(Path.Combine(scratch.FullName, source), Source(source), cancellation)
                    .ConfigureAwait(false);
            }

            // The scratch path must not get into the program: equal sources, equal bytes.
            List<string> argv = ["gcc", .. Flags, $"-ffile-prefix-map={scratch.FullName}=.", "-Wl,--build-id=none"];
            argv.AddRange(isStatic ? ["-static", "-s"] : ["-s"]);
            argv.AddRange(["-o", Path.Combine(scratch.FullName, name)]);
            argv.AddRange(sources.Where(source => source.EndsWith(".c", StringComparison.Ordinal))
                .Select(source => Path.Combine(scratch.FullName, source)));
            var result = await LabPrograms.Run(argv, timeout: TimeSpan.FromSeconds(90), cancellation: cancellation)
                .ConfigureAwait(false);
            result.Expect($"gcc, {name}", "apt-get install gcc libc6-dev");
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? cache);
            File.Move(Path.Combine(scratch.FullName, name), path, overwrite: true);
            return path;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}
