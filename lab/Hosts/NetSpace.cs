using System.ComponentModel;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Lab.Hosts;

/// <summary>A network namespace, by the path of its handle. Sockets made inside stay inside.</summary>
/// <param name="path">The handle, like <c>/run/netns/NAME</c> (ip-netns(8)).</param>
public sealed partial class NetSpace(string path)
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>
    /// Runs something on a thread of its own that has entered the namespace and then ends; programs it starts are
    /// inside too. What it throws is thrown here.
    /// </summary>
    /// <exception cref="Win32Exception">The namespace cannot be entered.</exception>
    public T Inside<T>(Func<T> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle(path);
                if (setns(handle, CloneNewNet) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                }

                result = act();
            }
            catch (Exception fault)
            {
                failure = ExceptionDispatchInfo.Capture(fault);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        // The thread has ended without a failure, so the result was set.
        return result!;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle handle, int kind);
}
