using System.Diagnostics;
using System.Globalization;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A host's Proxy ends and its machines run on: nobody says anything against the host, it only stops proving itself.
/// The minute in which it is still trusted goes by during other acts.
/// </summary>
internal sealed class SilenceAct(DemoStage stage)
{
    private const string Silent = "hospital/records-2";
    private const string Neighbour = "hospital/records-1";
    private const int Port = 5432;
    private const double Lease = 60;

    // A round of the peers (3 s), a computed plan, and the patience of the question itself.
    private const double Slack = 15;
    private readonly Stopwatch _clock = new();
    private bool _open;

    private LabHost Host => stage.Deployment.Datacentre.Host(stage.Machine(Silent).Host);

    /// <summary>The silence begins.</summary>
    internal async Task Begin(CancellationToken cancellation)
    {
        _open = await IsOpen(cancellation).ConfigureAwait(false);
        await stage.Deployment.StopProxy(Host, cancellation).ConfigureAwait(false);
        _clock.Start();
    }

    /// <summary>What became of the host, and that it comes back.</summary>
    internal async Task<IReadOnlyList<DemoCheck>> End(CancellationToken cancellation)
    {
        // A machine that was started again meanwhile listens to nobody yet.
        await stage.Machine(Neighbour).Probe.ListenTcp(Port, cancellation).ConfigureAwait(false);
        double open = 0;
        bool isOpen = true;

        // One question that got no answer within the minute says nothing: the neighbour may just have started anew.
        while (_clock.Elapsed.TotalSeconds < Lease
            || (isOpen && _clock.Elapsed.TotalSeconds < Lease + Slack))
        {
            isOpen = await IsOpen(cancellation).ConfigureAwait(false);
            open = isOpen ? _clock.Elapsed.TotalSeconds : open;
            await Task.Delay(500, cancellation).ConfigureAwait(false);
        }

        double closed = _clock.Elapsed.TotalSeconds;
        long frames = await FramesAcross(cancellation).ConfigureAwait(false);
        DemoCheck dropped = new(
            "the other hosts drop a silent host after a minute, in both directions",
            _open && frames == 0 && (closed <= Lease + Slack || open == 0),
            string.Create(CultureInfo.InvariantCulture,
                $"{Neighbour} and {Silent} open before: {_open}, and after {open:F0} s of silence; ")
            + string.Create(CultureInfo.InvariantCulture,
                $"closed after {closed:F0} s, and then {frames} frames of a shout from each arrived"));
        string refused, proven, released;
        using (LyingHost root = new(stage, stage.Machine(Silent)))
        {
            refused = await root.Ask(root.Honest, cancellation).ConfigureAwait(false);
            proven = await root.Prove(root.Honest, cancellation).ConfigureAwait(false);
            released = await root.Ask(root.Honest, cancellation).ConfigureAwait(false);
        }

        return
        [
            dropped,
            new DemoCheck("the key service of a silent host's tenant refuses it a key, however good the quote",
                refused.StartsWith("no-lease", StringComparison.Ordinal), refused),
            await Back(proven + released, cancellation).ConfigureAwait(false),
        ];
    }

    private async Task<DemoCheck> Back(string against, CancellationToken cancellation)
    {
        await stage.Deployment.StartProxy(Host, cancellation).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        bool open = false;
        while (!open && clock.Elapsed.TotalSeconds < 30)
        {
            open = await IsOpen(cancellation).ConfigureAwait(false)
                && await IsReached("bank/web-1", 5432, cancellation).ConfigureAwait(false)
                && await IsReached("regulator/inspector-1", 8443, cancellation).ConfigureAwait(false);
        }

        return new DemoCheck("a silent host that proves itself again has its key and its network again",
            against.Length == 0 && open,
            string.Create(CultureInfo.InvariantCulture,
                $"{(against.Length == 0 ? "it got the key" : against)}; open: {open}, ")
            + string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds:F1} s after its Proxy began"));
    }

    /// <summary>Whether a machine elsewhere reaches one of the host's in another domain, by both gateways.</summary>
    private Task<bool> IsReached(string from, int port, CancellationToken cancellation) =>
        FlowAct.Reaches(stage.Machine(from), stage.Machine("bank/ledger-1"), port, cancellation);

    private async Task<bool> IsOpen(CancellationToken cancellation)
    {
        DemoMachine one = stage.Machine(Neighbour), other = stage.Machine(Silent);
        return await FlowAct.Reaches(one, other, Port, cancellation).ConfigureAwait(false)
            || await FlowAct.Reaches(other, one, Port, cancellation).ConfigureAwait(false);
    }

    private async Task<long> FramesAcross(CancellationToken cancellation)
    {
        DemoMachine one = stage.Machine(Neighbour), other = stage.Machine(Silent);
        await Task.WhenAll(one.Probe.Forget(cancellation), other.Probe.Forget(cancellation)).ConfigureAwait(false);
        await Task.WhenAll(one.Probe.Shout("quiet.1", cancellation), other.Probe.Shout("quiet.2", cancellation))
            .ConfigureAwait(false);
        await Task.Delay(800, cancellation).ConfigureAwait(false);
        return (await one.Probe.Seen(cancellation).ConfigureAwait(false)).CountOf("quiet.2")
            + (await other.Probe.Seen(cancellation).ConfigureAwait(false)).CountOf("quiet.1");
    }
}
