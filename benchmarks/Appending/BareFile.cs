using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>
/// The disk's limit: the same bytes at the end of a file, and fdatasync(2), called directly because the runtime's own
/// flush can report success where the call failed.
/// </summary>
internal sealed partial class BareFile(string directory) : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle(
        Path.Combine(directory, "bare.bytes"), FileMode.CreateNew, FileAccess.Write);

    private long _length;

    /// <summary>Writes and waits until the bytes are on the disk.</summary>
    internal void Append(params ReadOnlySpan<byte[]> envelopes)
    {
        foreach (var envelope in envelopes)
        {
            RandomAccess.Write(_file, envelope, _length);
            _length += envelope.Length;
        }

        if (fdatasync(_file) != 0)
        {
            throw new BenchException("fdatasync: " + Marshal.GetLastPInvokeErrorMessage());
        }
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);
}
