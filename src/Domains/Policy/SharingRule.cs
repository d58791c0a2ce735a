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
}
