using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Domains.Admission;

/// <summary>What a machine boots from, in the order in which it is measured.</summary>
public enum BootFileRole
{
    /// <summary>UEFI firmware.</summary>
    Firmware = 1,
    /// <summary>The kernel.</summary>
    Kernel,
    /// <summary>The initial file system.</summary>
    Initrd,
    /// <summary>The whole content of the first disk, as the machine reads it.</summary>
    BootVolume,
}

/// <summary>One boot file as the host found it.</summary>
/// <param name="Role">What it is to the machine.</param>
/// <param name="Sha256">Its digest, lower hex; null when it could not be read.</param>
/// <param name="Fault">Why it could not be read; empty when it was.</param>
public sealed record MeasuredFile(BootFileRole Role, string? Sha256, string Fault);

/// <summary>
/// What a host measured of a machine that is about to start, before it starts: its description in canonical form, and
/// the files it boots from. The host records it before the start, whatever the decision is.
/// </summary>
/// <param name="Compartment">The machine.</param>
/// <param name="Planned">What the plan describes.</param>
/// <param name="Found">What the hypervisor is about to start.</param>
/// <param name="Files">The boot files, by role.</param>
public sealed record MachineMeasurement(
    CompartmentRef Compartment, MachineDescription Planned, MachineDescription Found,
    ImmutableArray<MeasuredFile> Files)
{
    private const string CommandLinePath = "domain/os/cmdline";

    /// <summary>The file of a role; null when the host measured none.</summary>
    public MeasuredFile? File(BootFileRole role) => Files.FirstOrDefault(file => file.Role == role);

    /// <summary>
    /// Canonical JSON (RFC 8785): the digests of the description, of the kernel's command line in UTF-8, and of each
    /// file; null for a file that could not be read.
    /// </summary>
    public byte[] Write()
    {
        var line = Found.Facts.GetValueOrDefault(CommandLinePath) ?? "";
        var files = new JsonObject();
        foreach (var file in Files)
        {
            files[WireText.Of(file.Role)] = file.Sha256;
        }

        return CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["bailiwick"] = "machine-measurement/v1",
            ["compartment"] = Compartment.ToString(),
            ["description"] = Found.Digest.Hex,
            ["commandLine"] = Digest32.Of(Encoding.UTF8.GetBytes(line)).Hex,
            ["files"] = files,
        }));
    }

    internal IEnumerable<(bool OfCommandLine, string Sentence)> Differences() => MachineDescription
        .Differences(Planned, Found)
        .Select(sentence => (
            sentence.StartsWith(CommandLinePath + " ", StringComparison.Ordinal), sentence));
}
