using System.Diagnostics;

namespace Bailiwick.Domains.Policy;

/// <summary>Whether two machines may have one volume at the same time. Every decision about that asks here.</summary>
public static class SharingRule
{
    /// <summary>The rule that one of two accesses breaks, with what to change; null when both may be.</summary>
    /// <param name="sharing">What the volume's statement says.</param>
    /// <param name="one">What one machine does with it.</param>
    /// <param name="other">What the other machine does with it.</param>
    public static string? Conflict(VolumeSharing sharing, VolumeAccess one, VolumeAccess other) =>
        (sharing, one, other) switch
        {
            (VolumeSharing.Exclusive, _, _) =>
                "it is one machine's at a time. Stop that machine, or say sharing: readers in the volume's statement.",
            (VolumeSharing.Readers, VolumeAccess.Write, VolumeAccess.Write) =>
                "one machine at a time writes it. Stop that machine, or give one of them read access.",
            (VolumeSharing.Readers or VolumeSharing.Writers, _, _) => null,
            _ => throw new UnreachableException(),
        };

    /// <summary>
    /// The rule that is broken when a volume is copied while somebody has it, with what to do; null when both may be.
    /// What is copied is written by nobody meanwhile, whoever else may write it at other times.
    /// </summary>
    /// <param name="sharing">What the statement of the volume that is copied says.</param>
    /// <param name="other">What a machine does with it.</param>
    public static string? ConflictWithCopy(VolumeSharing sharing, VolumeAccess other) => (sharing, other) switch
    {
        (VolumeSharing.Exclusive, _) => "nobody has it while it is copied. The one waits for the other's end.",
        (VolumeSharing.Readers or VolumeSharing.Writers, VolumeAccess.Write) =>
            "nobody writes it while it is copied. The one waits for the other's end.",
        (VolumeSharing.Readers or VolumeSharing.Writers, VolumeAccess.Read) => null,
        _ => throw new UnreachableException(),
    };
}
