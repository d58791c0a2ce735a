using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The lab's memory, <c>state.json</c>: each change is on the disk (written beside, fsync, renamed, directory fsync)
/// before the step it announces is taken.
/// </summary>
public sealed partial class LabRegister
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly Lock _gate = new();
    private readonly string _directory;

    public LabRegister(string directory)
    {
        _directory = directory;
        Current = Load() ?? new LabState(IdOf(directory), LabPhase.Building, LabOwner.Process, [], []);
    }

    /// <summary>The state as last written.</summary>
    public LabState Current { get; private set; }

    private string FilePath => Path.Combine(_directory, "state.json");

    /// <summary>The id of the lab in a directory: the same for every program that asks.</summary>
    public static string IdOf(string directory)
    {
        var path = Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
        return "lab-" + Convert.ToHexStringLower(SHA256.HashData(path))[..12];
    }

    /// <summary>Whether a lab is written down in this directory.</summary>
    public bool Exists => File.Exists(FilePath);

    public void Change(Func<LabState, LabState> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            var next = change(Current);
            Write(JsonSerializer.SerializeToUtf8Bytes(next, Json));
            Current = next;
        }
    }

    /// <summary>Writes a space down, in place of what was written under its name.</summary>
    public void Record(LabSpaceRecord space) => Change(state => state with
    {
        Spaces = [.. state.Spaces.Where(other => other.Name != space.Name), space],
    });

    public void Record(LabProgramRecord program) => Change(state => state with
    {
        Programs = [.. state.Programs.Where(other => other.Process.IsAlive), program],
    });

    /// <summary>Forgets the lab; the last step of taking it down.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            File.Delete(FilePath);
            Current = new LabState(IdOf(_directory), LabPhase.Building, LabOwner.Process, [], []);
        }
    }

    private LabState? Load()
    {
        try
        {
            return JsonSerializer.Deserialize<LabState>(File.ReadAllBytes(FilePath), Json);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            // Unreadable is as good as lost: the namespaces are found by the lab's id.
            return null;
        }
    }

    private void Write(byte[] bytes)
    {
        var beside = FilePath + ".new";
        using (var file = File.Create(beside))
        {
            file.Write(bytes);
            file.Flush();
            Sync(file.SafeFileHandle.DangerousGetHandle().ToInt32(), beside);
        }

        File.Move(beside, FilePath, overwrite: true);
        var directory = Open(_directory, 0);
        try
        {
            Sync(directory, _directory);
        }
        finally
        {
            _ = Close(directory);
        }
    }

    private static void Sync(int descriptor, string path)
    {
        if (Fsync(descriptor) != 0)
        {
            var reason = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            throw new LabException($"fsync failed: {reason}", path, "check the disk; nothing was started");
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
