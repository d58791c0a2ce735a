using System.Diagnostics;
using System.Globalization;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A volume of one tenant that a machine of another reads, by the policies of both: what the owner writes arrives, the
/// reader cannot write, and when the owner withdraws its half the machine loses the disk at once.
/// </summary>
internal sealed class SharedVolumeAct(DemoStage stage)
{
    private const string Owner = "bank/ledger-1";
    private const string Reader = "regulator/inspector-1";
    private const string Stranger = "hospital/records-1";
    private const string Disk = "vdb";
    private const string Grant = "    - {to: regulator/inspection, volume: {name: ledger-archive, access: read}}\n";
    private const string Nothing = "    []\n";
    private const double LimitSeconds = 10;

    internal async Task<IReadOnlyList<DemoCheck>> Play(CancellationToken cancellation)
    {
        string written = $"balance.{Guid.NewGuid():N}";
        await stage.Machine(Owner).Probe.WriteLineOf(Disk, written, cancellation).ConfigureAwait(false);
        string read = await stage.Machine(Reader).Probe.ReadLineOf(Disk, cancellation).ConfigureAwait(false);
        string refused = await Refused(Reader, cancellation).ConfigureAwait(false);
        string left = await stage.Machine(Owner).Probe.ReadLineOf(Disk, cancellation).ConfigureAwait(false);
        string stranger = await Refused(Stranger, cancellation).ConfigureAwait(false);
        DemoCheck shared = new(
            "a machine of another tenant reads the owner's volume as both policies say, and no third one does",
            read == written && left == written && refused.Length > 0 && stranger.Length > 0,
            $"{Owner} wrote {written[..16]}..., {Reader} on another host read {Shown(read, written)}; its write: "
            + $"{First(refused)}; {Stranger}: {First(stranger)}");
        return [shared, await Withdraw(cancellation).ConfigureAwait(false)];
    }

    /// <summary>The owner's half goes, the machine ends with its disk, and comes back with the flow.</summary>
    private async Task<DemoCheck> Withdraw(CancellationToken cancellation)
    {
        await Change(Grant, Nothing, cancellation).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        DemoMachine reader = stage.Machine(Reader);
        string because = "";
        bool ended = false;
        while (!ended && clock.Elapsed.TotalSeconds < 3 * LimitSeconds)
        {
            LabProgramResult list = await stage.Deployment.Datacentre.Host(reader.Host)
                .Virsh("list", "--name").ConfigureAwait(false);
            ended = !list.Output.Contains(DemoStage.MachineName(reader.Model.Ref), StringComparison.Ordinal);
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        double seconds = clock.Elapsed.TotalSeconds;
        because = await Because(reader, cancellation).ConfigureAwait(false);
        await Change(Nothing, Grant, cancellation).ConfigureAwait(false);
        await stage.Replace(await DemoStage.Meet(stage.Deployment, reader.Model, reader.Host, cancellation)
            .ConfigureAwait(false)).ConfigureAwait(false);
        return new DemoCheck(
            "the owner's withdrawal takes the disk away at once",
            ended && seconds <= LimitSeconds && because.Contains("ledger-archive", StringComparison.Ordinal),
            string.Create(CultureInfo.InvariantCulture, $"{Reader} ended after {seconds:F1} s: {First(because)}"));
    }

    private Task Change(string from, string to, CancellationToken cancellation) => stage.Change(
        "bank", "ledger.yaml",
        text => text.Replace(from, to, StringComparison.Ordinal), cancellation);

    /// <summary>What the operator is told of the machine.</summary>
    private async Task<string> Because(DemoMachine machine, CancellationToken cancellation)
    {
        using BoardDesk desk = stage.Deployment.Board(stage.Deployment.Desks.Operator.Facts.Name.Text);
        string found = "";
        for (int attempt = 0; attempt < 20 && !found.Contains("volume", StringComparison.Ordinal); attempt++)
        {
            PlacementRow[] rows = [.. await desk.Board.Placements(cancellation).ConfigureAwait(false)];
            found = rows.FirstOrDefault(row => row.Compartment == machine.Model.Ref.ToString())?.Reason ?? "";
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        return found;
    }

    /// <summary>Why a machine cannot write; empty when it could.</summary>
    private async Task<string> Refused(string machine, CancellationToken cancellation)
    {
        try
        {
            await stage.Machine(machine).Probe.WriteLineOf(Disk, "forged", cancellation).ConfigureAwait(false);
            return "";
        }
        catch (LabException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>What was said first, without where and what next.</summary>
    private static string First(string said) => said.Split('\n')[0].Split(". ")[0];

    private static string Shown(string read, string written) => read == written ? "the same" : $"'{read}'";
}
