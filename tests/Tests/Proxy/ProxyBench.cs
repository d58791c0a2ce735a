using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Devices;
using Bailiwick.Proxy.Factory;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Provisioning;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy;

/// <summary>
/// A Proxy's managers over a fake host, with really signed statements, run step by step. <see cref="Restart"/> is what
/// a kill and a new start are: the world and the disk stay, everything in memory is gone.
/// </summary>
internal sealed class ProxyBench : IDisposable
{
    private readonly string _files = Directory.CreateTempSubdirectory("bailiwick-proxy-").FullName;
    private static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    private readonly IVolumeKeys _keys;
    private PrivateDirectory? _directory;

    public ProxyBench(IVolumeKeys? keys = null)
    {
        _keys = keys ?? new NoKeys();
        string kernel = Put("kernel");
        string initrd = Put("initrd");
        Datacentre = new SignedDatacentre(kernel, initrd, hosts: 2);
        Hypervisor = new FakeHypervisor(Host);
        Directory.CreateDirectory(Path.Combine(_files, "boot"));
        Directory.CreateDirectory(Pool);
        Host.Invariant = CheckInvariant;
        Restart();
    }

    public FakeHost Host { get; } = new();

    /// <summary>The operator's directory of images.</summary>
    public string Images => Path.Combine(_files, "images");

    /// <summary>The pool of volumes.</summary>
    public string Pool => Path.Combine(_files, "pool");

    /// <summary>What the statements said of the sizes of volumes.</summary>
    public VolumeSizes Sizes { get; } = new();

    /// <summary>What key services say of this host.</summary>
    public Dictionary<DomainRef, OwnStanding> Own { get; } = [];

    /// <summary>The clock of the pauses between starts.</summary>
    public MovedClock Clock { get; } = new();

    public FakeDisk Disk { get; } = new(1) { EffectiveUser = 0 };

    public FakeHypervisor Hypervisor { get; }

    public SignedDatacentre Datacentre { get; }

    public PlanKeeper Plans { get; private set; } = null!; // Set by Restart, which the constructor calls.

    public IntegrityManager Integrity { get; private set; } = null!; // Likewise.

    public AcceptedStatements Accepted { get; private set; } = null!; // Likewise.

    public CompartmentManager Compartments { get; private set; } = null!; // Likewise.

    public StartJudge Judge { get; private set; } = null!; // Likewise.

    public VirtualStorageManager Storage { get; private set; } = null!; // Likewise.

    public UnitMaker Units { get; private set; } = null!; // Likewise.

    /// <summary>A bench with two machines of one tenant and one of another, on networks that overlap.</summary>
    /// <param name="lost">What becomes of the machines when their owners' trust is lost.</param>
    public static ProxyBench OfTwoTenants(string lost = "stop")
    {
        ProxyBench bench = new();
        SignedDatacentre datacentre = bench.Datacentre;
        datacentre.With(datacentre.Acme, "web", "10.20.1.0/24", 2, lost);
        datacentre.With(datacentre.Rival, "vault", "10.20.1.0/24", 1, lost);
        bench.Publish((datacentre.Acme, "web-1"), (datacentre.Acme, "web-2"), (datacentre.Rival, "vault-1"));
        return bench;
    }

    /// <summary>Accepts all the datacentre's statements and places the machines on its first host.</summary>
    public void Publish(params (SignedParty Tenant, string Name)[] machines)
    {
        StatementBook book = StatementBook.Empty;
        foreach (byte[] envelope in Datacentre.Envelopes)
        {
            var accepted = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope));
            book = accepted.Next;
            Sizes.Take(accepted.Statement);
        }

        Plans.Take(book);
        Place(machines);
    }

    public void Place(params (SignedParty Tenant, string Name)[] machines)
    {
        Plans.Take([.. machines.Select(m => new PlacementProposal(
            SignedDatacentre.Machine(m.Tenant, m.Name), Datacentre.Host(1), true))]);
        Plans.Recompute();
    }

    /// <summary>The Master's word on one machine's power; the others' stays.</summary>
    public void Order(SignedParty tenant, string name, bool running)
    {
        Plans.Take([.. Plans.Current.Proposals.Select(p =>
            p.Compartment == SignedDatacentre.Machine(tenant, name) ? p with { Running = running } : p)]);
        Plans.Recompute();
    }

    /// <summary>Everything in memory is gone; the plan is known again, as from the kept statements.</summary>
    public void Restart()
    {
        StatementBook? book = Plans?.Book;
        ImmutableArray<PlacementProposal> proposals = Plans?.Current.Proposals ?? [];
        Disk.KillProcess();
        _directory = PrivateDirectory.OpenOrCreate(Disk, "/proxy");
        Integrity = IntegrityManager.Open(_directory, Boot);
        Accepted = AcceptedStatements.Open(_directory);
        Plans = new PlanKeeper(Datacentre.Host(1), Integrity, TimeProvider.System, (_, _) => null)
        {
            Own = domain => Own.GetValueOrDefault(domain) ?? OwnStanding.Unknown,
        };
        MachineLayout layout = new(new MachinePaths(
            Path.Combine(_files, "boot"), Pool, Path.Combine(_files, "machines"),
            "/usr/bin/qemu-system-x86_64", Bailiwick.Domains.Rendering.Hypervisor.Emulated));
        HostNetwork network = new(
            Host, Integrity, Plans.Names,
            new TunnelKeeper(new WireGuardTools(Host), new PeerTunnelKeys(), TimeProvider.System), TimeProvider.System);
        HypervisorLink link = new(() => Hypervisor);
        VolumeFiles volumes = new(Host, Pool) { SizesOf = Sizes.Of };
        VirtualStorageManager storage = new(
            link, _keys, volumes,
            new BootFiles(Path.Combine(_files, "images"), Path.Combine(_files, "boot")),
            HeldVolumes.Open(_directory), Integrity)
        {
            Tpms = new MachineTpmKeeper(
                Host, layout, new MachineTpmStates(Host, Pool), Certifier()),
            BootVolumes = new BootVolumes(new VolumeReader(new VolumeServer(Host), volumes), layout, Clock),
            Fillings = new VolumeFillings(
                new VolumeFiller(
                    new VolumeServer(Host), volumes, FillMarks.Open(_directory), Path.Combine(_files, "images")),
                layout, Clock),
        };
        Storage = storage;
        VirtualDeviceManager devices = new(link, layout, Integrity);
        Compartments = new CompartmentManager(
            link, storage, devices, network.Domains, layout, Integrity) { Time = Clock };
        Judge = new StartJudge(Plans, network.Domains, storage, devices, Integrity, TimeProvider.System);
        Hypervisor.Hook = Judge;
        Units = new UnitMaker(Plans, network, Compartments, storage, TimeProvider.System);
        if (book is not null)
        {
            Plans.Take(book);
            Plans.Take(proposals);
            Plans.Recompute();
        }
    }

    /// <summary>One turn of every unit of the plan; what the world refuses is left for the next turn.</summary>
    public async Task Turn()
    {
        EnforcedPlan plan = Plans.Current;
        IReconciled[] units =
        [
            Units.Machines(), Units.Host(), .. plan.Plan.Domains.Select(d => Units.Domain(d.Domain)),
            .. plan.Plan.Passages.Select(p => Units.Passage(p.Name)),
        ];
        foreach (IReconciled unit in units)
        {
            try
            {
                await unit.ReconcileAsync(CancellationToken.None);
            }
            catch (WorldException)
            {
                // As the loop does: next turn.
            }
        }
    }

    /// <summary>So many turns.</summary>
    public async Task Turn(int times)
    {
        for (int turn = 0; turn < times; turn++)
        {
            await Turn();
        }
    }

    public string[] PlannedTaps() => [.. Plans.Current.Machines.SelectMany(m => m.Ports).Select(p => p.Device)];

    public void AssertConverged(int machines)
    {
        Assert.Equal(machines, Hypervisor.Running.Count());
        string[] taps = PlannedTaps();
        Assert.Equal(machines, taps.Length);
        Assert.All(taps, tap => Assert.Contains(tap, Host.Network.LivePorts));
    }

    public void Dispose()
    {
        Datacentre.Dispose();
        Directory.Delete(_files, recursive: true);
    }

    /// <summary>At every moment: no live port without its domain's rules, no machine that is not of the plan.</summary>
    private void CheckInvariant()
    {
        foreach (string port in Host.Network.LivePorts)
        {
            string? bridge = Host.Network.Links[port].Master;
            Assert.True(
                bridge is null || Host.Network.Tables.ContainsKey($"- bridge bw_{bridge[3..]}"),
                $"{port} is live on {bridge}, which has no rules");
        }
    }

    private HostCertifier Certifier()
    {
        EcdsaSigner signer = new(Datacentre.HostKey(1));
        return new HostCertifier(Datacentre.Host(1), signer.PublicKey, signer);
    }

    private string Put(string content)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(content);
        string digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Directory.CreateDirectory(Path.Combine(_files, "images"));
        File.WriteAllBytes(Path.Combine(_files, "images", digest), bytes);
        return digest;
    }

    private sealed class NoKeys : IVolumeKeys
    {
        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop) =>
            throw new InvalidOperationException("No volume of this test has a key.");

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
            throw new InvalidOperationException("No volume of this test has a key.");

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) =>
            throw new InvalidOperationException("No volume of this test has a key.");
    }
}
