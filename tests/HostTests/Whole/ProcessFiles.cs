using System.Globalization;
using System.Text;

namespace Bailiwick.HostTests.Whole;

/// <summary>What the kernel tells of processes (proc(5)).</summary>
internal static class ProcessFiles
{
    /// <summary>One file of every process that can be read now, NUL shown as a blank.</summary>
    internal static IEnumerable<(int Pid, string Text)> All(string file)
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
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
