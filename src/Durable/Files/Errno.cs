using System.Runtime.InteropServices;

namespace Bailiwick.Durable.Files;

/// <summary>The errno values that are told apart, and their texts (errno(3), Linux).</summary>
public static class Errno
{
    /// <summary>ENOENT: no such name.</summary>
    public const int NoEntry = 2;

    /// <summary>EINTR: a signal came first.</summary>
    public const int Interrupted = 4;

    /// <summary>EIO: the device failed.</summary>
    public const int InputOutput = 5;

    /// <summary>EBADF: not an open descriptor.</summary>
    public const int BadDescriptor = 9;

    /// <summary>EWOULDBLOCK: the lock is held by another.</summary>
    public const int WouldBlock = 11;

    /// <summary>EEXIST: the name is taken.</summary>
    public const int Exists = 17;

    /// <summary>ENOTDIR: not a directory.</summary>
    public const int NotDirectory = 20;

    /// <summary>EISDIR: a directory.</summary>
    public const int IsDirectory = 21;

    /// <summary>ENOSPC: the disk is full.</summary>
    public const int NoSpace = 28;

    /// <summary>ELOOP: a symbolic link where none may be.</summary>
    public const int Loop = 40;

    /// <summary>The C library's text of an errno.</summary>
    public static string Text(int errno) => errno switch
    {
        Loop => "it is a symbolic link (ELOOP)",
        _ => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})",
    };
}
