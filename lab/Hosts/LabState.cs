namespace Bailiwick.Lab.Hosts;

/// <summary>How far a lab is.</summary>
public enum LabPhase
{
    /// <summary>Being built; if nobody holds the lock, its builder died.</summary>
    Building,

    /// <summary>Everything answers.</summary>
    Up,

    /// <summary>Being taken down.</summary>
    Ending,
}

/// <summary>Whose life a lab shares.</summary>
public enum LabOwner
{
    /// <summary>Of the process that holds the lock; a lab whose owner died is a leftover.</summary>
    Process,

    /// <summary>Of nobody: it stays until it is taken down.</summary>
    Detached,
}

/// <summary>What a set of namespaces stands for.</summary>
public enum LabSpaceKind
{
    /// <summary>The wire between the machines.</summary>
    Fabric,

    /// <summary>A place for the Master, a key service or another program on the underlay.</summary>
    Service,

    /// <summary>A host with its own libvirt.</summary>
    Host,
}

/// <summary>One set of namespaces as it is written down; no process while it is only intended.</summary>
public sealed record LabSpaceRecord(
    string Name, LabSpaceKind Kind, string? Address4, string? Address6, ProcessMark? Holder);

/// <summary>One long-running program inside a set of namespaces; it ends with them.</summary>
public sealed record LabProgramRecord(string Space, string Program, ProcessMark Process, string Log);

/// <summary>
/// All that is needed to find and end a lab again after any crash. The id is derived from the lab's directory, so that
/// namespaces are found by it even when this file was lost.
/// </summary>
public sealed record LabState(
    string Id,
    LabPhase Phase,
    LabOwner Owner,
    IReadOnlyList<LabSpaceRecord> Spaces,
    IReadOnlyList<LabProgramRecord> Programs);
