using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Lab.Hosts;
using Bailiwick.Tpm;

namespace Bailiwick.HostTests.Tpm;

/// <summary>A software TPM of a test's own, in a directory of its own, with the certificates of a vendor of its own.
/// </summary>
public sealed class PrivateSwtpm : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private Process? _process;

    public static PcrSelection AllPcrs { get; } = PcrSelection.Of(TpmHash.Sha256, Enumerable.Range(0, 24));

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("bailiwick-tpm-").FullName;

    public string Socket => Path.Combine(Directory, "t.sock");

    public TpmAddress Address => TpmAddress.Swtpm(Socket);

    public string RootsFile => Path.Combine(Directory, "tpm-vendor", "roots.pem");

    public string IntermediatesFile => Path.Combine(Directory, "tpm-vendor", "intermediates.pem");

    public string State => Path.Combine(Directory, "state");

    public async ValueTask InitializeAsync()
    {
        using (var vendor = LabTpmVendor.Of(Directory))
        {
            await vendor.Make(State, "private");
        }

        PowerOn();
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        System.IO.Directory.Delete(Directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    public TpmConnection Open(TimeSpan? limit = null) => TpmConnection.Open(Address, limit ?? Limit);

    /// <summary>Ends it and starts it again: the PCRs begin anew, the keys stay.</summary>
    public void PowerCycle()
    {
        Kill();
        PowerOn();
    }

    public void PowerOn()
    {
        File.Delete(Socket);
        File.Delete(Socket + ".ctrl");
        var start = new ProcessStartInfo("swtpm") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])
            [
                "socket", "--tpm2", "--tpmstate", $"dir={State},mode=0600", "--server",
                $"type=unixio,path={Socket}", "--ctrl", $"type=unixio,path={Socket}.ctrl", "--flags",
                "not-need-init,startup-clear",
            ])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("swtpm does not start");
        for (var i = 0; i < 250 && !Listens(); i++)
        {
            Thread.Sleep(20);
        }

        Assert.True(Listens(), "swtpm does not listen");
    }

    /// <summary>The file of the socket is there a moment before anybody listens to it.</summary>
    private bool Listens()
    {
        using var socket =
            new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Kill()
    {
        _process?.Kill();
        _process?.WaitForExit(5000);
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Stops it where it is (SIGSTOP), or lets it go on.</summary>
    public async Task Signal(string name) => (await LabPrograms.Run(
        ["kill", $"-{name}", (_process?.Id ?? 0).ToString(CultureInfo.InvariantCulture)])).Expect("kill", name);

    /// <summary>Runs a program of tpm2-tools against it, while nobody else has it open.</summary>
    public async Task<string> Tool(params string[] argv) =>
        (await ToolResult(argv)).Expect(string.Join(' ', argv), "tpm2-tools").Output;

    public Task<LabProgramResult> ToolResult(params string[] argv) => LabPrograms.Run(
        argv, timeout: Limit,
        environment: new Dictionary<string, string> { ["TPM2TOOLS_TCTI"] = $"swtpm:path={Socket}" });

    public string PathOf(string file) => Path.Combine(Directory, file);
}
