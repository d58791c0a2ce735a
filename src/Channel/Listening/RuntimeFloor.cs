namespace Bailiwick.Channel.Listening;

/// <summary>
/// The oldest runtime that a server of ours runs on: older ones have known holes (CVE-2025-55315 in Kestrel,
/// CVE-2026-40372 and CVE-2026-26131 in .NET 10 before 10.0.7).
/// </summary>
public static class RuntimeFloor
{
    /// <summary>The oldest runtime.</summary>
    public static Version Oldest { get; } = new(10, 0, 7);

    /// <summary>Why a runtime is refused, in one sentence; null if it is not.</summary>
    /// <param name="running">The runtime's version, such as <see cref="Environment.Version"/>.</param>
    public static string? Refusal(Version running) => running < Oldest
        ? $"The .NET runtime {running} is older than {Oldest}, which closed known holes; install the newest patch."
        : null;
}
