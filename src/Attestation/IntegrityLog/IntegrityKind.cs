using System.Diagnostics;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>What a host writes into its integrity log. Closed; <see cref="IntegrityKinds"/> has the names.</summary>
public enum IntegrityKind
{
    /// <summary>A machine was admitted.</summary>
    Admission = 1,

    /// <summary>A machine was refused.</summary>
    Refusal,

    /// <summary>A plan takes effect; the whole of it, for the operator to show.</summary>
    Plan,

    /// <summary>One domain's part of a plan takes effect, or ends with an empty detail.</summary>
    PlanPart,

    /// <summary>A machine's port was opened.</summary>
    PortOpened,

    /// <summary>A machine's port was closed.</summary>
    PortClosed,

    /// <summary>A volume's key has come, and the volume is about to be opened with it.</summary>
    VolumeOpened,

    /// <summary>A volume's machine has ended; its key is about to be given back.</summary>
    VolumeClosed,

    /// <summary>The tenant's key service has a volume's key back.</summary>
    VolumeReturned,

    /// <summary>
    /// A key is about to be opened again for a restart, without its key service, under the restart lease it gave.
    /// </summary>
    KeyReopened,

    /// <summary>A machine was started.</summary>
    MachineStarted,

    /// <summary>A machine stopped or was stopped.</summary>
    MachineStopped,

    /// <summary>Something was found to differ from the plan.</summary>
    Drift,

    /// <summary>A statement was refused.</summary>
    StatementRefused,

    /// <summary>Someone read what belongs to a tenant: a console, a machine's memory, a plan.</summary>
    ManagementRead,

    /// <summary>A machine's processors are about to be stopped, because the host lost the trust of a domain.</summary>
    MachinePaused,

    /// <summary>A machine's processors are about to run again.</summary>
    MachineResumed,

    /// <summary>
    /// The host started anew; the register begins at zero here. The subject is the boot, the detail the head before.
    /// </summary>
    Boot,

    /// <summary>What was measured of a machine that is about to start; written before it is decided upon.</summary>
    MachineMeasured,

    /// <summary>The Proxy started; the detail is which software it is.</summary>
    Software,

    /// <summary>A device is about to be attached to a machine.</summary>
    DeviceAttached,

    /// <summary>A machine that had devices has ended.</summary>
    DeviceDetached,

    /// <summary>Something of a tenant's is about to be erased for good.</summary>
    Erasure,

    /// <summary>It is erased; the detail is how far.</summary>
    Erased,

    /// <summary>A domain's gateway is about to pass less; the detail is what, and which revision closed it.</summary>
    FlowClosed,
}

/// <summary>
/// The names of the kinds on the wire. A host writes only those of <see cref="IntegrityKind"/>; a verifier follows logs
/// with kinds that came later, so that a new device of hosts changes no verifier.
/// </summary>
public static class IntegrityKinds
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxNameLength = 40;

    /// <summary>All kinds, in the order of their declaration.</summary>
    public static IReadOnlyList<IntegrityKind> All { get; } = Enum.GetValues<IntegrityKind>();

    /// <summary>The name on the wire.</summary>
    public static string WireName(this IntegrityKind kind) => kind switch
    {
        IntegrityKind.Admission => "admission",
        IntegrityKind.Refusal => "refusal",
        IntegrityKind.Plan => "plan",
        IntegrityKind.PlanPart => "plan-part",
        IntegrityKind.PortOpened => "port-opened",
        IntegrityKind.PortClosed => "port-closed",
        IntegrityKind.VolumeOpened => "volume-opened",
        IntegrityKind.VolumeClosed => "volume-closed",
        IntegrityKind.VolumeReturned => "volume-returned",
        IntegrityKind.KeyReopened => "key-reopened",
        IntegrityKind.MachineStarted => "machine-started",
        IntegrityKind.MachineStopped => "machine-stopped",
        IntegrityKind.Drift => "drift",
        IntegrityKind.StatementRefused => "statement-refused",
        IntegrityKind.ManagementRead => "management-read",
        IntegrityKind.MachinePaused => "machine-paused",
        IntegrityKind.MachineResumed => "machine-resumed",
        IntegrityKind.Boot => "boot",
        IntegrityKind.MachineMeasured => "machine-measured",
        IntegrityKind.Software => "software",
        IntegrityKind.DeviceAttached => "device-attached",
        IntegrityKind.DeviceDetached => "device-detached",
        IntegrityKind.Erasure => "erasure",
        IntegrityKind.Erased => "erased",
        IntegrityKind.FlowClosed => "flow-closed",
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether a text can name a kind: words of lower-case letters and digits, joined by hyphens.</summary>
    public static bool IsName(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterLower(text[0]) && text[^1] != '-'
            && !text.Contains("--", StringComparison.Ordinal)
            && text.All(c => c == '-' || char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));
    }

    /// <summary>Reads a name exactly as <see cref="WireName"/> writes it; null for any other.</summary>
    public static IntegrityKind? Parse(string? name)
    {
        foreach (var kind in All)
        {
            if (string.Equals(kind.WireName(), name, StringComparison.Ordinal))
            {
                return kind;
            }
        }

        return null;
    }
}
