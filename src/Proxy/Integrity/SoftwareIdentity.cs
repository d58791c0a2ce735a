using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Which software this Proxy is: the digest of each of its own files. Without a TPM it is only the host's word, and
/// tells an auditor which release was claimed to run.
/// </summary>
public static class SoftwareIdentity
{
    /// <summary>One line per file, <c>digest  name</c>, in the order of the names.</summary>
    public static string Describe()
    {
        StringBuilder text = new();
        IEnumerable<string> files = Directory.EnumerateFiles(AppContext.BaseDirectory)
            .Where(f => Path.GetExtension(f) == ".dll" || Path.GetFileName(f) == "Bailiwick.Proxy")
            .Order(StringComparer.Ordinal);
        foreach (string file in files)
        {
            using FileStream stream = File.OpenRead(file);
            text.Append(Convert.ToHexStringLower(SHA256.HashData(stream)))
                .Append("  ").Append(Path.GetFileName(file)).Append('\n');
        }

        return text.ToString();
    }
}
