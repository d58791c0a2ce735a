namespace Bailiwick.Tests.Cli;

/// <summary>The terms of authored policies that a seed drew.</summary>
internal static class DrawnTerms
{
    /// <summary>Makes all that a domain grants a peer over TCP a grant over UDP.</summary>
    /// <param name="policies">The directory of policies.</param>
    /// <param name="domain">The domain, as <c>tenant/name</c>.</param>
    /// <param name="peer">The peer, likewise.</param>
    internal static void Withdraw(string policies, string domain, string peer)
    {
        string[] names = domain.Split('/');
        foreach (string file in Directory.GetFiles(Path.Combine(policies, names[0]), "*.yaml"))
        {
            string[] documents = File.ReadAllText(file).Split("---\n");
            File.WriteAllText(file, string.Join("---\n", documents.Select(document =>
                !document.Contains($"name: {names[1]}\n", StringComparison.Ordinal) ? document
                    : string.Join('\n', document.Split('\n')
                        .Select(line => !line.Contains($"{{to: {peer}, ", StringComparison.Ordinal) ? line
                            : line.Replace("protocol: tcp", "protocol: udp", StringComparison.Ordinal))))));
        }
    }
}
