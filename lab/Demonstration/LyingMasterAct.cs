using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Wire;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// The operator replaces the Master by one that serves the forged policy as a proper leaf of the log, under a proper
/// root. Every Proxy has to refuse it by itself, say so, and go on enforcing what the bank really signed.
/// </summary>
internal sealed class LyingMasterAct(DemoStage stage)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal async Task<DemoCheck> Play(CancellationToken cancellation)
    {
        LabSpace master = stage.Deployment.Datacentre.Service("master");
        string directory = Path.Combine(stage.Deployment.Paths.Master, "liar");
        Directory.CreateDirectory(directory);
        string script = Path.Combine(directory, "script.json");
        await File.WriteAllBytesAsync(
            script, StrictJson.Write(await Script(directory, cancellation).ConfigureAwait(false)), cancellation)
            .ConfigureAwait(false);
        await stage.Deployment.StopMaster(cancellation).ConfigureAwait(false);
        LabProgram liar = await master.StartInside(
            [ProductPrograms.CommandLine, "lab", "lying-master", script], ProductPrograms.Environment,
            Path.Combine(directory, "liar.log"), cancellation).ConfigureAwait(false);
        var hosts = stage.Deployment.Datacentre.Hosts;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Limit && liar.IsAlive && !hosts.All(h => File.Exists(ReportOf(directory, h))))
        {
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        string[] refusals = [.. hosts.Select(h => Refusal(ReportOf(directory, h)))];
        (bool door, bool control) = await Doors(cancellation).ConfigureAwait(false);
        await liar.Stop(TimeSpan.FromSeconds(5), cancellation).ConfigureAwait(false);
        return new DemoCheck("every Proxy refuses the forged policy of a lying Master",
            refusals.All(r => r.Length > 0) && !door && control,
            string.Create(CultureInfo.InvariantCulture,
                $"{refusals.Count(r => r.Length > 0)} of {hosts.Count} Proxies: {refusals[0]}; ")
            + $"forged door open: {door}, machines of one domain still reach each other: {control}");
    }

    private async Task<LyingScript> Script(string directory, CancellationToken cancellation)
    {
        using BoardDesk desk = stage.Deployment.Board(stage.Deployment.Desks.Operator.Facts.Name.Text);
        var entries = ImmutableArray.CreateBuilder<BoardEntry>();
        while (true)
        {
            EntriesPage page = await desk.Board.Entries(entries.Count, 100, cancellation).ConfigureAwait(false);
            entries.AddRange(page.Entries);
            if (page.Entries.Length < 100)
            {
                break;
            }
        }

        byte[] envelope = new ForgeryAct(stage).Forge(), salt = RandomNumberGenerator.GetBytes(32);
        entries.Add(new BoardEntry(
            entries.Count, LeafCommitment.Of(salt, envelope).Base64, Convert.ToBase64String(salt),
            JsonElement.Parse(envelope)));
        return new LyingScript(
            LabPaths.MasterAddress, Path.Combine(stage.Deployment.Paths.Master, "tls.pem"),
            Path.Combine(stage.Deployment.Paths.Master, "log.pem"), LabDesks.Origin, entries.ToImmutable(),
            await desk.Board.Placements(cancellation).ConfigureAwait(false), directory);
    }

    /// <summary>The forged door stays shut, and the machines that may reach each other still do.</summary>
    private async Task<(bool Door, bool Control)> Doors(CancellationToken cancellation)
    {
        DemoMachine records = stage.Machine("hospital/records-1"), other = stage.Machine("hospital/records-2"),
            ledger = stage.Machine("bank/ledger-1");
        IReadOnlyList<ProbeAnswer> answers = await records.Probe.Sweep(
            [
                new ProbeQuestion(ProbeKind.Tcp, ledger.Ipv4, 5432, "forged"),
                new ProbeQuestion(ProbeKind.Tcp, other.Ipv4, 5432, "control"),
            ],
            TimeSpan.FromSeconds(1), 2, cancellation).ConfigureAwait(false);
        return (answers[0].Identity == ledger.Name, answers[1].Identity == other.Name);
    }

    private static string ReportOf(string directory, LabHost host) => Path.Combine(directory, host.Name + ".json");

    private static string Refusal(string report) => File.Exists(report)
        ? StrictJson.Read<HostReport>(File.ReadAllBytes(report)).RefusedStatements
            .Select(r => $"{r.Code}: {r.Sentence}").FirstOrDefault() ?? ""
        : "";
}
