using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The TPM of a host of the lab: swtpm, in the host's namespaces, in the foreground, ended with them. Its keys, NV
/// indices and certificates lie in the host's directory and stay; its PCRs begin at zero whenever it starts.
/// </summary>
public sealed class LabTpm
{
    /// <summary>Its socket, as the host's programs see it.</summary>
    public const string Socket = LabHost.RuntimeDirectory + "/tpm.sock";

    private const string Program = "swtpm";
    private const TpmHash Bank = TpmHash.Sha256;
    private static readonly TimeSpan CommandTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly LabHost _host;
    private readonly LabRegister _register;

    internal LabTpm(LabHost host, LabRegister register)
    {
        _host = host;
        _register = register;
    }

    /// <summary>How programs inside the host reach it; goes into a Proxy's configuration.</summary>
    public static TpmAddress AddressInside => TpmAddress.Swtpm(Socket);

    /// <summary>How programs outside of the host reach it. It serves one at a time.</summary>
    public TpmAddress Address => TpmAddress.Swtpm(_host.PathInside(Socket));

    /// <summary>Where its state lies.</summary>
    public string StateDirectory => Path.Combine(Path.GetFullPath(_host.Directory), "tpm");

    /// <summary>Whether it exists already.</summary>
    public bool IsMade => LabTpmVendor.HasMade(StateDirectory);

    /// <summary>The running swtpm, or null.</summary>
    public LabProgram? Running => _register.Current.Programs
        .Where(one => one.Space == _host.Name && one.Program == Program && one.Process.IsAlive)
        .Select(one => new LabProgram(one.Program, one.Process, one.Log)).LastOrDefault();

    /// <summary>Ends it, as pulling the plug does.</summary>
    public async Task Stop(CancellationToken cancellation = default)
    {
        if (Running is { } program)
        {
            await program.Stop(Patience, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Resets the host's platform: the TPM starts anew, and the measurements of a boot are extended into it in their
    /// order. For hosts whose kernel is the lab's own and measured nothing: with the entries of a genuine boot log the
    /// PCRs are those of the machine that wrote it. Whoever had the TPM open has to open it again.
    /// </summary>
    /// <exception cref="TpmException">A measurement does not fit this TPM; see <see cref="PcrRegisters.Extend"/>. It
    /// has then been reset, and nothing extended.</exception>
    public async Task Boot(IReadOnlyList<PcrMeasurement> measurements, CancellationToken cancellation = default)
    {
        await Stop(cancellation).ConfigureAwait(false);
        await Run(cancellation).ConfigureAwait(false);
        using var tpm = TpmConnection.Open(Address, CommandTime);
        new PcrRegisters(tpm).Extend(measurements);
    }

    /// <summary>Resets the host's platform and boots it as a genuine log says, in the SHA-256 bank; the PCRs are then
    /// those that the log explains.</summary>
    /// <exception cref="LabException">They are not: the log's machine started at another locality than 0, which this
    /// TPM cannot.</exception>
    public async Task Boot(MeasuredBoot log, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(log);
        await Boot(
            [
                .. Enumerable.Range(0, log.Count).Where(i => log[i].Extends && !log[i].Digest(Bank).IsEmpty).Select(
                    i => new PcrMeasurement((int)log[i].Pcr, TpmHash.Sha256, log[i].Digest(Bank).ToArray())),
            ],
            cancellation).ConfigureAwait(false);
        var replay = BootReplay.Of(log, Bank);
        using var tpm = TpmConnection.Open(Address, CommandTime);
        var values = new PcrRegisters(tpm).Read(PcrSelection.Of(TpmHash.Sha256, replay.Touched)).Values;
        foreach (var one in values.All.Where(one => !replay.Value(one.Register).SequenceEqual(one.Value.Span)))
        {
            throw new LabException(
                $"PCR {one.Register} is not what the log explains", _host.Name,
                "use a log of a machine that started at locality 0");
        }
    }

    /// <summary>Makes it if it is not made, and starts it.</summary>
    internal async Task<LabProgram> Start(LabTpmVendor vendor, CancellationToken cancellation)
    {
        await vendor.Make(StateDirectory, _host.Name, cancellation).ConfigureAwait(false);
        return await Run(cancellation).ConfigureAwait(false);
    }

    private async Task<LabProgram> Run(CancellationToken cancellation)
    {
        await _host.Must("mkdir", "-p", LabHost.RuntimeDirectory).ConfigureAwait(false);
        await _host.Must("rm", "-f", Socket).ConfigureAwait(false);
        var log = Path.Combine(_host.Directory, "swtpm.log");
        var program = await _host.StartInside(
            [
                Program, "socket", "--tpm2", "--tpmstate", $"dir={StateDirectory},mode=0600",
                "--server", $"type=unixio,path={Socket},mode=0600", "--flags", "not-need-init,startup-clear",
                "--seccomp", "action=kill",
            ],
            null, log, cancellation).ConfigureAwait(false);
        for (var attempt = 0; attempt < 250 && program.IsAlive; attempt++)
        {
            if (File.Exists(_host.PathInside(Socket)))
            {
                return program;
            }

            await Task.Delay(20, cancellation).ConfigureAwait(false);
        }

        throw new LabException($"swtpm does not listen: {program.LogTail()}", $"{_host.Name}, {log}", "read the log");
    }
}
