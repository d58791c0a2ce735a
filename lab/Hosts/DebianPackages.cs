namespace Bailiwick.Lab.Hosts;

/// <summary>Debian packages, unpacked and never installed.</summary>
internal static class DebianPackages
{
    /// <summary>Downloads packages through apt, which checks them, and unpacks them into a directory.</summary>
    public static async Task Unpack(
        IReadOnlyCollection<string> packages, string directory, CancellationToken cancellation)
    {
        LabPrograms.Require("apt-get", "dpkg-deb");
        string archives = Directory.CreateDirectory($"{directory}.deb").FullName;
        try
        {
            // apt-get download writes to its working directory; "env -C" sets it.
            string[] download =
                ["env", "-C", archives, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", .. packages];
            (await LabPrograms.Run(download, timeout: TimeSpan.FromMinutes(3), cancellation: cancellation)
                .ConfigureAwait(false)).Expect("apt-get download", "apt-get update; is the archive reachable?");
            foreach (string archive in Directory.EnumerateFiles(archives, "*.deb"))
            {
                string[] unpack = ["dpkg-deb", "-x", archive, directory];
                (await LabPrograms.Run(unpack, timeout: TimeSpan.FromMinutes(1), cancellation: cancellation)
                    .ConfigureAwait(false)).Expect("dpkg-deb -x", "is the disk full?");
            }
        }
        finally
        {
            Directory.Delete(archives, recursive: true);
        }
    }
}
