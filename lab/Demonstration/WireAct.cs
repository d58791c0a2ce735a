using System.Globalization;
using System.Net;
using System.Text;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// What is on the wires between the hosts while the machines talk: one host stands across a wire that nobody trusts.
/// Then the trusted wire loses its trust too, and is looked at again.
/// </summary>
internal sealed class WireAct(DemoStage stage)
{
    private const string Across = "host-3";
    private const string Near = "host-1";
    private const string Client = "bank/web-1";
    private const string Server = "bank/ledger-1";
    private const int Port = 5432;
    private const double Limit = 20;
    private FrameCapture? _street;
    private FrameCapture? _rack;

    /// <summary>The recordings begin.</summary>
    internal async Task Begin(CancellationToken cancellation)
    {
        // The Proxies' own talk is TCP, over channels of their own.
        _street = await Host(Across).Capture(LabHost.UnderlayInterface, "udp", cancellation).ConfigureAwait(false);
        _rack = await Host(Near).Capture(
            LabHost.UnderlayInterface, $"udp and not host {Host(Across).Address4}", cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>What was on the wires since.</summary>
    internal async Task<DemoCheck> End(CancellationToken cancellation)
    {
        (int frames, int readable) = await Read(_street, cancellation).ConfigureAwait(false);
        (int clear, int control) = await Read(_rack, cancellation).ConfigureAwait(false);
        return new DemoCheck(
            "the untrusted wire carries no name, no MAC and no IP address of any machine",
            frames > 0 && readable == 0 && control > 0,
            $"{frames} packets on it, {readable} with one of them; "
            + $"on the trusted one {control} of {clear} (the positive control)");
    }

    /// <summary>The trusted wire loses its trust while two machines talk over it.</summary>
    internal async Task<DemoCheck> Distrust(CancellationToken cancellation)
    {
        await stage.Change("alpine", "hosts.yaml", text => text.Replace(
            "medium: trusted-segment", "medium: untrusted", StringComparison.Ordinal), cancellation)
            .ConfigureAwait(false);
        DemoMachine client = stage.Machine(Client), server = stage.Machine(Server);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        int readable = 1, frames = 0;
        bool open = false;
        while ((readable > 0 || !open || frames == 0) && clock.Elapsed.TotalSeconds < Limit)
        {
            _rack = await Host(Near).Capture(
                LabHost.UnderlayInterface, $"udp and not host {Host(Across).Address4}", cancellation)
                .ConfigureAwait(false);
            open = await FlowAct.Reaches(client, server, Port, cancellation).ConfigureAwait(false);
            (frames, readable) = await Read(_rack, cancellation).ConfigureAwait(false);
        }

        return new DemoCheck(
            "a wire that loses its trust carries ciphertext within seconds, and the machines go on",
            open && frames > 0 && readable == 0,
            string.Create(CultureInfo.InvariantCulture,
                $"after {clock.Elapsed.TotalSeconds:F1} s {Client} reaches {Server}: {open}, by {frames} packets, ")
            + $"{readable} of them readable");
    }

    private LabHost Host(string name) => stage.Deployment.Datacentre.Host(name);

    private async Task<(int Frames, int Readable)> Read(FrameCapture? capture, CancellationToken cancellation)
    {
        if (capture is null)
        {
            return (0, 0);
        }

        await using (capture.ConfigureAwait(false))
        {
            byte[][] marks = await Marks().ConfigureAwait(false);
            IReadOnlyList<ReadOnlyMemory<byte>> frames = await capture.Stop(cancellation).ConfigureAwait(false);
            return (frames.Count,
                frames.Count(frame => marks.Any(mark => frame.Span.IndexOf(mark) >= 0)));
        }
    }

    /// <summary>What a machine's frames have in them: its addresses, and the name that it answers with.</summary>
    private async Task<byte[][]> Marks()
    {
        List<byte[]> marks = [];
        foreach (DemoMachine machine in stage.Machines)
        {
            marks.AddRange([.. new[] { machine.Ipv4, machine.Ipv6 }.Where(a => !a.Equals(IPAddress.None))
                .Select(address => address.GetAddressBytes())]);
            marks.Add(Encoding.ASCII.GetBytes(machine.Name));
            string described = (await Host(machine.Host)
                .Virsh("dumpxml", DemoStage.MachineName(machine.Model.Ref)).ConfigureAwait(false)).Output;
            marks.AddRange(described.Split("<mac address='").Skip(1).Select(text =>
                text.Split('\'')[0].Split(':').Select(part => Convert.ToByte(part, 16)).ToArray()));
        }

        return [.. marks];
    }
}
