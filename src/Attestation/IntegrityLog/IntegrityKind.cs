using System.Diagnostics;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>What a host writes into its integrity log. Closed; <see cref="IntegrityKinds"/> has the names.</summary>
public enum IntegrityKind
{
    /// <summary>A machine was admitted.</summary>
    Admission = 1,

    /// <summary>A machine was refused.</summary>
    Refusal,

    /// <summary>A plan takes effect.</summary>
    Plan,

    /// <summary>A machine's port was opened.</summary>
    PortOpened,

    /// <summary>A machine's port was closed.</summary>
    PortClosed,

    /// <summary>A volume was opened with its key.</summary>
    VolumeOpened,

    /// <summary>A volume was closed and given back.</summary>
    VolumeReturned,

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

    /// <summary>A machine's processors were stopped, because the host lost the trust of a domain.</summary>
    MachinePaused,

    /// <summary>A machine's processors run again.</summary>
    MachineResumed,

    /// <summary>The host started anew; the register begins at zero here. The subject is the boot.</summary>
    Boot,

    /// <summary>What was measured of a machine that is about to start; written before it is decided upon.</summary>
    MachineMeasured,
}

/// <summary>The names of the kinds on the wire.</summary>
public static class IntegrityKinds
{
    /// <summary>All kinds, in the order of their declaration.</summary>
    public static IReadOnlyList<IntegrityKind> All { get; } = Enum.GetValues<IntegrityKind>();

    /// <summary>The name on the wire.</summary>
    public static string WireName(this IntegrityKind kind) => kind switch
    {
        IntegrityKind.Admission => "admission",
        IntegrityKind.Refusal => "refusal",
        IntegrityKind.Plan => "plan",
        IntegrityKind.PortOpened => "port-opened",
        IntegrityKind.PortClosed => "port-closed",
        IntegrityKind.VolumeOpened => "volume-opened",
        IntegrityKind.VolumeReturned => "volume-returned",
        IntegrityKind.MachineStarted => "machine-started",
        IntegrityKind.MachineStopped => "machine-stopped",
        IntegrityKind.Drift => "drift",
        IntegrityKind.StatementRefused => "statement-refused",
        IntegrityKind.ManagementRead => "management-read",
        IntegrityKind.MachinePaused => "machine-paused",
        IntegrityKind.MachineResumed => "machine-resumed",
        IntegrityKind.Boot => "boot",
        IntegrityKind.MachineMeasured => "machine-measured",
        _ => throw new UnreachableException(),
    };

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
