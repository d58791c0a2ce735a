using System.Globalization;
using System.Runtime.InteropServices;

namespace Bailiwick.Benchmarks.Figures;

/// <summary>What the figures were measured on.</summary>
/// <param name="Cores">Processors that this program may use.</param>
/// <param name="MemoryMib">Memory of the machine.</param>
/// <param name="Kernel">The kernel's release.</param>
/// <param name="Dotnet">The runtime.</param>
/// <param name="Load">The load of the last minute before the run: what else the machine was doing.</param>
public sealed record Machine(int Cores, long MemoryMib, string Kernel, string Dotnet, double Load)
{
    /// <summary>This machine, now.</summary>
    public static Machine Read() => new(
        Environment.ProcessorCount,
        long.Parse(
            File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024,
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.FrameworkDescription,
        LoadNow());

    /// <summary>The load of the last minute.</summary>
    public static double LoadNow() => double.Parse(
        File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>All of it in a line.</summary>
    public string Words() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} cores, {MemoryMib} MiB, Linux {Kernel}, {Dotnet}, load before the run {Load}");
}
