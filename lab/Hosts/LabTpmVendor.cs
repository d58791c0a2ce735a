using System.Globalization;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The lab's TPM vendor: a certificate authority of the lab's own that certifies the endorsement key of each TPM it
/// makes, as a chip's vendor does. All of it lies in one directory; nothing of the machine's own swtpm authority is
/// used or changed. Whoever trusts <see cref="RootsFile"/> trusts software TPMs: it belongs in labs only.
/// </summary>
public sealed class LabTpmVendor : IDisposable
{
    /// <summary>What it needs.</summary>
    public static readonly IReadOnlyList<string> Programs = ["swtpm", "swtpm_setup", "swtpm_localca", "certtool"];

    private const string Finished = "made";
    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan MakingLimit = TimeSpan.FromSeconds(60);

    // Making a TPM is searching for primes; one at a time for the first, because it makes the authority.
    private readonly SemaphoreSlim _first = new(1);
    private readonly SemaphoreSlim _places = new(Math.Max(2, Environment.ProcessorCount));
    private readonly string _directory;

    private LabTpmVendor(string directory) => _directory = directory;

    /// <summary>The root certificate, PEM.</summary>
    public string RootsFile => Path.Combine(_directory, "roots.pem");

    /// <summary>The certificate between the root and the TPMs' own, PEM.</summary>
    public string IntermediatesFile => Path.Combine(_directory, "intermediates.pem");

    /// <summary>The vendor of a lab, in <c>tpm-vendor</c> below the lab's directory.</summary>
    public static LabTpmVendor Of(string labDirectory) =>
        new(Path.Combine(Path.GetFullPath(labDirectory), "tpm-vendor"));

    /// <summary>Whether a TPM was made completely in this directory.</summary>
    public static bool HasMade(string stateDirectory) => File.Exists(Path.Combine(stateDirectory, Finished));

    /// <summary>Makes a TPM 2.0 with its endorsement keys, the certificates and a SHA-256 bank, unless it is there.
    /// </summary>
    /// <param name="stateDirectory">Its own directory, absolute.</param>
    /// <param name="name">The name in its certificate's subject.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="LabException">swtpm_setup failed; the message has its last lines.</exception>
    public async Task Make(string stateDirectory, string name, CancellationToken cancellation = default)
    {
        if (HasMade(stateDirectory))
        {
            return;
        }

        await _first.WaitAsync(cancellation).ConfigureAwait(false);
        var isFirst = !File.Exists(RootsFile);
        if (!isFirst)
        {
            _first.Release();
        }

        try
        {
            await _places.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                await Setup(stateDirectory, name, cancellation).ConfigureAwait(false);
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            if (isFirst)
            {
                _first.Release();
            }
        }
    }

    public void Dispose()
    {
        _first.Dispose();
        _places.Dispose();
    }

    private async Task Setup(string stateDirectory, string name, CancellationToken cancellation)
    {
        WriteSettings();
        if (Directory.Exists(stateDirectory))
        {
            // What an interrupted making left has keys without certificates.
            Directory.Delete(stateDirectory, recursive: true);
        }

        Directory.CreateDirectory(stateDirectory, Private);
        var log = Path.Combine(stateDirectory, "making.log");
        string[] make =
        [
            "swtpm_setup", "--tpm2", "--tpmstate", $"dir://{stateDirectory}", "--create-ek-cert", "--vmid", name,
            "--pcr-banks", "sha256", "--overwrite", "--config", SetupConf, "--logfile", log,
        ];
        var result = await LabPrograms.Run(make, timeout: MakingLimit, cancellation: cancellation)
            .ConfigureAwait(false);
        if (result.ExitCode != 0)
        {
            // A program of a builder that was killed can still be writing certificates of the same vendor.
            result = await LabPrograms.Run(make, timeout: MakingLimit, cancellation: cancellation)
                .ConfigureAwait(false);
        }

        if (result.ExitCode != 0)
        {
            var said = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(6)) : result.Error.Trim();
            throw new LabException($"swtpm_setup, exit code {result.ExitCode}: {said}", log, "read the log");
        }

        File.Copy(Path.Combine(_directory, "issuercert.pem"), IntermediatesFile, overwrite: true);
        File.Copy(Path.Combine(_directory, "swtpm-localca-rootca-cert.pem"), RootsFile, overwrite: true);
        await File.WriteAllTextAsync(
            Path.Combine(stateDirectory, Finished), string.Create(CultureInfo.InvariantCulture, $"{name}\n"),
            cancellation).ConfigureAwait(false);
    }

    private string SetupConf => Path.Combine(_directory, "setup.conf");

    /// <summary>The settings of swtpm_setup(8) and swtpm_localca(8), so that neither reads those in /etc.</summary>
    private void WriteSettings()
    {
        if (File.Exists(SetupConf))
        {
            return;
        }

        Directory.CreateDirectory(_directory, Private);
        var authority = Path.Combine(_directory, "authority.conf");
        var options = Path.Combine(_directory, "authority.options");
        File.WriteAllText(
            authority,
            $"""
            statedir = {_directory}
            signingkey = {_directory}/signkey.pem
            issuercert = {_directory}/issuercert.pem
            certserial = {_directory}/certserial

            """);
        File.WriteAllText(
            options, "--platform-manufacturer Bailiwick\n--platform-version 1\n--platform-model lab\n");
        File.WriteAllText(
            SetupConf,
            $"""
            create_certs_tool = {LabPrograms.Find("swtpm_localca")}
            create_certs_tool_config = {authority}
            create_certs_tool_options = {options}

            """);
    }
}
