using System.Collections.Immutable;
using System.Net;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Lab.Demonstration;

/// <summary>The running datacentre of the three tenants, as the demonstration sees it.</summary>
public sealed class DemoStage : IAsyncDisposable
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(240);
    private readonly List<DemoMachine> _machines = [];

    private DemoStage(LabDeployment deployment, CheckedDatacentre policies)
    {
        Deployment = deployment;
        Policies = policies;
    }

    public LabDeployment Deployment { get; }

    /// <summary>What everyone signed.</summary>
    public CheckedDatacentre Policies { get; private set; }

    public IReadOnlyList<DemoMachine> Machines => _machines;

    /// <summary>When the first machine answered.</summary>
    public DateTimeOffset FirstAnswer { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Waits until every machine that the policies describe answers on its probe channel.</summary>
    public static async Task<DemoStage> Open(
        LabDeployment deployment, IDemoAudience audience, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        ArgumentNullException.ThrowIfNull(audience);
        var stage = new DemoStage(deployment, ReadPolicies(deployment));
        CompartmentModel[] wanted = [.. stage.Policies.Machinery.Compartments.Values];
        ImmutableArray<PlacementRow> rows = await Placed(deployment, wanted.Length, cancellation).ConfigureAwait(false);
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task telling = stage.TellWhatRuns(wanted.Length, audience, answered.Token);
        DemoMachine[] machines = await Task.WhenAll(wanted.Select(async model =>
        {
            PlacementRow row = rows.Single(r => r.Compartment == model.Ref.ToString());
            string host = row.Host?.Split('/')[^1] ?? throw new LabException(
                row.Reason, $"{model.Origin.OwnerName}/{model.Ref.Name}", "bailiwick status");
            DemoMachine machine = await Meet(deployment, model, host, cancellation).ConfigureAwait(false);
            lock (stage._machines)
            {
                stage.FirstAnswer = stage._machines.Count == 0 ? TimeProvider.System.GetUtcNow() : stage.FirstAnswer;
                stage._machines.Add(machine);
                audience.Progress(
                    $"{machine.Name} answers on {host}", 0.5 + (0.5 * stage._machines.Count / wanted.Length));
            }

            return machine;
        })).ConfigureAwait(false);
        await answered.CancelAsync().ConfigureAwait(false);
        await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stage._machines.Clear();
        stage._machines.AddRange(machines.OrderBy(m => m.Model.Nics[0].Domain.Text).ThenBy(m => m.Name));
        return stage;
    }

    /// <summary>Says, until the first machine answers, what the hosts report of all of them.</summary>
    private async Task TellWhatRuns(int wanted, IDemoAudience audience, CancellationToken cancellation)
    {
        using BoardDesk desk = Deployment.Board(Deployment.Desks.Operator.Facts.Name.Text);
        string before = "";
        while (FirstAnswer == DateTimeOffset.MaxValue)
        {
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            string now = string.Join(", ", status.Compartments.CountBy(c => c.State)
                .OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Value} {s.Key}"));
            if (now != before)
            {
                audience.Progress(
                    $"the hosts report of {wanted} machines: {now}",
                    0.5 * status.Compartments.Count(c => c.State == "running") / wanted);
                before = now;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Connects to a machine's probe, as soon as the machine is there.</summary>
    /// <exception cref="LabException">It does not answer; all that is known of it is told.</exception>
    public static async Task<DemoMachine> Meet(
        LabDeployment deployment, CompartmentModel model, string host, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        ArgumentNullException.ThrowIfNull(model);
        string name = $"{model.Origin.OwnerName}/{model.Ref.Name}";
        string socket = Path.Combine(deployment.Paths.Proxy(host), "state", "machines",
            MachineName(model.Ref), "probe.sock");
        LabHost at = deployment.Datacentre.Host(host);
        GuestWatch watch = await GuestWatch.Begin(at, MachineName(model.Ref), socket, cancellation)
            .ConfigureAwait(false);
        await using (watch.ConfigureAwait(false))
        {
            try
            {
                ProbeChannel probe = await ProbeChannel.Open(at.PathInside(socket), name, BootLimit, cancellation)
                    .ConfigureAwait(false);
                NicModel nic = model.Nics[0];
                return new DemoMachine(
                    name, model, host, probe, nic.Ipv4 ?? IPAddress.None, nic.Ipv6 ?? IPAddress.None);
            }
            catch (LabException silent)
            {
                throw new LabException(
                    $"{silent.Cause}; {await Reported(deployment, model, cancellation).ConfigureAwait(false)}; "
                    + await watch.Tell(cancellation).ConfigureAwait(false), silent.Place, silent.NextStep, silent);
            }
        }
    }

    /// <summary>What the board says of a machine: by now it may be on another host.</summary>
    private static async Task<string> Reported(
        LabDeployment deployment, CompartmentModel model, CancellationToken cancellation)
    {
        using BoardDesk desk = deployment.Board(deployment.Desks.Operator.Facts.Name.Text);
        BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
        return status.Compartments.FirstOrDefault(one => one.Compartment == model.Ref.ToString()) is { } machine
            ? $"the board says: {machine.State} on {machine.Host?.Split('/')[^1] ?? "no host"}. {machine.Reason}"
            : "the board says nothing of it";
    }

    /// <summary>libvirt's name of a machine.</summary>
    internal static string MachineName(CompartmentRef machine) =>
        "bw-" + DerivedNames.Digits(machine.ToString(), DerivedNames.MachineDigits);

    /// <summary>A machine by its name.</summary>
    public DemoMachine Machine(string name) => _machines.Single(m => m.Name == name);

    /// <summary>Takes the place of a machine that was started again.</summary>
    public async Task Replace(DemoMachine machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        int index = _machines.FindIndex(m => m.Name == machine.Name);
        await _machines[index].Probe.DisposeAsync().ConfigureAwait(false);
        _machines[index] = machine;
    }

    /// <summary>Changes a party's policy in the working copy, signs it and publishes it.</summary>
    public async Task Change(
        string party, string file, Func<string, string> edit, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(edit);
        string path = Path.Combine(Deployment.Paths.Policies, party, file);
        string before = await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        string after = edit(before);
        if (after == before)
        {
            throw new LabException("the policy to change does not look as expected", path, "lab down, then demo");
        }

        await File.WriteAllTextAsync(path, after, cancellation).ConfigureAwait(false);
        await Deployment.Publish(
            party, Deployment.Desks.Sign(party, Deployment.LogKey()), cancellation).ConfigureAwait(false);
        Policies = ReadPolicies(Deployment);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (DemoMachine machine in _machines)
        {
            await machine.Probe.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static CheckedDatacentre ReadPolicies(LabDeployment deployment)
    {
        var statements = deployment.Desks.Desks.Keys.SelectMany(party =>
        {
            using StatementFolder folder = deployment.Desks.Folder(party);
            return Enum.GetValues<Ledger.Statements.StatementKind>().SelectMany(folder.Book.Current).ToArray();
        });
        return PolicyCheck.Run(PolicyDocuments.FromStatements(statements).Documents).Datacentre;
    }

    private static async Task<ImmutableArray<PlacementRow>> Placed(
        LabDeployment deployment, int machines, CancellationToken cancellation)
    {
        using BoardDesk desk = deployment.Board(deployment.Desks.Operator.Facts.Name.Text);
        for (int attempt = 0; attempt < 100; attempt++)
        {
            ImmutableArray<PlacementRow> rows = await desk.Board.Placements(cancellation).ConfigureAwait(false);
            if (rows.Length >= machines && rows.All(r => r.Host is not null))
            {
                return rows;
            }

            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
        throw new LabException(
            string.Join("; ", status.Compartments.Select(c => $"{c.Compartment}: {c.Reason}")),
            "placement", "bailiwick status");
    }
}
