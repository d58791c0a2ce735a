using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.HostTests.Lab;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.Proxy;

/// <summary>
/// One lab host with a real libvirt, a real Proxy, libvirt's hook in place, and a board of the test's own.
/// </summary>
internal sealed class ProxyHost : IAsyncDisposable
{
    private readonly LabDatacentre _lab;
    private LabProgram? _proxy;

    private ProxyHost(LabDatacentre lab, GuestImage image)
    {
        _lab = lab;
        Datacentre = new SignedDatacentre(image.KernelSha256, image.InitramfsSha256);
        Log = new TestLog(Datacentre.LogKey);
    }

    public LabHost Host => _lab.Hosts[0];

    public SignedDatacentre Datacentre { get; }

    public TestLog Log { get; }

    public BoardServer? Board { get; private set; }

    private static readonly string[] Listening = ["unix:/run/bailiwick/proxy.sock"];

    private string Root => Host.Directory;

    private string BoardSocket => Path.Combine(_lab.Options.Directory, "b.sock");

    /// <summary>Short: the path of a machine's socket has to fit into a socket's address (unix(7)).</summary>
    public const string ProxyDirectory = "/run/bailiwick/proxy";

    public static string HookSocket => "/run/bailiwick/hook.sock";

    public static async Task<ProxyHost> Up()
    {
        await LabFixture.SweepKilledRuns();
        GuestImage image = await GuestImage.Build(LabFixture.Cache);
        LabDatacentre lab = await LabDatacentre.Up(LabFixture.Options() with { Hosts = ["host-1"], Services = [] });
        ProxyHost host = new(lab, image);
        foreach (string directory in new[] { "pool", "images" })
        {
            Directory.CreateDirectory(Path.Combine(host.Root, directory));
        }

        File.Copy(image.KernelPath, Path.Combine(host.Root, "images", image.KernelSha256));
        File.Copy(image.InitramfsPath, Path.Combine(host.Root, "images", image.InitramfsSha256));
        await host.PlaceHook();
        return host;
    }

    public Task<ProbeChannel> Probe(SignedParty tenant, string party, string name) => ProbeChannel.Open(
        Host.PathInside($"{ProxyDirectory}/machines/{NameOf(tenant, name)}/probe.sock"), $"{party}/{name}",
        TimeSpan.FromSeconds(60));

    /// <summary>Publishes all statements so far and serves them.</summary>
    public async Task ServeBoard()
    {
        StatementBook book = StatementBook.Empty;
        foreach (byte[] envelope in Datacentre.Envelopes)
        {
            book = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope)).Next;
        }

        Log.Append(Datacentre.Envelopes);
        Board = await BoardServer.Start($"unix:{BoardSocket}", Log, book, Datacentre.Operator.Id);
    }

    public async Task StopBoard()
    {
        await (Board ?? throw new InvalidOperationException("no board")).DisposeAsync();
        Board = null;
    }

    public PlacementRow Placed(SignedParty tenant, string name, bool running = true) => new(
        SignedDatacentre.Machine(tenant, name).ToString(), Datacentre.Host(1).ToString(), running, "the test says so");

    public static string NameOf(SignedParty tenant, string name) =>
        Bailiwick.Proxy.Compartments.MachineLayout.NameOf(SignedDatacentre.Machine(tenant, name));

    public async Task StartProxy()
    {
        string key = Path.Combine(Root, "identity.pem");
        await File.WriteAllTextAsync(key, Datacentre.HostKey(1).ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string file = Path.Combine(Root, "proxy.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new
        {
            directory = ProxyDirectory,
            host = Datacentre.Host(1).ToString(),
            identityKey = key,
            listen = Listening,
            hookSocket = HookSocket,
            master = new { address = $"unix:{BoardSocket}", key = Board?.Key ?? new string('0', 64) },
            log = new { origin = SignedDatacentre.Origin, key = SignedParty.Base64(Datacentre.LogKey) },
            libvirt = "",
            tpm = "",
            measurements = new { boot = "", runtime = "" },
            pool = Path.Combine(Root, "pool"),
            images = Path.Combine(Root, "images"),
        }));
        _proxy = await Host.StartInside(
            [Program, "--config", file], null, Path.Combine(Root, "proxy.log"), TestContext.Current.CancellationToken);
    }

    /// <summary>Ends the Proxy as a power cut would.</summary>
    public async Task KillProxy()
    {
        LabProgram proxy = _proxy ?? throw new InvalidOperationException("no Proxy");
        await LabPrograms.Run(["kill", "-9", $"{proxy.Process.Pid}"]);
        await Until(() => Task.FromResult(!proxy.IsAlive), "the Proxy has ended");
    }

    public async Task<bool> Runs(string machineName) =>
        (await Host.Virsh("domstate", machineName)).Output.Trim() == "running";

    public async Task<string> Live() => string.Join('\n', await Host.LivePorts());

    public async Task Until(Func<Task<bool>> holds, string what, int seconds = 60)
    {
        for (int attempt = 0; attempt < seconds * 4; attempt++)
        {
            if (await holds())
            {
                return;
            }

            await Task.Delay(250, TestContext.Current.CancellationToken);
        }

        string report = Board?.Newest is { } newest ? JsonSerializer.Serialize(newest) : "no report";
        Assert.Fail($"Not within {seconds} s: {what}.\n{_proxy?.LogTail()}\n{report}");
    }

    public async ValueTask DisposeAsync()
    {
        if (Board is not null)
        {
            await Board.DisposeAsync();
        }

        await _lab.DisposeAsync();
        Datacentre.Dispose();
        Directory.Delete(_lab.Options.Directory, recursive: true);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "Bailiwick.Proxy");

    /// <summary>
    /// libvirt looks for its hook only when it starts, so it is started again after the hook is in place.
    /// </summary>
    private async Task PlaceHook()
    {
        string hook = Host.PathInside("/etc/libvirt/hooks/qemu");
        await File.WriteAllTextAsync(
            hook, $"#!/bin/sh\nexec {Program} hook --socket {HookSocket} \"$2\" \"$3\" \"$1\"\n");
        File.SetUnixFileMode(hook, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string pid = (await Host.Must("cat", "/run/libvirtd.pid")).Trim();
        await Host.Must("kill", pid);
        await Until(async () => (await Host.Run(["kill", "-0", pid])).ExitCode != 0, "libvirtd has ended");
        await Host.StartInside(
            ["libvirtd", "-f", "/etc/libvirt/libvirtd.conf"], null, Path.Combine(Root, "libvirtd.log"));
        await Until(async () => (await Host.Virsh("list")).ExitCode == 0, "libvirtd answers");
    }
}
