using System.Runtime.InteropServices;

namespace Bailiwick.Tpm.Tss;

/// <summary>
/// The library writes each failure to the standard error on its own, also those that are answers (a policy that does
/// not hold); all of them are thrown here with their code in words. An operator who sets TSS2_LOG gets the library's
/// lines as well.
/// </summary>
internal static partial class LibraryLog
{
    private static readonly bool IsQuiet = SetEnvironment("TSS2_LOG", "all+NONE", 0) == 0;

    /// <summary>Has the library keep silent; done once, before it is first used.</summary>
    public static bool Quiet() => IsQuiet;

    // The library asks the C environment, which .NET's own variables do not reach.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
