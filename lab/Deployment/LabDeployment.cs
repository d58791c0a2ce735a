using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Identity;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Deployment;

/// <summary>
/// Bailiwick itself in a lab: one Master, a key service for each tenant, a Proxy on each host, everyone's keys and
/// signed policies. All programs are the product's own, started as an operator would.
/// </summary>
public sealed class LabDeployment
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(30);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly IProgress<LabStep>? _progress;
    private readonly Dictionary<string, PublicKey> _hostKeys = [];
    private readonly ConcurrentDictionary<string, LabProgram> _proxies = new(StringComparer.Ordinal);
    private LabDesks? _desks;
    private LabProgram? _master;

    private LabDeployment(LabPaths paths, LabDatacentre datacentre, GuestImage image, IProgress<LabStep>? progress)
    {
        Paths = paths;
        Datacentre = datacentre;
        Image = image;
        _progress = progress;
    }

    public LabPaths Paths { get; }

    public LabDatacentre Datacentre { get; }

    public GuestImage Image { get; }

    /// <summary>The desks of all parties.</summary>
    public LabDesks Desks => _desks ?? throw new InvalidOperationException("nobody has a desk yet");

    /// <summary>
    /// Starts a host's platform anew, as after a loss of power: its TPM and its logs are then those of an honest boot.
    /// Its Proxy must not run.
    /// </summary>
    public Task Boot(LabHost host, CancellationToken cancellation) =>
        HostBoots.Boot(Paths, host, Measured, cancellation);

    /// <summary>How guests run on this machine.</summary>
    public GuestAcceleration Acceleration { get; private set; } = GuestAcceleration.Translator;

    /// <summary>The identity keys the operator enrolled, by host name.</summary>
    public IReadOnlyDictionary<string, PublicKey> HostKeys => _hostKeys;

    /// <summary>What libvirt runs before a machine starts: it asks the Proxy, and no answer is a no.</summary>
    public static string HookScript(LabPaths paths, string host) =>
        $"#!/bin/sh\nexec '{ProductPrograms.Find("Proxy")}' hook "
        + $"--socket '{paths.HookSocket(host)}' \"$2\" \"$3\" \"$1\"\n";

    /// <summary>Deploys into hosts that are up.</summary>
    /// <param name="paths">Where everything lies.</param>
    /// <param name="hosts">The hosts, their guests' image, and what a real boot of such a host measured.</param>
    /// <param name="policies">The directory of policies to play.</param>
    /// <param name="progress">Is told each step.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<LabDeployment> Create(
        LabPaths paths, LabHosts hosts, string policies, IProgress<LabStep>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(hosts);
        (LabDatacentre datacentre, GuestImage image, Task<HostMeasurements> measuring) = hosts;
        var made = new LabDeployment(paths, datacentre, image, progress);
        Task<GuestAcceleration> acceleration = GuestAccelerator.Find(paths.Cache, image, cancellation);
        string firmware = await HostImage.MachineFirmware(paths.Cache, cancellation).ConfigureAwait(false);
        ProgramConfigs configs = made.Prepare(policies, firmware);
        await made.StartMaster(cancellation).ConfigureAwait(false);
        foreach (string party in made.Desks.Tenants.Prepend(made.Desks.Operator.Facts.Name.Text))
        {
            await made.Publish(party, made.Signed(party), cancellation).ConfigureAwait(false);
        }

        await Task.WhenAll(made.Desks.Tenants.Select((t, i) => made.StartKeyService(t, i, cancellation)))
            .ConfigureAwait(false);
        HostMeasurements measured = made.Measured = await measuring.ConfigureAwait(false);
        await Task.WhenAll(datacentre.Hosts.Select(host => HostBoots.Boot(paths, host, measured, cancellation)))
            .ConfigureAwait(false);
        made.Acceleration = await acceleration.ConfigureAwait(false);
        foreach (LabHost host in datacentre.Hosts)
        {
            Write(Path.Combine(paths.Proxy(host.Name), "proxy.json"),
                configs.Proxy(host.Name, host.Address4, made.Acceleration));
        }

        await Task.WhenAll(datacentre.Hosts.Select(h => made.StartProxy(h, cancellation))).ConfigureAwait(false);
        return made;
    }

    /// <summary>Opens the deployment of a lab that is up.</summary>
    public static async Task<LabDeployment> Attach(LabPaths paths, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        LabDatacentre datacentre =
            await LabDatacentre.Attach(new LabOptions(paths.Root), cancellation).ConfigureAwait(false);
        GuestImage image = await GuestImage.Build(paths.Cache, null, cancellation).ConfigureAwait(false);
        var attached = new LabDeployment(paths, datacentre, image, null) { _desks = LabDesks.Open(paths) };
        foreach (LabHost host in datacentre.Hosts)
        {
            using ChannelIdentity identity =
                ChannelIdentity.FromPem(Path.Combine(paths.Proxy(host.Name), "identity.pem"));
            attached._hostKeys[host.Name] = identity.Key;
        }

        return attached;
    }

    /// <summary>A client of the board in somebody's name; the caller disposes it.</summary>
    public BoardDesk Board(string party) => BoardDesk.Open(Paths.Context(party));

    /// <summary>Publishes envelopes as a party.</summary>
    /// <exception cref="LabException">The board refuses one.</exception>
    public async Task Publish(string party, IReadOnlyList<byte[]> envelopes, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(envelopes);
        using BoardDesk desk = Board(party);
        PostOutcome outcome = await desk
            .PublishFolder([.. envelopes.Select(e => (ReadOnlyMemory<byte>)e)], cancellation).ConfigureAwait(false);
        if (outcome is PostOutcome.Refused refused)
        {
            throw new LabException(
                string.Join("; ", refused.Refusals.Select(r => $"{r.Code}: {r.Sentence}")), $"statements of {party}",
                "bailiwick policy check");
        }
    }

    /// <summary>What each host's boot measured; empty in a lab that is only attached to.</summary>
    public HostMeasurements Measured { get; private set; } = new(default, default);

    /// <summary>The board's log key.</summary>
    public PublicKey LogKey()
    {
        using ChannelIdentity log = ChannelIdentity.FromPem(Path.Combine(Paths.Master, "log.pem"));
        return log.Key;
    }

    private IReadOnlyList<byte[]> Signed(string party)
    {
        using StatementFolder folder = Desks.Folder(party);
        return [.. folder.Envelopes];
    }

    private ProgramConfigs Prepare(string policies, string firmware)
    {
        Tell("parties", "make keys, sign policies");
        foreach (string old in Paths.Fresh.Where(Directory.Exists))
        {
            Directory.Delete(old, recursive: true);
        }

        foreach (string source in Directory.EnumerateFiles(policies, "*.yaml", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(Paths.Policies, Path.GetRelativePath(policies, source));
            Directory.CreateDirectory(Path.GetDirectoryName(copy) ?? Paths.Policies);
            File.Copy(source, copy);
        }

        using PrivateDirectory master = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Paths.Master);
        PublicKey tls = PartyKeys.Create(master, "tls.pem", null), log = PartyKeys.Create(master, "log.pem", null);
        Directory.CreateDirectory(Paths.Enrolled);
        foreach (LabHost host in Datacentre.Hosts)
        {
            using PrivateDirectory files = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Paths.Proxy(host.Name));
            PublicKey key = PartyKeys.Create(files, "identity.pem", null);
            _hostKeys[host.Name] = key;
            File.WriteAllText(Path.Combine(Paths.Enrolled, host.Name + ".pub"), key.Base64 + "\n");
            File.WriteAllText(
                Path.Combine(Paths.Enrolled, host.Name + ".ek"), HostBoots.EndorsementKeyOf(Paths, host) + "\n");
        }

        PutImages(firmware);
        File.Copy(LabTpmVendor.Of(Paths.Root).RootsFile, Path.Combine(Paths.Guest, "vendors.pem"));
        _desks = LabDesks.Create(Paths);
        _desks.SignEverything(log);

        // Every root was signed a moment ago.
        var configs = new ProgramConfigs(Paths, Desks.Operator.Facts.Id!, tls, log);
        WriteConfigs(configs);
        return configs;
    }

    private void PutImages(string firmware)
    {
        PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Paths.Pool).Dispose();
        Directory.CreateDirectory(Paths.Images);
        Directory.CreateDirectory(Paths.Guest);
        File.Copy(Image.KernelPath, Path.Combine(Paths.Guest, "vmlinuz"));
        File.Copy(Image.InitramfsPath, Path.Combine(Paths.Guest, "initrd.gz"));
        File.Copy(Image.KernelPath, Path.Combine(Paths.Images, Image.KernelSha256));
        File.Copy(Image.InitramfsPath, Path.Combine(Paths.Images, Image.InitramfsSha256));
        File.Copy(firmware, Path.Combine(Paths.Guest, "ovmf.fd"));
        File.Copy(firmware, Path.Combine(
            Paths.Images, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(firmware)))));
    }

    private void WriteConfigs(ProgramConfigs configs)
    {
        Write(Path.Combine(Paths.Master, "master.json"), configs.Master());
        foreach (string tenant in Desks.Tenants)
        {
            PartyFacts facts = Desks.Desks[tenant].Facts;
            using PrivateDirectory files =
                PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Paths.KeyService(tenant));
            PutMasterKey(tenant, facts.Id!, files);
            LabTpmVendor vendor = LabTpmVendor.Of(Paths.Root);
            DurableFile.Replace(files, "vendors.pem", File.ReadAllBytes(vendor.RootsFile));
            DurableFile.Replace(files, "intermediates.pem", File.ReadAllBytes(vendor.IntermediatesFile));
            string root = Path.Combine(Paths.KeyService(tenant), "root.dsse.json");
            DurableFile.Replace(files, "root.dsse.json", Desks.FirstRoot(tenant));

            // A tenant's root was signed with the address of its key service.
            Write(Path.Combine(Paths.KeyService(tenant), "keyservice.json"),
                configs.KeyService(tenant, facts.Id!, facts.KeyServiceAddress!, root));
        }

        foreach (string party in Desks.Desks.Keys)
        {
            Write(Paths.Context(party), configs.Context(party, _hostKeys));
        }
    }

    /// <summary>As `bailiwick key init` does it, with a passphrase that nobody has to remember.</summary>
    private void PutMasterKey(string tenant, PartyId id, PrivateDirectory files)
    {
        DurableFile.Replace(
            files, Path.GetFileName(Paths.MasterPassphrase(tenant)),
            Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(32) + "\n"));
        using PassphraseLock sealing = PassphraseLock.Read(LinuxDisk.Instance, Paths.MasterPassphrase(tenant));
        using MasterKey key = MasterKey.Make(id, 1);
        MasterKeyFile.Create(LinuxDisk.Instance, Paths.MasterKey(tenant), sealing, key);
    }

    private async Task StartMaster(CancellationToken cancellation) => _master = await Start(
        Datacentre.Service("master"), "Master", Path.Combine(Paths.Master, "master.json"), Paths.Master, cancellation)
        .ConfigureAwait(false);

    private Task<LabProgram> StartKeyService(string tenant, int index, CancellationToken cancellation) => Start(
        Datacentre.Services[1 + index], "KeyService", Path.Combine(Paths.KeyService(tenant), "keyservice.json"),
        Paths.KeyService(tenant), cancellation);

    /// <summary>Starts a host's Proxy, at first or again after it died.</summary>
    public async Task StartProxy(LabHost host, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(host);
        _proxies[host.Name] = await Start(
            host, "Proxy", Path.Combine(Paths.Proxy(host.Name), "proxy.json"), Paths.Proxy(host.Name), cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Ends a host's Proxy, as root on the host may; its machines go on.</summary>
    public async Task StopProxy(LabHost host, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (_proxies.TryGetValue(host.Name, out LabProgram? proxy))
        {
            await proxy.Stop(TimeSpan.FromSeconds(10), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the Master, as its operator may at any time.</summary>
    public async Task StopMaster(CancellationToken cancellation)
    {
        if (_master is not null)
        {
            await _master.Stop(TimeSpan.FromSeconds(5), cancellation).ConfigureAwait(false);
        }
    }

    private async Task<LabProgram> Start(
        LabSpace space, string room, string config, string directory, CancellationToken cancellation)
    {
        Tell(space.Name, $"start the {room}");
        string log = Path.Combine(directory, room.ToLowerInvariant() + ".log");
        long before = File.Exists(log) ? new FileInfo(log).Length : 0;
        LabProgram program = await space.StartInside(
            [ProductPrograms.Find(room), "--config", config], ProductPrograms.Environment, log, cancellation)
            .ConfigureAwait(false);
        long end = Environment.TickCount64 + (long)ReadyLimit.TotalMilliseconds;
        while (program.IsAlive && Environment.TickCount64 < end)
        {
            if (IsReady(log, before))
            {
                return program;
            }

            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }

        throw new LabException(
            (program.IsAlive ? "it is not ready in time: " : "it ended: ") + program.LogTail(),
            $"{room} in {space.Name}, {log}", "read the log");
    }

    private static bool IsReady(string log, long from)
    {
        if (!File.Exists(log))
        {
            return false;
        }

        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = Math.Min(from, stream.Length);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n').Any(line => line.Trim() == "ready");
    }

    private static void Write(string path, JsonObject config)
    {
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(
            LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "/");
        DurableFile.Replace(
            directory, Path.GetFileName(path), JsonSerializer.SerializeToUtf8Bytes(config, Indented));
    }

    private void Tell(string place, string sentence) => _progress?.Report(new LabStep(place, sentence));
}

/// <summary>What a deployment is made into.</summary>
/// <param name="Datacentre">The hosts, up.</param>
/// <param name="Image">The guests' image.</param>
/// <param name="Measuring">
/// <see cref="MeasuredStart.Take(string, IProgress{LabStep}?, CancellationToken)"/>, perhaps under way: only the
/// Proxies need its end.
/// </param>
public sealed record LabHosts(LabDatacentre Datacentre, GuestImage Image, Task<HostMeasurements> Measuring);
