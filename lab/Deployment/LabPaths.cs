using System.Globalization;

namespace Bailiwick.Lab.Deployment;

/// <summary>Where everything of a lab lies, below its one directory.</summary>
public sealed record LabPaths(string Root)
{
    public string Cache => Path.Combine(Root, "cache");
    public string Keys => Path.Combine(Root, "keys");
    public string Signed => Path.Combine(Root, "signed");
    public string Policies => Path.Combine(Root, "policies");
    /// <summary>The guest's boot files under the names that the images give them.</summary>
    public string Guest => Path.Combine(Root, "guest");
    /// <summary>The hosts' public identity keys, as they came to the operator.</summary>
    public string Enrolled => Path.Combine(Root, "enrolled");
    public string Contexts => Path.Combine(Root, "contexts");
    public string Pool => Path.Combine(Root, "pool");
    public string Images => Path.Combine(Root, "images");
    public string Master => Path.Combine(Root, "master");
    public string MasterSocket => Path.Combine(Master, "board.sock");

    public string KeyService(string tenant) => Path.Combine(Root, "keyservice", tenant);
    public string MasterKey(string tenant) => Path.Combine(KeyService(tenant), "master.sealed");
    public string MasterPassphrase(string tenant) => Path.Combine(KeyService(tenant), "master.passphrase");
    public string KeyServiceSocket(string tenant) => Path.Combine(KeyService(tenant), "keys.sock");

    /// <summary>What a host's firmware measured.</summary>
    public string BootLog(string host) => Path.Combine(Root, "measured", host, "boot.log");

    /// <summary>What a host's kernel measured.</summary>
    public string RuntimeLog(string host) => Path.Combine(Root, "measured", host, "runtime.log");

    public string Proxy(string host) => Path.Combine(Root, "proxy", host);
    public string ProxySocket(string host) => Path.Combine(Proxy(host), "proxy.sock");
    public string HookSocket(string host) => Path.Combine(Proxy(host), "hook.sock");
    public string Context(string party) => Path.Combine(Contexts, party + ".json");

    public static string MasterAddress => "10.99.0.2:7443";

    /// <summary>Key service i, from 0, has the address after the Master's.</summary>
    public static string KeyServiceAddress(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"10.99.0.{3 + index}:7600");

    /// <summary>What a new deployment makes anew: everything but the cache.</summary>
    public IEnumerable<string> Fresh => [Keys, Signed, Policies, Contexts, Pool, Images, Guest, Enrolled, Master,
        Path.Combine(Root, "keyservice"), Path.Combine(Root, "proxy")];
}
