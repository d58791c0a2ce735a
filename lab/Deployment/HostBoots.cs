using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.Lab.Deployment;

/// <summary>
/// Starts hosts' platforms: what a real boot measured is extended into the host's TPM, in its order. The lab's TPMs have
/// one bank, SHA-256.
/// </summary>
internal static class HostBoots
{
    /// <summary>
    /// SHA-256 of the SubjectPublicKeyInfo of the endorsement key in a host's TPM, hex: what an operator reads off a
    /// machine it bought.
    /// </summary>
    public static string EndorsementKeyOf(LabHost host)
    {
        using TpmConnection tpm = TpmConnection.Open(host.Tpm.Address);
        return EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048).Public.Key is { } key
            ? key.Id.Hex
            : throw new LabException("the TPM's endorsement key cannot be read", host.Name, "lab down, then up");
    }

    /// <summary>Resets a host's platform and boots it: TPM and logs are then those of the measured boot.</summary>
    public static async Task Boot(
        LabPaths paths, LabHost host, HostMeasurements measured, CancellationToken cancellation)
    {
        string directory = paths.Measured(host.Name);
        Directory.CreateDirectory(directory);
        await File.WriteAllBytesAsync(Path.Combine(directory, "boot.log"), measured.BootLog, cancellation)
            .ConfigureAwait(false);
        await File.WriteAllBytesAsync(Path.Combine(directory, "runtime.log"), measured.RuntimeLog, cancellation)
            .ConfigureAwait(false);
        MeasuredBoot log = MeasuredBoot.Read(measured.BootLog.Span) is BootLogReading.Understood { Log: var read }
            ? read
            : throw new LabException("the measured boot log cannot be read", "the host image", "empty the cache");
        await host.Tpm.Boot(log, cancellation).ConfigureAwait(false);
        using TpmConnection tpm = TpmConnection.Open(host.Tpm.Address);
        new PcrRegisters(tpm).Extend(Kernel(measured.RuntimeLog.Span));
    }

    /// <summary>The kernel extends into each bank the digest of the template's data by that bank's hash.</summary>
    private static List<PcrMeasurement> Kernel(ReadOnlySpan<byte> log)
    {
        List<PcrMeasurement> all = [];
        RuntimeLogReader reader = new(log);
        while (reader.TryRead(out RuntimeEntry entry))
        {
            all.Add(new PcrMeasurement(
                (int)entry.Pcr, TpmHash.Sha256, TpmHash.Sha256.Digest(entry.TemplateData)));
        }

        return all;
    }
}
