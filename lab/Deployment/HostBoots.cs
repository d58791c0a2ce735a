using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Wire;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.Lab.Deployment;

/// <summary>
/// Starts hosts' platforms: what a real boot measured is extended into the host's TPM, in its order. The lab's TPMs
/// have one bank, SHA-256.
/// </summary>
internal static class HostBoots
{
    /// <summary>
    /// SHA-256 of the SubjectPublicKeyInfo of the endorsement key in a host's TPM, hex: what an operator reads off a
    /// machine it bought.
    /// </summary>
    public static string EndorsementKeyOf(LabPaths paths, LabHost host)
    {
        ArgumentNullException.ThrowIfNull(paths);
        using TpmConnection tpm = TpmConnection.Open(host.Tpm.Address);
        EndorsementKey endorsement = EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048);
        File.WriteAllBytes(ShownFile(paths, host.Name), StrictJson.Write(new EnrolmentClaimBody(
            Convert.ToBase64String((endorsement.ReadCertificate() ?? default).Span),
            Convert.ToBase64String(endorsement.Public.Write()),
            Convert.ToBase64String(AttestationKey.OpenOrCreate(tpm).Public.Write()))));
        return endorsement.Public.Key is { } key
            ? key.Id.Hex
            : throw new LabException("the TPM's endorsement key cannot be read", host.Name, "lab down, then up");
    }

    /// <summary>What everybody may know of a host's TPM: its certificate and its public keys.</summary>
    public static EnrolmentClaimBody Shown(LabPaths paths, string host) =>
        StrictJson.Read<EnrolmentClaimBody>(File.ReadAllBytes(ShownFile(paths, host)));

    /// <summary>
    /// What the kernel does when a program is written to while it is measured: an entry that says so, and a register
    /// that no honest list gives any more (IMA, "violation").
    /// </summary>
    public static async Task Tamper(LabPaths paths, LabHost host, string path, CancellationToken cancellation)
    {
        using (TpmConnection tpm = TpmConnection.Open(host.Tpm.Address))
        {
            byte[] ones = new byte[TpmHash.Sha256.Size()];
            Array.Fill(ones, (byte)0xff);
            new PcrRegisters(tpm).Extend(new PcrMeasurement(EvidenceRegisters.RuntimeLog, TpmHash.Sha256, ones));
        }

        await File.AppendAllBytesAsync(paths.RuntimeLog(host.Name), Violation(path), cancellation)
            .ConfigureAwait(false);
    }

    private static string ShownFile(LabPaths paths, string host) => Path.Combine(paths.Enrolled, host + ".tpm.json");

    /// <summary>An entry of the template ima-sig whose digests are zero, as the kernel writes a violation.</summary>
    private static byte[] Violation(string path)
    {
        byte[] digest = [.. "sha256:\0"u8, .. new byte[32]], name = [.. Encoding.UTF8.GetBytes(path), 0];
        using MemoryStream entry = new();
        using BinaryWriter writer = new(entry);
        writer.Write(EvidenceRegisters.RuntimeLog);
        writer.Write(new byte[20]);
        writer.Write(7);
        writer.Write("ima-sig"u8);
        writer.Write(4 + digest.Length + 4 + name.Length + 4);
        foreach (byte[] field in new[] { digest, name, [] })
        {
            writer.Write(field.Length);
            writer.Write(field);
        }

        return entry.ToArray();
    }

    /// <summary>Resets a host's platform and boots it: TPM and logs are then those of the measured boot.</summary>
    public static async Task Boot(
        LabPaths paths, LabHost host, HostMeasurements measured, CancellationToken cancellation)
    {
        string boot = paths.BootLog(host.Name), runtime = paths.RuntimeLog(host.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(boot) ?? paths.Root);
        await File.WriteAllBytesAsync(boot, measured.BootLog, cancellation).ConfigureAwait(false);
        await File.WriteAllBytesAsync(runtime, measured.RuntimeLog, cancellation).ConfigureAwait(false);
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
