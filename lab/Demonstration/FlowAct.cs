using System.Diagnostics;
using System.Globalization;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Lab.Demonstration;

/// <summary>Shows that a flow withdrawn by one owner closes within seconds, and that nothing else does.</summary>
internal sealed class FlowAct(DemoStage stage)
{
    private const double LimitSeconds = 5;
    private const int Attempts = 4;

    internal async Task<DemoCheck> Play(CancellationToken cancellation)
    {
        DemoMachine web = stage.Machine("bank/web-1"), ledger = stage.Machine("bank/ledger-1"),
            inspector = stage.Machine("regulator/inspector-1");
        bool before = await Reaches(web, ledger, 5432, cancellation).ConfigureAwait(false);
        bool inspected = await Reaches(inspector, ledger, 8443, cancellation).ConfigureAwait(false);
        await stage.Change("bank", "ledger.yaml", text => text.Replace(
            "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n", "", StringComparison.Ordinal),
            cancellation).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        bool open = true;
        while (open && clock.Elapsed.TotalSeconds < 4 * LimitSeconds)
        {
            open = await Reaches(web, ledger, 5432, cancellation).ConfigureAwait(false);
        }

        double seconds = clock.Elapsed.TotalSeconds;
        bool still = await Reaches(inspector, ledger, 8443, cancellation, Attempts).ConfigureAwait(false);
        return new DemoCheck("a withdrawn flow closes within seconds",
            before && inspected && !open && seconds <= LimitSeconds && still,
            string.Create(CultureInfo.InvariantCulture,
                $"bank/ledger no longer accepts bank/web: tcp/5432 open before: {before}, ")
            + string.Create(CultureInfo.InvariantCulture, $"closed after {seconds:F1} s; ")
            + $"regulator's tcp/8443 open before: {inspected}, after: {still}");
    }

    /// <summary>Whether a machine gets a conversation with another.</summary>
    internal static async Task<bool> Reaches(
        DemoMachine from, DemoMachine to, int port, CancellationToken cancellation, int attempts = 1)
    {
        ProbeAnswer answer = await from.Probe.Ask(new ProbeQuestion(ProbeKind.Tcp, to.Ipv4, port, "w"),
            TimeSpan.FromMilliseconds(700), attempts, cancellation).ConfigureAwait(false);
        return answer.Identity == to.Name;
    }
}
