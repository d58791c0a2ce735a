using System.Globalization;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// Types of events (TCG PC Client Platform Firmware Profile 1.06, section 10.4.1). Not closed: firmware invents more.
/// A type is not measured, so nothing may be believed because of it alone.
/// </summary>
public enum BootEventType : uint
{
    /// <summary>EV_PREBOOT_CERT, reserved.</summary>
    PrebootCert = 0,
    /// <summary>EV_POST_CODE.</summary>
    PostCode = 1,
    /// <summary>EV_UNUSED, reserved.</summary>
    Unused = 2,
    /// <summary>EV_NO_ACTION: tells something and extends nothing.</summary>
    NoAction = 3,
    /// <summary>EV_SEPARATOR: ends what the firmware does by itself.</summary>
    Separator = 4,
    /// <summary>EV_ACTION.</summary>
    Action = 5,
    /// <summary>EV_EVENT_TAG: tagged data of an operating system.</summary>
    EventTag = 6,
    /// <summary>EV_S_CRTM_CONTENTS.</summary>
    CrtmContents = 7,
    /// <summary>EV_S_CRTM_VERSION: the firmware's version.</summary>
    CrtmVersion = 8,
    /// <summary>EV_CPU_MICROCODE.</summary>
    CpuMicrocode = 9,
    /// <summary>EV_PLATFORM_CONFIG_FLAGS.</summary>
    PlatformConfigFlags = 0xA,
    /// <summary>EV_TABLE_OF_DEVICES.</summary>
    TableOfDevices = 0xB,
    /// <summary>EV_COMPACT_HASH.</summary>
    CompactHash = 0xC,
    /// <summary>EV_IPL: what boot loaders measure.</summary>
    Ipl = 0xD,
    /// <summary>EV_IPL_PARTITION_DATA.</summary>
    IplPartitionData = 0xE,
    /// <summary>EV_NONHOST_CODE.</summary>
    NonhostCode = 0xF,
    /// <summary>EV_NONHOST_CONFIG.</summary>
    NonhostConfig = 0x10,
    /// <summary>EV_NONHOST_INFO.</summary>
    NonhostInfo = 0x11,
    /// <summary>EV_OMIT_BOOT_DEVICE_EVENTS.</summary>
    OmitBootDeviceEvents = 0x12,
    /// <summary>EV_POST_CODE2.</summary>
    PostCode2 = 0x13,
    /// <summary>EV_EFI_VARIABLE_DRIVER_CONFIG: SecureBoot, PK, KEK, db, dbx.</summary>
    EfiVariableDriverConfig = 0x8000_0001,
    /// <summary>EV_EFI_VARIABLE_BOOT.</summary>
    EfiVariableBoot = 0x8000_0002,
    /// <summary>EV_EFI_BOOT_SERVICES_APPLICATION: a loader, or a kernel with an EFI stub.</summary>
    EfiBootServicesApplication = 0x8000_0003,
    /// <summary>EV_EFI_BOOT_SERVICES_DRIVER.</summary>
    EfiBootServicesDriver = 0x8000_0004,
    /// <summary>EV_EFI_RUNTIME_SERVICES_DRIVER.</summary>
    EfiRuntimeServicesDriver = 0x8000_0005,
    /// <summary>EV_EFI_GPT_EVENT.</summary>
    EfiGpt = 0x8000_0006,
    /// <summary>EV_EFI_ACTION.</summary>
    EfiAction = 0x8000_0007,
    /// <summary>EV_EFI_PLATFORM_FIRMWARE_BLOB.</summary>
    EfiPlatformFirmwareBlob = 0x8000_0008,
    /// <summary>EV_EFI_HANDOFF_TABLES.</summary>
    EfiHandoffTables = 0x8000_0009,
    /// <summary>EV_EFI_PLATFORM_FIRMWARE_BLOB2.</summary>
    EfiPlatformFirmwareBlob2 = 0x8000_000A,
    /// <summary>EV_EFI_HANDOFF_TABLES2.</summary>
    EfiHandoffTables2 = 0x8000_000B,
    /// <summary>EV_EFI_VARIABLE_BOOT2.</summary>
    EfiVariableBoot2 = 0x8000_000C,
    /// <summary>EV_EFI_GPT_EVENT2.</summary>
    EfiGpt2 = 0x8000_000D,
    /// <summary>EV_EFI_HCRTM_EVENT.</summary>
    EfiHcrtm = 0x8000_0010,
    /// <summary>EV_EFI_VARIABLE_AUTHORITY: the entry of a database that vouched for an image.</summary>
    EfiVariableAuthority = 0x8000_00E0,
    /// <summary>EV_EFI_SPDM_FIRMWARE_BLOB.</summary>
    EfiSpdmFirmwareBlob = 0x8000_00E1,
    /// <summary>EV_EFI_SPDM_FIRMWARE_CONFIG.</summary>
    EfiSpdmFirmwareConfig = 0x8000_00E2,
}

/// <summary>Names of event types.</summary>
public static class BootEventTypes
{
    private static readonly Dictionary<BootEventType, string> Names = new()
    {
        [BootEventType.PrebootCert] = "EV_PREBOOT_CERT",
        [BootEventType.PostCode] = "EV_POST_CODE",
        [BootEventType.Unused] = "EV_UNUSED",
        [BootEventType.NoAction] = "EV_NO_ACTION",
        [BootEventType.Separator] = "EV_SEPARATOR",
        [BootEventType.Action] = "EV_ACTION",
        [BootEventType.EventTag] = "EV_EVENT_TAG",
        [BootEventType.CrtmContents] = "EV_S_CRTM_CONTENTS",
        [BootEventType.CrtmVersion] = "EV_S_CRTM_VERSION",
        [BootEventType.CpuMicrocode] = "EV_CPU_MICROCODE",
        [BootEventType.PlatformConfigFlags] = "EV_PLATFORM_CONFIG_FLAGS",
        [BootEventType.TableOfDevices] = "EV_TABLE_OF_DEVICES",
        [BootEventType.CompactHash] = "EV_COMPACT_HASH",
        [BootEventType.Ipl] = "EV_IPL",
        [BootEventType.IplPartitionData] = "EV_IPL_PARTITION_DATA",
        [BootEventType.NonhostCode] = "EV_NONHOST_CODE",
        [BootEventType.NonhostConfig] = "EV_NONHOST_CONFIG",
        [BootEventType.NonhostInfo] = "EV_NONHOST_INFO",
        [BootEventType.OmitBootDeviceEvents] = "EV_OMIT_BOOT_DEVICE_EVENTS",
        [BootEventType.PostCode2] = "EV_POST_CODE2",
        [BootEventType.EfiVariableDriverConfig] = "EV_EFI_VARIABLE_DRIVER_CONFIG",
        [BootEventType.EfiVariableBoot] = "EV_EFI_VARIABLE_BOOT",
        [BootEventType.EfiBootServicesApplication] = "EV_EFI_BOOT_SERVICES_APPLICATION",
        [BootEventType.EfiBootServicesDriver] = "EV_EFI_BOOT_SERVICES_DRIVER",
        [BootEventType.EfiRuntimeServicesDriver] = "EV_EFI_RUNTIME_SERVICES_DRIVER",
        [BootEventType.EfiGpt] = "EV_EFI_GPT_EVENT",
        [BootEventType.EfiAction] = "EV_EFI_ACTION",
        [BootEventType.EfiPlatformFirmwareBlob] = "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        [BootEventType.EfiHandoffTables] = "EV_EFI_HANDOFF_TABLES",
        [BootEventType.EfiPlatformFirmwareBlob2] = "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        [BootEventType.EfiHandoffTables2] = "EV_EFI_HANDOFF_TABLES2",
        [BootEventType.EfiVariableBoot2] = "EV_EFI_VARIABLE_BOOT2",
        [BootEventType.EfiGpt2] = "EV_EFI_GPT_EVENT2",
        [BootEventType.EfiHcrtm] = "EV_EFI_HCRTM_EVENT",
        [BootEventType.EfiVariableAuthority] = "EV_EFI_VARIABLE_AUTHORITY",
        [BootEventType.EfiSpdmFirmwareBlob] = "EV_EFI_SPDM_FIRMWARE_BLOB",
        [BootEventType.EfiSpdmFirmwareConfig] = "EV_EFI_SPDM_FIRMWARE_CONFIG",
    };

    /// <summary>The name in the specification, or the number in hexadecimal digits.</summary>
    public static string Name(this BootEventType type) =>
        Names.GetValueOrDefault(type) ?? string.Create(CultureInfo.InvariantCulture, $"0x{(uint)type:x8}");
}
