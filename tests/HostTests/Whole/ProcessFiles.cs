using System.Globalization;
using System.Text;

namespace Bailiwick.HostTests.Whole;

/// <summary>What the kernel tells of processes (proc(5)).</summary>
internal static class ProcessFiles
{
    /// <summary>One file of every process that can be read now, NUL shown as a blank.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="root">Where they are shown; a host of the lab has its own numbers.</param>
    internal static IEnumerable<(int Pid, string Text)> All(string file, string root = "/proc")
    {
        foreach (string directory in Directory.EnumerateDirectories(root))
        {
            if (!int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int pid))
            {
                continue;
            }

            string text;
            try
            {
                text = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(directory, file))).Replace('\0', ' ');
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The process has ended meanwhile.
                continue;
            }

            yield return (pid, text);
        }
    }
}
