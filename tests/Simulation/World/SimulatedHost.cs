using Bailiwick.Channel.Board;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
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
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Simulation.World;

/// <summary>
/// One host: a fake kernel, a fake libvirt and a fake disk that last, and the real Proxy over them that lives until it
/// dies. The scheduler decides when it hears of the board and when its units take a turn.
/// </summary>
internal sealed class SimulatedHost : IDisposable
{
    private static readonly FollowerPatience Patience = new(
        TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2));

    private readonly string _files;
    private readonly NoteKey _log;
    private readonly EcdsaSigner _identity;
    private readonly VirtualClock _clock;
    private readonly MemoryOfBoard _memory = new();
    private readonly Func<SimulatedHost, IVolumeKeys> _keys;
    private ProcessTime _time;
    private Task? _following;
    private UnitMaker? _units;
    private DateTimeOffset _ticked;
    private int _boots;

    public SimulatedHost(
        HostRef self, string files, SignedWorld world, VirtualClock clock, Func<SimulatedHost, IVolumeKeys> keys)
    {
        Ref = self;
        (_files, _log, _clock, _keys) = (files, world.LogName, clock, keys);
        _identity = new EcdsaSigner(world.HostKeys[self.Name.Text[^1] - '1']);
        View = new BoardView(world.Log);
        Hypervisor = new FakeHypervisor(Kernel);
        Disk = new FakeDisk(self.Name.Text[^1]) { EffectiveUser = 0 };
        _time = new ProcessTime(clock);
        System.IO.Directory.CreateDirectory(Path.Combine(files, self.Name.Text, "boot"));
        System.IO.Directory.CreateDirectory(Path.Combine(files, "pool"));
    }

    public HostRef Ref { get; }

    public FakeHost Kernel { get; } = new();

    public FakeHypervisor Hypervisor { get; }

    public FakeDisk Disk { get; }

    public BoardView View { get; }

    public bool Alive => Plans is not null;

    /// <summary>Somebody's hand was in the kernel or at libvirt, and no whole turn has been since.</summary>
    public bool Disturbed { get; set; }

    /// <summary>The disk refused something in this life of the process.</summary>
    public bool DiskFailed { get; set; }

    public PlanKeeper? Plans { get; private set; }

    public BoardWatch? Watch { get; private set; }

    public IntegrityManager? Integrity { get; private set; }

    public VirtualStorageManager? Storage { get; private set; }

    /// <summary>A new process over what is left of the last one.</summary>
    public void Start()
    {
        Disk.KillProcess();
        DiskFailed = false;
        (Kernel.DieAt, Kernel.FailAt) = (0, 0);
        _time = new ProcessTime(_clock);
        _following = null;
        _ticked = default;
        View.Reconnect();
        PrivateDirectory directory = PrivateDirectory.OpenOrCreate(Disk, "/proxy");
        IntegrityManager integrity = IntegrityManager.Open(directory, new Guid(_boots, 0, 0, new byte[8]));
        AcceptedStatements accepted = AcceptedStatements.Open(directory);
        PlanKeeper plans = new(Ref, integrity, _time, (_, _) => null);
        MachineLayout layout = new(new MachinePaths(
            Path.Combine(_files, Ref.Name.Text, "boot"), Path.Combine(_files, "pool"),
            Path.Combine(_files, Ref.Name.Text, "machines"), "/usr/bin/qemu-system-x86_64",
            Bailiwick.Domains.Rendering.Hypervisor.Emulated));
        HostNetwork network = new(
            Kernel, integrity, plans.Names,
            new TunnelKeeper(new WireGuardTools(Kernel), new PeerTunnelKeys(), TimeProvider.System), _time);
        HypervisorLink link = new(() => Hypervisor);
        VolumeFiles volumes = new(Kernel, Path.Combine(_files, "pool"));
        VirtualStorageManager storage = new(
            link, _keys(this), volumes,
            new BootFiles(Path.Combine(_files, "images"), Path.Combine(_files, Ref.Name.Text, "boot")),
            HeldVolumes.Open(directory), integrity)
        {
            Tpms = new MachineTpmKeeper(
                Kernel, layout, new MachineTpmStates(Kernel, Path.Combine(_files, "pool")),
                new HostCertifier(Ref, _identity.PublicKey, _identity)),
            BootVolumes = new BootVolumes(new VolumeReader(new VolumeServer(Kernel), volumes), layout, _time),
            Fillings = new VolumeFillings(
                new VolumeFiller(
                    new VolumeServer(Kernel), volumes, FillMarks.Open(directory), Path.Combine(_files, "images")),
                layout, _time),
        };
        VirtualDeviceManager devices = new(link, layout, integrity);
        CompartmentManager compartments = new(
            link, storage, devices, network.Domains, layout, integrity)
        { Time = _time };
        Watch = new BoardWatch(
            new BoardFollower(View, _log, _memory, Patience, _time), accepted, plans, integrity);
        _units = new UnitMaker(plans, network, compartments, storage, _time);
        (Plans, Integrity, Storage) = (plans, integrity, storage);
        Watch.Recall();
        Hypervisor.Hook = new StartJudge(plans, network.Domains, storage, devices, integrity, _time);
    }

    /// <summary>The process ends, and its machines go on.</summary>
    public void Die()
    {
        (Plans, Watch, _units, Integrity, Storage, _following) = (null, null, null, null, null, null);
        Hypervisor.Hook = null;
        (Kernel.DieAt, Kernel.FailAt) = (0, 0);
        Disk.KillProcess();
    }

    /// <summary>The whole host loses its power.</summary>
    public void CutPower()
    {
        Die();
        Hypervisor.CutPower();
        _boots++;
        Disk.Restart();
    }

    /// <summary>Hears what the board shows now.</summary>
    public void Listen() => Living(() =>
    {
        if (_following is null)
        {
            _following = Watch?.RunAsync(CancellationToken.None);
        }
        else
        {
            _time.EndWaits();
        }

        if (_following is { IsFaulted: true } fault)
        {
            fault.GetAwaiter().GetResult();
        }
    });

    /// <summary>One turn of every unit, as the loops do; true when nothing was refused to it.</summary>
    public bool Turn()
    {
        bool clean = true;
        Living(() =>
        {
            if (_clock.Now > _ticked)
            {
                clean &= Tried(() => Plans?.Recompute());
                _ticked = clean ? _clock.Now : _ticked;
            }

            if (Plans is not { } plans || _units is not { } units)
            {
                return;
            }

            EnforcedPlan plan = plans.Current;
            IReconciled[] all =
            [
                units.Machines(), units.Host(), .. plan.Plan.Domains.Select(d => units.Domain(d.Domain)),
                .. plan.Plan.Passages.Select(p => units.Passage(p.Name)), .. units.Tenants(plan).Select(units.Returns),
            ];
            foreach (IReconciled unit in all)
            {
                clean &= Tried(() => unit.ReconcileAsync(CancellationToken.None).GetAwaiter().GetResult());
            }
        });
        return clean && Alive;
    }

    public void Dispose() => Die();

    private static bool Tried(Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (WorldException)
        {
            // As the loops do: next turn.
            return false;
        }
    }

    /// <summary>Runs what the process does; a death or a fault that no part of it handles ends the process.</summary>
    private void Living(Action act)
    {
        try
        {
            act();
        }
        catch (Exception error) when (error is MachineDiedException or DurableException)
        {
            Die();
        }
    }
}
