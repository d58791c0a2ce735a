using System.Text.RegularExpressions;

namespace Bailiwick.Lab.Guests;

/// <summary>One interface of a guest as its kernel command line tells it; addresses with prefix length.</summary>
/// <param name="Mac">Lower-case, with colons; this is how the guest finds the interface.</param>
/// <param name="Address4">For example 10.0.0.1/24, or null.</param>
/// <param name="Gateway4">The IPv4 router, or null.</param>
/// <param name="Address6">For example fd00::1/64, or null.</param>
/// <param name="Gateway6">The IPv6 router, or null.</param>
public sealed record GuestNic(
    string Mac, string? Address4, string? Gateway4 = null, string? Address6 = null, string? Gateway6 = null);

/// <summary>The kernel command line by which a guest knows who it is.</summary>
public static partial class GuestCommandLine
{
    /// <summary>
    /// Console on the first serial line; a stop instead of a wait after a panic; and no test of the timer. The kernel
    /// waits for some interrupts of it by counting turns. Where QEMU's translator gets no processor meanwhile, it finds
    /// the timer missing, tries other ways, and panics or waits for ever: one start in twenty on a busy machine.
    /// </summary>
    public const string Always = "console=ttyS0 quiet panic=-1 no_timer_check";

    private const int NicsLimit = 8;

    /// <summary>Writes it. Refuses what would not arrive as it was meant.</summary>
    public static string Write(string machine, params IReadOnlyList<GuestNic> nics)
    {
        ArgumentNullException.ThrowIfNull(nics);
        var words = nics.Select((nic, i) =>
            $"bailiwick.nic{i}={nic.Mac},{nic.Address4 ?? "-"},{nic.Gateway4 ?? "-"}," +
            $"{nic.Address6 ?? "-"},{nic.Gateway6 ?? "-"}").ToList();
        if (nics.Count > NicsLimit || !MachineForm().IsMatch(machine)
            || words.Exists(word => word.Any(char.IsWhiteSpace)))
        {
            throw new ArgumentException(
                $"'{machine}' with {nics.Count} interfaces has no command line", nameof(machine));
        }

        return string.Join(' ', [Always, $"bailiwick.machine={machine}", .. words]);
    }

    [GeneratedRegex("^[A-Za-z0-9._/-]{1,100}$")]
    private static partial Regex MachineForm();
}
