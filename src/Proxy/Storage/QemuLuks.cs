using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>Calls of <c>qemu-img</c> that give a LUKS header a key slot.</summary>
public static class QemuLuks
{
    // QEMU 9.1 and older tell how fast they derive keys by the processor time of 32768 rounds. Where that clock, which
    // may move by whole ticks, says none, they fail; the next attempt meets another moment of the tick.
    private const string ClockStoodStill = "Unable to get accurate CPU usage";
    private const int Attempts = 64;

    /// <summary>
    /// Runs the call, and again, up to 64 times in all, where QEMU could not measure how fast it derives keys:
    /// nothing of a key is in the file by then, and the next attempt writes it anew.
    /// </summary>
    /// <exception cref="WorldException">It failed for another reason, or could never measure.</exception>
    public static void Run(IHost host, ProgramCall call)
    {
        ArgumentNullException.ThrowIfNull(host);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                host.Run(call);
                return;
            }
            catch (WorldException error) when (attempt < Attempts
                && error.Stderr.Contains(ClockStoodStill, StringComparison.Ordinal))
            {
            }
        }
    }
}
