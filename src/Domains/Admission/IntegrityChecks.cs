using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// The machine's own integrity: what the host measured of it against what its tenant's statements say. Files are held
/// against the image's statement itself, not against a plan that was made from it.
/// </summary>
internal static class IntegrityChecks
{
    public static void Add(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine, MachineMeasurement measured)
    {
        foreach (var (ofCommandLine, sentence) in measured.Differences())
        {
            refusals.Add(new(
                ofCommandLine ? AdmissionRefusalCode.CommandLineDiffers : AdmissionRefusalCode.DescriptionDiffers,
                $"What is about to start is not what {machine.Origin} describes: {sentence}", machine.Origin));
        }

        var name = new ImageRef(machine.Ref.Tenant, machine.Image).ToString();
        if (ground.Datacentre.Machinery.Images.GetValueOrDefault(name) is not { } image)
        {
            return;
        }

        File(refusals, measured, BootFileRole.Kernel, image.KernelSha256, image);
        File(refusals, measured, BootFileRole.Initrd, image.InitrdSha256, image);
        if (image.BootVolumeSha256 is { } volume)
        {
            File(refusals, measured, BootFileRole.BootVolume, volume, image);
        }

        if (machine.Firmware == MachineFirmware.Ovmf && image.FirmwareSha256 is { } firmware)
        {
            File(refusals, measured, BootFileRole.Firmware, firmware, image);
        }
    }

    private static void File(
        List<AdmissionRefusal> refusals, MachineMeasurement measured, BootFileRole role, string stated,
        ImageModel image)
    {
        var file = measured.File(role);
        if (file?.Sha256 == stated)
        {
            return;
        }

        var found = file switch
        {
            null => "none was measured",
            { Sha256: { } other } => $"the host has {other}",
            { Fault: var fault } => $"it cannot be read: {fault}",
        };
        refusals.Add(new(
            Code(role), $"{image.Origin} states the {WireText.Of(role)} {stated}, and {found}.", image.Origin));
    }

    private static AdmissionRefusalCode Code(BootFileRole role) => role switch
    {
        BootFileRole.Firmware => AdmissionRefusalCode.FirmwareDiffers,
        BootFileRole.Kernel => AdmissionRefusalCode.KernelDiffers,
        BootFileRole.Initrd => AdmissionRefusalCode.InitrdDiffers,
        BootFileRole.BootVolume => AdmissionRefusalCode.BootVolumeDiffers,
        _ => throw new UnreachableException(),
    };
}
