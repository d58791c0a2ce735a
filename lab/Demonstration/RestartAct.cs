using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Custody.Parties;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A machine is restarted while its tenant's key service is silent, because its owner allowed that; the owner withdraws
/// the key, and the next restart is refused.
/// </summary>
internal sealed class RestartAct(DemoStage stage)
{
    private const string Name = "regulator/inspector-1";
    private const string Tenant = "regulator";
    private const double Limit = 45;
    private const string Deaf = """
        table inet demo_deaf {
            chain asked { type filter hook input priority -200; tcp dport 7600 reject with tcp reset; }
        }
        """;

    private LabSpace Service => stage.Deployment.Datacentre.Service("keys-" + Tenant);

    internal async Task<IReadOnlyList<DemoCheck>> Play(CancellationToken cancellation)
    {
        DemoMachine before = stage.Machine(Name);
        using BoardDesk desk = stage.Deployment.Board(Tenant);
        PartyFacts facts = stage.Deployment.Desks.Desks[Tenant].Facts;
        PublicKey key = facts.KeyService
            ?? throw new LabException("the tenant has no key service", Tenant, "read its tenant.yaml");
        using HttpClient http = desk.KeyService(key.Id, facts.KeyServiceAddress);
        KeyServiceClient service = new(http);
        string volume = before.Model.Disks[0].Volume.ToString();

        await Silence(cancellation).ConfigureAwait(false);
        Stopwatch clock = Stopwatch.StartNew();
        await Kill(before).ConfigureAwait(false);
        DemoMachine after = await DemoStage.Meet(stage.Deployment, before.Model, before.Host, cancellation)
            .ConfigureAwait(false);
        DemoCheck restarted = new(
            "a machine is restarted while its key service is silent, as its owner allowed",
            after.Probe.Hello.Found == Name && after.Probe.Hello.Boot == before.Probe.Hello.Boot + 1,
            string.Create(CultureInfo.InvariantCulture,
                $"{Name}: boot {after.Probe.Hello.Boot}, {clock.Elapsed.TotalSeconds:F1} s after it was ended"));

        await Hear(cancellation).ConfigureAwait(false);
        await service.Withdraw(volume, true, cancellation).ConfigureAwait(false);
        await Proven(service, cancellation).ConfigureAwait(false);
        await Silence(cancellation).ConfigureAwait(false);
        await Kill(after).ConfigureAwait(false);
        string refused = await Refusal(desk, before.Model.Ref.ToString(), cancellation).ConfigureAwait(false);
        await Hear(cancellation).ConfigureAwait(false);
        await service.Withdraw(volume, false, cancellation).ConfigureAwait(false);
        DemoMachine again = await DemoStage.Meet(stage.Deployment, before.Model, before.Host, cancellation)
            .ConfigureAwait(false);
        await after.Probe.DisposeAsync().ConfigureAwait(false);
        await stage.Replace(again).ConfigureAwait(false);
        return
        [
            restarted,
            new DemoCheck(
                "after its owner withdrew the key the next restart is refused, until it is allowed again",
                refused.Contains("withdrew", StringComparison.Ordinal)
                && again.Probe.Hello.Boot == after.Probe.Hello.Boot + 1, refused),
        ];
    }

    private async Task Kill(DemoMachine machine) => await stage.Deployment.Datacentre.Host(machine.Host)
        .Virsh("destroy", DemoStage.MachineName(machine.Model.Ref)).ConfigureAwait(false);

    private async Task Silence(CancellationToken cancellation) => Sure(
        await Service.Run(["nft", "-f", "-"], Deaf, null, cancellation).ConfigureAwait(false));

    private async Task Hear(CancellationToken cancellation) => Sure(
        await Service.Run(["nft", "delete", "table", "inet", "demo_deaf"], null, null, cancellation)
            .ConfigureAwait(false));

    private static void Sure(LabProgramResult result)
    {
        if (result.ExitCode != 0)
        {
            throw new LabException($"nft failed: {result.Error.Trim()}", "keys-" + Tenant, "lab down, then demo");
        }
    }

    /// <summary>Waits until the host has proven itself again, and so heard what was withdrawn.</summary>
    private async Task Proven(KeyServiceClient service, CancellationToken cancellation)
    {
        string host = stage.Machine(Name).Host;
        Stopwatch clock = Stopwatch.StartNew();
        bool heard = false;
        while (!heard && clock.Elapsed.TotalSeconds < Limit)
        {
            await Task.Delay(300, cancellation).ConfigureAwait(false);
            KeyServiceStatus status = await service.Status(cancellation).ConfigureAwait(false);
            // Whole seconds, and the answer to that proof needs a moment.
            heard = status.Leases.Any(one => one.Host.EndsWith($"/{host}", StringComparison.Ordinal)
                && one.Seconds + 2 < clock.Elapsed.TotalSeconds);
        }
    }

    private static async Task<string> Refusal(
        BoardDesk desk, string machine, CancellationToken cancellation)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < Limit)
        {
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            ImmutableArray<ReportedReason> reasons =
                status.Compartments.FirstOrDefault(one => one.Compartment == machine)?.Refusals ?? [];
            if (reasons.FirstOrDefault(one => one.Sentence.Contains("withdrew", StringComparison.Ordinal)) is { } said)
            {
                return said.Sentence;
            }

            await Task.Delay(300, cancellation).ConfigureAwait(false);
        }

        return "nobody said why it was not started";
    }
}
