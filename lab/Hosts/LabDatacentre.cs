namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The datacentre on one machine. Whoever builds it holds the lock of its directory and takes it down at the end, or
/// detaches it, so that it stays until <see cref="Down"/>. A lab whose owner died is swept by the next one.
/// </summary>
public sealed class LabDatacentre : IAsyncDisposable
{
    internal const string FabricName = "fabric";
    private const int FirstService = 2;
    private const int FirstHost = 11;

    private readonly LabRegister _register;
    private readonly IProgress<LabStep>? _progress;
    private FileStream? _lock;

    private LabDatacentre(LabOptions options, LabRegister register, FileStream? held, IProgress<LabStep>? progress)
    {
        Options = options;
        _register = register;
        _lock = held;
        _progress = progress;
    }

    public LabOptions Options { get; }

    public IReadOnlyList<LabHost> Hosts { get; private set; } = [];

    public IReadOnlyList<LabSpace> Services { get; private set; } = [];

    /// <summary>The wire; for tests that listen on it.</summary>
    public LabSpace? Fabric { get; private set; }

    public LabHost Host(string name) => Hosts.FirstOrDefault(host => host.Name == name)
        ?? throw new LabException($"there is no host '{name}'", Options.Directory, $"one of: {Names(Hosts)}");

    public LabSpace Service(string name) => Services.FirstOrDefault(service => service.Name == name)
        ?? throw new LabException($"there is no service '{name}'", Options.Directory, $"one of: {Names(Services)}");

    /// <summary>Builds the lab, after sweeping what a dead predecessor left.</summary>
    public static async Task<LabDatacentre> Up(
        LabOptions options, IProgress<LabStep>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        LabPrograms.Require("ip", "nsenter", "libvirtd", "virsh", "qemu-system-x86_64", "gcc");
        LabPrograms.Require(LabTpmVendor.Programs);
        if (Environment.UserName != "root")
        {
            throw new LabException("namespaces need root", options.Directory, "sudo");
        }

        Directory.CreateDirectory(options.Directory);
        var held = Lock(options.Directory);
        var register = new LabRegister(options.Directory);
        var lab = new LabDatacentre(options, register, held, progress);
        try
        {
            RefuseLive(register, options.Directory);
            await lab.Sweep(cancellation).ConfigureAwait(false);
            await lab.Build(cancellation).ConfigureAwait(false);
            return lab;
        }
        catch (LabException)
        {
            await lab.DisposeAfterFailure().ConfigureAwait(false);
            throw;
        }
        catch (OperationCanceledException)
        {
            await lab.DisposeAfterFailure().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A lab that is up, for running things in it; it does not end with this object.</summary>
    public static async Task<LabDatacentre> Attach(LabOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var register = new LabRegister(options.Directory);
        if (!register.Exists || register.Current.Phase != LabPhase.Up)
        {
            throw new LabException("no lab is up here", options.Directory, "lab up");
        }

        var tool = await Tool(options, cancellation).ConfigureAwait(false);
        var lab = new LabDatacentre(options, register, null, null);
        var spaces = register.Current.Spaces;
        lab.Fabric = spaces.Where(one => one.Kind == LabSpaceKind.Fabric).Select(lab.Space(tool)).FirstOrDefault();
        lab.Services = [.. spaces.Where(one => one.Kind == LabSpaceKind.Service).Select(lab.Space(tool))];
        lab.Hosts = [.. spaces.Where(one => one.Kind == LabSpaceKind.Host).Select(one => lab.NewHost(tool, one))];
        return lab;
    }

    /// <summary>Ends the lab in a directory, whatever state it is in; nothing to end is no error.</summary>
    public static async Task Down(
        string directory, IProgress<LabStep>? progress = null, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }

        await using var held = Lock(directory);
        var lab = new LabDatacentre(new LabOptions(directory), new LabRegister(directory), null, progress);
        await lab.Sweep(cancellation).ConfigureAwait(false);
    }

    /// <summary>Lets the lab live on without this process.</summary>
    public void Detach()
    {
        _register.Change(state => state with { Owner = LabOwner.Detached });
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>Takes the lab down if this object owns it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_lock is null)
        {
            return;
        }

        try
        {
            await Sweep(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            await _lock.DisposeAsync().ConfigureAwait(false);
            _lock = null;
        }
    }

    private static string Names(IEnumerable<LabSpace> spaces) => string.Join(", ", spaces.Select(one => one.Name));

    private static Task<string> Tool(LabOptions options, CancellationToken cancellation) =>
        NativeProgram.Build(options.CacheDirectory, "labspace", ["labspace.c"], isStatic: false, cancellation);

    /// <summary>An exclusive lock the kernel gives back when its holder dies (flock(2), by FileShare.None).</summary>
    private static FileStream Lock(string directory)
    {
        var path = Path.Combine(directory, "lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure)
        {
            throw new LabException(
                "another process is working on this lab", path, "wait for it, or use another directory", failure);
        }
    }

    private static void RefuseLive(LabRegister register, string directory)
    {
        var state = register.Current;
        if (register.Exists && state is { Phase: LabPhase.Up, Owner: LabOwner.Detached }
            && state.Spaces.All(space => space.Holder is { IsAlive: true }))
        {
            throw new LabException("a lab is already up here", directory, "lab down first, or use another directory");
        }
    }

    private async Task DisposeAfterFailure()
    {
        try
        {
            await DisposeAsync().ConfigureAwait(false);
        }
        catch (LabException failure)
        {
            Tell("lab", $"could not take everything down: {failure.Cause}; the next lab here sweeps it");
        }
    }

    private async Task Build(CancellationToken cancellation)
    {
        ForgetLibvirt();
        _register.Change(state => state with { Phase = LabPhase.Building, Owner = LabOwner.Process });
        var tool = await Bounded("lab", "compile the namespace holder", token => Tool(Options, token), cancellation)
            .ConfigureAwait(false);
        var fabric = Space(tool)(new LabSpaceRecord(FabricName, LabSpaceKind.Fabric, null, null, null));
        var underlay = new Underlay(fabric);
        Fabric = fabric;
        await Bounded(FabricName, "build the underlay", async token =>
        {
            await fabric.Hold([], token).ConfigureAwait(false);
            await underlay.Build().ConfigureAwait(false);
            return true;
        }, cancellation).ConfigureAwait(false);
        Services =
        [
            .. Options.Services.Select((name, i) => Planned(name, LabSpaceKind.Service, FirstService + i))
                .Select(Space(tool)),
        ];
        Hosts =
        [
            .. Options.Hosts.Select((name, i) => Planned(name, LabSpaceKind.Host, FirstHost + i))
                .Select(record => NewHost(tool, record)),
        ];
        for (var i = 0; i < Services.Count; i++)
        {
            await Plug(underlay, Services[i], FirstService + i, [], cancellation).ConfigureAwait(false);
        }

        for (var i = 0; i < Hosts.Count; i++)
        {
            await Plug(underlay, Hosts[i], FirstHost + i, LabHost.PrivateDirectories, cancellation)
                .ConfigureAwait(false);
        }

        using var vendor = LabTpmVendor.Of(Options.Directory);
        await Task.WhenAll(
            [
                .. Hosts.Select(host => Bounded(
                    host.Name, "start libvirt", token => host.StartLibvirt(Options.Hook?.Invoke(host.Name), token),
                    cancellation)),
                .. Hosts.Select(host => Bounded(
                    host.Name, $"start the TPM, {(host.Tpm.IsMade ? "made before" : "newly made")}",
                    token => host.Tpm.Start(vendor, token), cancellation)),
            ])
            .ConfigureAwait(false);
        _register.Change(state => state with { Phase = LabPhase.Up });
    }

    /// <summary>A host starts with an empty libvirt; what its other programs keep in its directory stays.</summary>
    private void ForgetLibvirt()
    {
        foreach (var path in Options.Hosts.SelectMany(host => LabHost.PrivateDirectories.Select(own =>
            Path.Combine(Options.Directory, "hosts", host, own[1..].Replace('/', '-')))).Where(Directory.Exists))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private Task<bool> Plug(
        Underlay underlay, LabSpace space, int number, IReadOnlyList<string> own, CancellationToken cancellation) =>
        Bounded(space.Name, $"make the namespaces and plug them in at {space.Address4}", async token =>
        {
            await space.Hold(own, token).ConfigureAwait(false);
            await underlay.Plug(space, number).ConfigureAwait(false);
            return true;
        }, cancellation);

    private async Task<T> Bounded<T>(
        string place, string sentence, Func<CancellationToken, Task<T>> step, CancellationToken cancellation)
    {
        Tell(place, sentence);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Options.StepLimit);
        try
        {
            return await step(bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new LabException(
                $"'{sentence}' took longer than {Options.StepLimit.TotalSeconds:0} s", place, "try with less load");
        }
    }

    private async Task Sweep(CancellationToken cancellation)
    {
        if (_register.Exists)
        {
            _register.Change(state => state with { Phase = LabPhase.Ending });
        }

        foreach (var name in await LabLeftovers.End(_register, cancellation).ConfigureAwait(false))
        {
            Tell(name, "ended");
        }

        _register.Forget();
    }

    private void Tell(string place, string sentence) => _progress?.Report(new LabStep(place, sentence));

    private static LabSpaceRecord Planned(string name, LabSpaceKind kind, int number) =>
        new(name, kind, Underlay.Address4(number), Underlay.Address6(number), null);

    private Func<LabSpaceRecord, LabSpace> Space(string tool) => record =>
        new LabSpace(_register, tool, DirectoryOf(record), record);

    private LabHost NewHost(string tool, LabSpaceRecord record) => new(_register, tool, DirectoryOf(record), record);

    private string DirectoryOf(LabSpaceRecord record) => record.Kind switch
    {
        LabSpaceKind.Fabric => Path.Combine(Options.Directory, FabricName),
        LabSpaceKind.Service => Path.Combine(Options.Directory, "services", record.Name),
        LabSpaceKind.Host => Path.Combine(Options.Directory, "hosts", record.Name),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
