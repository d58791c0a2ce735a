namespace Bailiwick.HostTests.Whole;

/// <summary>
/// The small policies with all that moves data: no link is trusted, the bank's machines are on both hosts and ask for
/// their addresses, one port is limited, and the web has a part of each uplink. The hospital's machine has the web's
/// subnet and the first web machine's addresses, on the same host, and asks as they do; nobody tells it anything.
/// </summary>
internal static class MovingPolicies
{
    /// <summary>The web's machine on the second host.</summary>
    internal const string Other = "bank/web-2";

    /// <summary>What the bank's domains say of services.</summary>
    internal const string Services = "services: {addresses: host, names: host}\n";

    /// <summary>The limit of the first web machine's port.</summary>
    internal const string Limit = ", limit: {inMbit: 40, outMbit: 20}";

    /// <summary>The web's part of each uplink.</summary>
    internal const string Bandwidth = "bandwidth: {reserveMbit: 100}\n";

    /// <summary>What stands behind what is said of a whole domain.</summary>
    internal const string After = "approvals:";

    private const string Nic = "ipv6: \"fd20:1::11\"";

    internal static string[] Machines => [.. SmallPolicies.Machines, Other];

    /// <summary>Writes them below a directory.</summary>
    internal static string Write(string directory)
    {
        SmallPolicies.Write(directory);
        SharedPolicies.Change(
            Path.Combine(directory, WholeLab.Operator, "hosts.yaml"),
            ("memoryMiB: 1024}", "memoryMiB: 1024, uplinkMbit: 1000}"), ("trusted-segment", "untrusted"));
        foreach (string tenant in new[] { "bank", "hospital" })
        {
            SharedPolicies.Change(
                Path.Combine(directory, tenant, "images.yaml"), ("panic=-1", "panic=-1 addresses=dhcp"));
        }

        string web = Path.Combine(directory, "bank", "web.yaml");
        string second = File.ReadAllText(web)[File.ReadAllText(web).IndexOf("---", StringComparison.Ordinal)..]
            .Replace("web-1", "web-2", StringComparison.Ordinal).Replace("1.11", "1.12", StringComparison.Ordinal)
            .Replace("1::11", "1::12", StringComparison.Ordinal)
            .Replace("host-1", "host-2", StringComparison.Ordinal);
        SharedPolicies.Change(web, (After, Services + Bandwidth + After), (Nic, Nic + Limit));
        File.AppendAllText(web, second);
        SharedPolicies.Change(Path.Combine(directory, "bank", "ledger.yaml"), (After, Services + After));
        SharedPolicies.Change(
            Path.Combine(directory, "hospital", "records.yaml"), ("10.20.3.", "10.20.1."), ("fd20:3::", "fd20:1::"),
            ("devices: [console, probe]\n", "devices: [console, probe]\nplacement: {hosts: [host-1]}\n"));
        return directory;
    }
}

/// <summary>A whole lab under these policies; its tests leave it settled.</summary>
public sealed class MovingLab : IAsyncLifetime
{
    internal WholeLab Whole { get; } = new() { Policies = MovingPolicies.Write, Machines = MovingPolicies.Machines };

    public ValueTask InitializeAsync() => Whole.InitializeAsync();

    public ValueTask DisposeAsync() => Whole.DisposeAsync();
}

/// <summary>These tests share one datacentre and run alone: they take its network apart.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MovingCollection : ICollectionFixture<MovingLab>
{
    public const string Name = "moving";
}
