using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Seeing;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Seeing;

/// <summary>What is captured of a machine's port, and how much at most.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Nic">Which of its ports, from 0.</param>
/// <param name="Filter">Which frames.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Packets">How many frames.</param>
public sealed record CaptureOrder(CompartmentRef Machine, int Nic, FrameFilter Filter, int Seconds, int Packets);

/// <summary>
/// Gives a tenant the frames of its own machine's port as they pass, as a capture file. That it was done, by whom and
/// of what, is in the integrity log before the first frame is read. Bounded in time, frames, bytes and rate, and to few
/// at once; what is too much the kernel drops, and the machine's traffic never waits for it.
/// </summary>
/// <param name="plans">Whose machine is here, and at which port.</param>
/// <param name="integrity">Where it is recorded.</param>
/// <param name="open">Opens a port's frames.</param>
/// <param name="time">For the stamps of the frames.</param>
public sealed class PortCapture(
    PlanKeeper plans, IntegrityManager integrity, Func<string, IFrames> open, TimeProvider time)
{
    /// <summary>Most captures of this host at once.</summary>
    public const int AtOnce = 4;

    /// <summary>Longest capture, in seconds.</summary>
    public const int MaxSeconds = 300;

    /// <summary>Most frames of one capture.</summary>
    public const int MaxPackets = 100_000;

    /// <summary>Most bytes of one capture.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>Most bytes in a second.</summary>
    public const long BytesPerSecond = 16L << 20;

    private readonly Lock _gate = new();
    private readonly HashSet<CompartmentRef> _running = [];

    /// <summary>Captures until a limit is met, the caller goes, or the machine's port leaves the plan.</summary>
    /// <param name="order">What.</param>
    /// <param name="call">Who asked.</param>
    /// <param name="output">Where it goes.</param>
    /// <returns>Why nothing was sent; null when it was.</returns>
    public async Task<RouteProblem?> SendAsync(CaptureOrder order, RouteCall call, Stream output)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(output);
        if (Find(order) is not { } found)
        {
            return new RouteProblem(
                404, "not-found", "There is no such port of such a machine on this host.",
                "Ask the board where the machine is.");
        }

        if (!Begin(order.Machine))
        {
            return new RouteProblem(
                409, "capture-busy", $"This machine's port is captured already, or {AtOnce} others of this host are.",
                "Wait for the end of one, and ask again.");
        }

        try
        {
            IntegrityReaders readers = plans.Current.ReadersOf(found.Machine);
            integrity.Record(
                IntegrityKind.ManagementRead, readers, order.Machine.ToString(),
                $"What passes the port {found.Port.Device} of {found.Machine.DisplayName} ({order.Filter}), for at "
                + $"most {order.Seconds} s and {order.Packets} packets, by {call.Caller}.");
            int packets;
            using (IFrames frames = open(found.Port.Device))
            {
                packets = await CopyAsync(order, call, frames, output).ConfigureAwait(false);
            }

            integrity.RecordOrOwe(
                IntegrityKind.ManagementRead, readers, order.Machine.ToString(),
                $"The capture of {found.Port.Device} for {call.Caller} ended after {packets} packets.");
            return null;
        }
        catch (WorldException error)
        {
            return new RouteProblem(
                503, "no-capture", $"The port cannot be captured: {error.Stderr.Trim()}",
                "Start the machine; if it runs, tell the operator.");
        }
        finally
        {
            End(order.Machine);
        }
    }

    /// <summary>Gives how many frames were sent.</summary>
    private async Task<int> CopyAsync(CaptureOrder order, RouteCall call, IFrames frames, Stream output)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(call.Cancel);
        end.CancelAfter(TimeSpan.FromSeconds(order.Seconds));
        byte[] buffer = new byte[PcapFormat.RecordBytes + PcapFormat.SnapBytes];
        long clock = Stopwatch.GetTimestamp(), sent = 0, inSecond = 0;
        int packets = 0;
        try
        {
            await output.WriteAsync(PcapFormat.Header(), end.Token).ConfigureAwait(false);
            await output.FlushAsync(end.Token).ConfigureAwait(false);
            while (packets < order.Packets && sent < MaxBytes && call.StillAdmitted())
            {
                int length = await ReadAsync(frames, buffer.AsMemory(PcapFormat.RecordBytes), end.Token)
                    .ConfigureAwait(false);
                if (Find(order) is null)
                {
                    break;
                }

                if (length < 0 || !order.Filter.Takes(buffer.AsSpan(PcapFormat.RecordBytes, length)))
                {
                    continue;
                }

                PcapFormat.Record(buffer, time.GetUtcNow(), length);
                await output.WriteAsync(buffer.AsMemory(0, PcapFormat.RecordBytes + length), end.Token)
                    .ConfigureAwait(false);
                await output.FlushAsync(end.Token).ConfigureAwait(false);
                (packets, sent, inSecond) = (packets + 1, sent + length, inSecond + length);
                if (inSecond > BytesPerSecond)
                {
                    TimeSpan left = TimeSpan.FromSeconds(1) - Stopwatch.GetElapsedTime(clock);
                    await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, end.Token).ConfigureAwait(false);
                    (clock, inSecond) = (Stopwatch.GetTimestamp(), 0);
                }
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The time is over, the caller has gone, or the port has.
        }

        return packets;
    }

    /// <summary>A frame's length, or -1 when none came for a second: then it is asked whether to go on.</summary>
    private static async Task<int> ReadAsync(IFrames frames, Memory<byte> buffer, CancellationToken stop)
    {
        using CancellationTokenSource pause = CancellationTokenSource.CreateLinkedTokenSource(stop);
        pause.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            return await frames.ReadAsync(buffer, pause.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return -1;
        }
    }

    private (CompartmentPlan Machine, PortPlan Port)? Find(CaptureOrder order) =>
        plans.Current.Machine(MachineLayout.NameOf(order.Machine)) is { } machine && order.Nic < machine.Ports.Length
            ? (machine, machine.Ports[order.Nic]) : null;

    private bool Begin(CompartmentRef machine)
    {
        lock (_gate)
        {
            return _running.Count < AtOnce && _running.Add(machine);
        }
    }

    private void End(CompartmentRef machine)
    {
        lock (_gate)
        {
            _running.Remove(machine);
        }
    }
}
