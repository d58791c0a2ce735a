using Bailiwick.Durable.Files;

namespace Bailiwick.Custody;

/// <summary>Private directories as people name them: relative to where they stand, with or without a last slash.
/// </summary>
internal static class Desks
{
    internal static string FullPath(string path) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(NotEmpty(path)));

    internal static PrivateDirectory OpenOrCreate(string path) =>
        PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, FullPath(path));

    private static string NotEmpty(string path) => path.Length > 0 ? path
        : throw new CustodyException("A directory's name is empty; give its path.");
}
