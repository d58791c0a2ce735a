using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Proxy.Host;

/// <summary>Where a BPF program sees packets. A closed set.</summary>
public enum ProgramPlace
{
    /// <summary>What comes in by a device, before its filters.</summary>
    Ingress = 1,
    /// <summary>What leaves by a device.</summary>
    Egress,
    /// <summary>A hook of netfilter, in a namespace that the kernel does not tell.</summary>
    Netfilter,
}

/// <summary>BPF programs at one place.</summary>
/// <param name="Place">The place.</param>
/// <param name="Device">The kernel's number of the device; 0 where there is none.</param>
/// <param name="Count">How many there are.</param>
public sealed record AttachedPrograms(ProgramPlace Place, int Device, int Count);

/// <summary>
/// Asks the kernel for BPF programs that see packets and that neither nft nor tc lists: those attached to devices
/// (BPF_PROG_QUERY with BPF_TCX_INGRESS and BPF_TCX_EGRESS; linux/bpf.h, Linux 6.6) and those linked into netfilter
/// (BPF_LINK_TYPE_NETFILTER; Linux 6.4). A kernel that is older has none.
/// </summary>
internal static partial class KernelPrograms
{
    private const int QueryPrograms = 16;
    private const int InfoOfFile = 15;
    private const int LinkById = 30;
    private const int NextLink = 31;
    private const uint TcxIngress = 46;
    private const uint TcxEgress = 47;
    private const uint NetfilterLink = 10;
    private const int AttributeBytes = 64;
    private const int InfoBytes = 256;
    private const int MostLinks = 1 << 16;
    private const int NoEntry = 2;
    private const int NoDevice = 19;
    private const int Invalid = 22;
    private const int NetworkNamespace = 0x40000000;
    private const string Spaces = "/run/netns";
    private static readonly string[] Words = ["ask the kernel for BPF programs"];

    /// <summary>The programs at devices of this process's network namespace, and those in netfilter anywhere.</summary>
    /// <param name="devices">The kernel's numbers of the devices.</param>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public static ImmutableArray<AttachedPrograms> Find(IReadOnlyCollection<int> devices)
    {
        var found = ImmutableArray.CreateBuilder<AttachedPrograms>();
        AddAt(found, devices);
        Add(found, ProgramPlace.Netfilter, 0, InNetfilter());
        return found.ToImmutable();
    }

    /// <summary>The programs at devices of a named network namespace.</summary>
    /// <param name="space">Its name.</param>
    /// <param name="devices">The namespace's own numbers of the devices.</param>
    /// <exception cref="WorldException">The kernel does not answer, or there is no such namespace.</exception>
    /// <remarks>
    /// The kernel reads a device's number in the namespace of the thread that asks. So a thread of its own enters that
    /// one (setns(2)) and ends there: none that anything else runs on is ever in another namespace.
    /// </remarks>
    public static ImmutableArray<AttachedPrograms> FindIn(string space, IReadOnlyCollection<int> devices)
    {
        var found = ImmutableArray.CreateBuilder<AttachedPrograms>();
        WorldException? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(space);
                AddAt(found, devices);
            }
            catch (WorldException error)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? found.ToImmutable() : throw failure;
    }

    private static void Enter(string space)
    {
        try
        {
            using SafeFileHandle handle = File.OpenHandle($"{Spaces}/{space}");
            if (SetNamespace(handle, NetworkNamespace) != 0)
            {
                throw new WorldException(Words, Marshal.GetLastPInvokeError(), Marshal.GetLastPInvokeErrorMessage());
            }
        }
        catch (IOException error)
        {
            throw new WorldException(Words, -1, error.Message);
        }
    }

    private static void AddAt(ImmutableArray<AttachedPrograms>.Builder found, IReadOnlyCollection<int> devices)
    {
        foreach (int device in devices)
        {
            Add(found, ProgramPlace.Ingress, device, AtDevice(device, TcxIngress));
            Add(found, ProgramPlace.Egress, device, AtDevice(device, TcxEgress));
        }
    }

    private static void Add(
        ImmutableArray<AttachedPrograms>.Builder found, ProgramPlace place, int device, int count)
    {
        if (count > 0)
        {
            found.Add(new AttachedPrograms(place, device, count));
        }
    }

    private static int AtDevice(int device, uint place)
    {
        byte[] attribute = new byte[AttributeBytes];
        MemoryMarshal.Write(attribute, (uint)device);
        MemoryMarshal.Write(attribute.AsSpan(4), place);
        // A device that has gone has none, and a kernel that does not know the place neither.
        return Ask(QueryPrograms, attribute, NoDevice, Invalid) < 0 ? 0 : MemoryMarshal.Read<int>(attribute.AsSpan(24));
    }

    private static int InNetfilter()
    {
        int count = 0;
        uint last = 0;
        for (int links = 0; links < MostLinks; links++)
        {
            byte[] attribute = new byte[AttributeBytes];
            MemoryMarshal.Write(attribute, last);
            if (Ask(NextLink, attribute, NoEntry, Invalid) < 0)
            {
                return count;
            }

            last = MemoryMarshal.Read<uint>(attribute.AsSpan(4));
            count += TypeOf(last) == NetfilterLink ? 1 : 0;
        }

        throw new WorldException(Words, -1, $"it has more than {MostLinks} links");
    }

    /// <summary>The type of a link; 0 for one that has gone.</summary>
    private static uint TypeOf(uint link)
    {
        byte[] attribute = new byte[AttributeBytes];
        MemoryMarshal.Write(attribute, link);
        int file = (int)Ask(LinkById, attribute, NoEntry);
        if (file < 0)
        {
            return 0;
        }

        byte[] info = new byte[InfoBytes];
        var held = GCHandle.Alloc(info, GCHandleType.Pinned);
        try
        {
            attribute = new byte[AttributeBytes];
            MemoryMarshal.Write(attribute, file);
            MemoryMarshal.Write(attribute.AsSpan(4), InfoBytes);
            MemoryMarshal.Write(attribute.AsSpan(8), (long)held.AddrOfPinnedObject());
            _ = Ask(InfoOfFile, attribute);
            return MemoryMarshal.Read<uint>(info);
        }
        finally
        {
            held.Free();
            _ = Close(file);
        }
    }

    /// <summary>The kernel's answer; -1 for one of the errors that are answers too.</summary>
    private static nint Ask(int command, byte[] attribute, params ReadOnlySpan<int> answers)
    {
        nint answer = SystemCall(Number, command, attribute, AttributeBytes);
        return answer >= 0 || answers.Contains(Marshal.GetLastPInvokeError()) ? answer
            : throw new WorldException(Words, Marshal.GetLastPInvokeError(), Marshal.GetLastPInvokeErrorMessage());
    }

    /// <summary>Of bpf(2), by asm/unistd.h.</summary>
    private static nint Number => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 321,
        Architecture.Arm64 => 280,
        var other => throw new WorldException(Words, -1, $"how is not known on {other}"),
    };

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint command, byte[] attribute, nint size);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle handle, int kind);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
