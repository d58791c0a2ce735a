using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Pinned;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Api;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Devices;
using Bailiwick.Proxy.Factory;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Host.Libvirt;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Provisioning;
using Bailiwick.Proxy.Restarting;
using Bailiwick.Proxy.Scrubbing;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Proxy.Storage;
using Bailiwick.Proxy.Verification;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bailiwick.Proxy;

/// <summary>
/// One host's Proxy: everything it is made of, put together by hand, top to bottom in the order of the dependencies.
/// </summary>
public static class ProxyProcess
{
    private const int TickSeconds = 10;

    /// <summary>Runs until cancelled.</summary>
    /// <param name="configuration">What the operator configured.</param>
    /// <param name="ready">Called once the Proxy serves.</param>
    /// <param name="stop">Ends it; machines go on running under the last plan's rules.</param>
    /// <exception cref="ConfigurationException">A value of the configuration cannot be used.</exception>
    public static async Task RunAsync(ProxyConfiguration configuration, Action ready, CancellationToken stop)
    {
        TimeProvider time = TimeProvider.System;
        HostRef self = Self(configuration);
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, configuration.Directory);
        using PrivateDirectory bootDirectory = directory.OpenOrCreateChild("boot");
        using PrivateDirectory machineDirectory = directory.OpenOrCreateChild("machines");
        using ChannelIdentity identity = ChannelIdentity.FromPem(configuration.IdentityKey);
        using HostTpm? tpm = configuration.Tpm.Length == 0 ? null : HostTpm.Open(configuration.Tpm);
        using IntegrityManager integrity = IntegrityManager.Open(directory, EvidenceDesk.ReadBoot(), tpm);

        // What is enforced: kept statements, the board, the plan.
        PeerLeases leases = new(time);
        OwnLeases own = new();
        PlanKeeper plans = new(self, integrity, time, leases.Doubt) { Own = own.Of };
        using AcceptedStatements accepted = AcceptedStatements.Open(directory);
        using BoardMemoryFile memory = BoardMemoryFile.Open(directory);
        using HttpClient master = MasterOf(configuration, identity, time);
        BoardClient board = new(master);
        BoardWatch watch = new(new(board, LogKey(configuration.Log), memory, time: time), accepted, plans, integrity);
        RealHost host = new();
        TunnelKeeper tunnels = new(new WireGuardTools(host), new PeerTunnelKeys(), time);
        EvidenceDesk evidence = new(self, identity, integrity, watch, tpm, configuration.Measurements)
            { TunnelKeys = peer => tunnels.Named(plans.Current.SegmentsWith(peer)) };

        // What enforces it: the managers.
        using HypervisorLink hypervisor = new(() => LibvirtHypervisor.Open(configuration.Libvirt));
        MachineLayout layout = Layout(configuration, bootDirectory.Path, machineDirectory.Path);
        HostNetwork network = new(host, integrity, plans.Names, tunnels, time);
        using TpmEnrolment enrolment = new(tpm, directory);
        using PeerWatch peers = new(identity, plans, watch, leases, tunnels.Peers, time);
        using TenantKeyServices services = new(self, identity, evidence, plans, enrolment, own);
        using RestartLeases restarts = RestartLeases.Under(plans, new BootTime());
        TimedKeys timed = new(services, time);
        RestartingKeys keys = new(timed, restarts, integrity, services.OpenPart);
        LeaseKeeper proving = new(plans, evidence, services, own, restarts, time);
        VolumeFiles volumes = new(host, configuration.Pool) { SizesOf = accepted.Sizes.Of };
        BootFiles boot = new(configuration.Images, bootDirectory.Path);
        VirtualStorageManager storage = new(hypervisor, keys, volumes, boot, HeldVolumes.Open(directory), integrity)
        {
            Tpms = TpmKeeper(configuration, host, layout, identity), BootVolumes = Boots(host, volumes, layout, time),
            Fillings = new VolumeFillings(Filler(configuration, host, volumes, directory), layout, time),
        };
        VirtualDeviceManager devices = new(hypervisor, layout, integrity);
        CompartmentManager compartments = new(hypervisor, storage, devices, network.Domains, layout, integrity);
        await using TvdFactory factory = new(plans, new UnitMaker(plans, network, compartments, storage, time), time);
        HostView view = new(plans, compartments, factory);
        using FlowWatch flows = new(plans, network.Tools, directory, time);

        // Who asks: libvirt's hook and the API. The last good plan is in force before either is answered.
        RecordSoftware(integrity);
        watch.Recall();
        await using HookServer hooks = new(
            configuration.HookSocket, new StartJudge(plans, network.Domains, storage, devices, integrity, time));
        hooks.Start();
        ProxyApi api = new(plans, watch, view, factory, devices, integrity)
        {
            Prove = asked => Prove(evidence, enrolment, asked), Enrol = services.EnrolAsync, KeyTimes = () => timed.All,
            Network = NetworkOf(plans, integrity, flows, time), Policy = new(plans, time),
            Verification = Verification(configuration, network, (compartments, volumes), plans, integrity, time),
            Backups = new((self, identity.Signer), plans, () => watch.Checkpoint, volumes, integrity, time),
        };
        ChannelListening listening = new(identity, [.. configuration.Listen.Select(ChannelAddress.Parse)], time);
        await using ChannelServer server = await Serve(listening, api, plans, self, stop).ConfigureAwait(false);
        storage.BootVolumes.Ended = storage.Fillings.Ended = tunnels.Peers.Changed = factory.WakeAll;
        factory.Start();
        ready();
        await RunAllAsync(
            stop, watch.RunAsync, services.RunAsync, peers.RunAsync, proving.RunAsync, flows.RunAsync,
            Scrubs(configuration, identity, plans, services, storage, (integrity, directory)).RunAsync,
            new HostReporter(self, board, watch, view, leases, time).RunAsync, all => TickAsync(plans, time, all),
            all => hypervisor.WatchAsync(factory.WakeAll, time, all)).ConfigureAwait(false);
    }

    private static Task<ChannelServer> Serve(
        ChannelListening listening, ProxyApi api, PlanKeeper plans, HostRef self, CancellationToken stop) =>
        ChannelServer.Start(
            listening, api.Routes(), new CallerRegister(plans, self).Resolve, NullLoggerFactory.Instance,
            cancel: stop);

    private static VerificationApi Verification(
        ProxyConfiguration configuration, HostNetwork network, (CompartmentManager Machines, VolumeFiles Volumes) own,
        PlanKeeper plans, IntegrityManager integrity, TimeProvider time)
    {
        LiveProof proof = new(network.Tools);
        network.Tables.Effects = readers => proof.OfDrift(plans.Current, readers);
        ForeignThings foreign = new(network.Tools, configuration.Pool);
        return new(plans, new(network, own.Machines, own.Volumes, foreign, proof), integrity, time);
    }

    private static NetworkApi NetworkOf(
        PlanKeeper plans, IntegrityManager integrity, FlowWatch flows, TimeProvider time) =>
        new(plans, integrity, time)
        {
            Flows = flows.Of, Capture = new PortCapture(plans, integrity, TapFrames.Open, time),
        };

    private static HttpClient MasterOf(
        ProxyConfiguration configuration, ChannelIdentity identity, TimeProvider time) => PinnedHandler.Create(
            identity, Parsed(configuration.Master.Key), ChannelAddress.Parse(configuration.Master.Address), time);

    private static ScrubKeeper Scrubs(
        ProxyConfiguration configuration, ChannelIdentity identity, PlanKeeper plans, TenantKeyServices services,
        VirtualStorageManager storage, (IntegrityManager Log, PrivateDirectory Directory) own) => new(
            (Self(configuration), identity.Signer), plans, services, (storage, configuration.Pool), own.Log,
            ScrubBook.Open(own.Directory));

    private static void RecordSoftware(IntegrityManager integrity) => integrity.Record(
        IntegrityKind.Software, IntegrityReaders.Everyone, "proxy", SoftwareIdentity.Describe());

    private static ProofAnswer Prove(
        EvidenceDesk desk, TpmEnrolment enrolment, ProofAsked asked)
    {
        if (desk.Show(asked.Nonce, asked.Peer) is not { } made)
        {
            return new ProofAnswer(null, enrolment.Documents, "", "", null, null);
        }

        byte[] shown = desk.IntegrityLog(made, asked.After, asked.Reader);
        EvidenceLogs logs = desk.Logs(made, asked.Held);
        return new ProofAnswer(
            JsonElement.Parse(made.Envelope), enrolment.Documents, Convert.ToBase64String(logs.BootLog.Span),
            Convert.ToBase64String(logs.RuntimeLog.Span), shown.Length == 0 ? null : JsonElement.Parse(shown),
            logs.After?.Write());
    }

    private static MachineLayout Layout(ProxyConfiguration configuration, string boot, string machines) =>
        new(new MachinePaths(
            boot, configuration.Pool, machines, "/usr/bin/qemu-system-x86_64", configuration.Hypervisor));

    private static MachineTpmKeeper TpmKeeper(
        ProxyConfiguration configuration, RealHost host, MachineLayout layout, ChannelIdentity identity) => new(
            host, layout, new MachineTpmStates(host, configuration.Pool),
            new HostCertifier(Self(configuration), identity.Key, identity.Signer));

    private static BootVolumes Boots(
        RealHost host, VolumeFiles volumes, MachineLayout layout, TimeProvider time) =>
        new(new VolumeReader(new VolumeServer(host), volumes), layout, time);

    private static VolumeFiller Filler(
        ProxyConfiguration configuration, RealHost host, VolumeFiles volumes, PrivateDirectory directory) => new(
            new VolumeServer(host), volumes, FillMarks.Open(directory), configuration.Images);

    /// <summary>Policies expire without anybody saying so: the plan is computed again from time to time.</summary>
    private static async Task TickAsync(PlanKeeper plans, TimeProvider time, CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(TickSeconds), time, stop).ConfigureAwait(false);
            try
            {
                plans.Recompute();
            }
            catch (WorldException error)
            {
                await Console.Error.WriteLineAsync($"bailiwick: {error.Message}").ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Runs what runs for ever. If one of them ends by a bug the Proxy ends, to be started again by its supervisor: the
    /// machines and their rules stay as they are.
    /// </summary>
    private static async Task RunAllAsync(CancellationToken stop, params Func<CancellationToken, Task>[] all)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] running = [.. all.Select(one => one(end.Token))];
        Task first = await Task.WhenAny(running).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested || !first.IsFaulted)
        {
            // Asked to end.
        }
    }

    private static HostRef Self(ProxyConfiguration configuration) =>
        configuration.Host.Split('/') is [var party, var name] && PartyId.TryParse(party, out PartyId? id)
        && StatementName.TryParse(name, out StatementName? parsed)
            ? new HostRef(id, parsed)
            : throw new ConfigurationException($"host: \"{configuration.Host}\" is not <operator id>/<name>.");

    private static KeyId Parsed(string key) => KeyId.TryParse(key, out KeyId? id)
        ? id
        : throw new ConfigurationException($"master.key: \"{key}\" is not the id of a key.");

    private static NoteKey LogKey(LogConfiguration log) => PublicKey.TryParseBase64(log.Key, out PublicKey? key)
        ? NoteKey.Of(log.Origin, key)
        : throw new ConfigurationException("log.key: not a P-256 SubjectPublicKeyInfo in base64.");
}
