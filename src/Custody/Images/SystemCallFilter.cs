using System.Runtime.InteropServices;

namespace Bailiwick.Custody.Images;

/// <summary>
/// The system calls that a converter may make (seccomp(2)), as the program that the kernel runs on each of them, in a
/// file without a name for bubblewrap to take over. What is not in the list is answered as if the kernel did not have
/// it, so a newer library falls back to what an older one did. libseccomp writes the program, because it knows the
/// numbers of every architecture and refuses calls of another one.
/// </summary>
internal sealed partial class SystemCallFilter : IDisposable
{
    private const uint Allow = 0x7fff0000, AnswerUnknown = 0x00050000 | 38;

    // qemu-img's own, and those of setpriv and prlimit, which become it: without capabilities and without a way to new
    // ones, what they change of the identity can only become less.
    private static readonly string[] Allowed =
    [
        "access", "arch_prctl", "brk", "capget", "capset", "clock_getres", "clock_gettime", "clock_nanosleep", "close",
        "close_range", "copy_file_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait",
        "epoll_wait", "eventfd2", "execve", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fallocate",
        "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "futex", "get_mempolicy", "getcwd",
        "getdents64", "getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid", "getppid", "getrandom",
        "getresgid", "getresuid", "getrlimit", "gettid", "gettimeofday", "getuid", "ioctl", "lseek", "lstat", "madvise",
        "membarrier", "mmap", "mprotect", "mremap", "munmap", "nanosleep", "newfstatat", "openat", "pipe2", "poll",
        "ppoll", "prctl", "pread64", "preadv", "prlimit64", "pwrite64", "pwritev", "read", "readlink", "readlinkat",
        "readv", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
        "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_mempolicy", "set_robust_list", "set_tid_address",
        "setgroups", "setresgid", "setresuid", "sigaltstack", "signalfd4", "stat", "statfs", "statx", "sysinfo",
        "tgkill", "timer_create", "timer_delete", "timer_settime", "uname", "wait4", "write", "writev",
    ];

    // Threads and processes, but no new namespace of any kind, in which somebody would have capabilities again.
    private const ulong NamespaceFlags = 0x7e020000;
    private const int MaskedEqual = 7;

    private SystemCallFilter(int descriptor) => Descriptor = descriptor;

    /// <summary>The descriptor of the file; a program that is started while this is open inherits it.</summary>
    public int Descriptor { get; }

    /// <summary>Writes the filter.</summary>
    /// <exception cref="CustodyException">libseccomp is missing, or the kernel refused.</exception>
    public static SystemCallFilter Create()
    {
        try
        {
            int descriptor = Checked(memfd_create("bailiwick-filter", 0), "make a file without a name");
            SystemCallFilter filter = new(descriptor);
            try
            {
                Write(descriptor);
                return filter;
            }
            catch
            {
                filter.Dispose();
                throw;
            }
        }
        catch (DllNotFoundException missing)
        {
            throw new CustodyException(
                "Images are converted only under a filter of system calls: install Debian's libseccomp2.", missing);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = close(Descriptor);

    private static void Write(int descriptor)
    {
        nint filter = seccomp_init(AnswerUnknown);
        if (filter == 0)
        {
            throw new CustodyException("The filter of system calls could not be begun: libseccomp refused.");
        }

        try
        {
            Comparison none = default;
            foreach (string name in Allowed)
            {
                int number = seccomp_syscall_resolve_name(name);
                // What another architecture has and this one has not gets a number of libseccomp's own, below zero.
                if (number >= 0)
                {
                    Checked(seccomp_rule_add_array(filter, Allow, number, 0, in none), $"allow {name}");
                }
            }

            Comparison plain = new(0, MaskedEqual, NamespaceFlags, 0);
            Checked(
                seccomp_rule_add_array(filter, Allow, seccomp_syscall_resolve_name("clone"), 1, in plain),
                "allow clone");
            Checked(seccomp_export_bpf(filter, descriptor), "write the filter");
            if (lseek(descriptor, 0, 0) != 0)
            {
                throw new CustodyException("The filter of system calls cannot be read again.");
            }
        }
        finally
        {
            seccomp_release(filter);
        }
    }

    private static int Checked(int result, string what) => result >= 0
        ? result
        : throw new CustodyException($"The filter of system calls could not be made: {what}, error {result}.");

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libseccomp.so.2")]
    private static partial nint seccomp_init(uint action);

    [LibraryImport("libseccomp.so.2")]
    private static partial void seccomp_release(nint filter);

    [LibraryImport("libseccomp.so.2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int seccomp_syscall_resolve_name(string name);

    [LibraryImport("libseccomp.so.2")]
    private static partial int seccomp_rule_add_array(
        nint filter, uint action, int number, uint count, in Comparison rules);

    [LibraryImport("libseccomp.so.2")]
    private static partial int seccomp_export_bpf(nint filter, int descriptor);

    /// <summary>scmp_arg_cmp of seccomp.h: an argument of a call, masked, and what it must be.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Comparison(uint argument, int how, ulong mask, ulong value)
    {
        public readonly uint Argument = argument;
        public readonly int How = how;
        public readonly ulong Mask = mask;
        public readonly ulong Value = value;
    }
}
