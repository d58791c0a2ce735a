using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>A host whose evidence no longer holds loses its machines, and those that may go elsewhere do.</summary>
[Collection(WholeCollection.Name)]
public sealed class LostTrustTests(WholeLab lab)
{
    private CommandLine Cli => new(lab.Paths);

    [Fact]
    public async Task A_machine_leaves_a_refused_host_with_its_volume_and_never_runs_twice()
    {
        await lab.Ready();
        WholeHost host = await lab.Where(SmallPolicies.Records);
        WholeHost other = lab.Hosts.Single(h => h.Name != host.Name);
        string pinned = host.Name == "host-1" ? SmallPolicies.Web : SmallPolicies.Ledger;
        int boot = await Boot(SmallPolicies.Records);
        Assert.Equal(("held", ""), await Standing(host));
        Assert.Equal(("held", ""), await Shown(host));
        long mark = await host.Mark();
        string log = lab.Paths.RuntimeLog(host.Name);
        byte[] good = await File.ReadAllBytesAsync(log, TestContext.Current.CancellationToken);
        try
        {
            // The log no longer gives the quoted register: whoever judges it refuses. It is cut at its end, because
            // nobody asks for its beginning again; a host that has less than the others hold shows what it has.
            await File.WriteAllBytesAsync(log, good[..^1], TestContext.Current.CancellationToken);

            // Processes() fails when one machine has two.
            await WholeLab.Until(
                async () => (await lab.Where(SmallPolicies.Records)).Name == other.Name
                    && lab.Processes().ContainsKey(lab.MachineName(SmallPolicies.Records))
                    && !lab.Processes().ContainsKey(lab.MachineName(pinned)) ? null : await Said(host),
                "the machine that may go elsewhere has gone, and the other has stopped");
            Assert.Equal(boot + 1, await Boot(SmallPolicies.Records));
            (string standing, string because) = await Standing(host);
            Assert.Equal("refused", standing);
            Assert.Contains("log", because, StringComparison.Ordinal);
            Assert.Equal("refused", (await Shown(host)).Standing);
            Assert.Equal("held", (await Standing(other)).Standing);
            Happening[] log1 = await host.Log(mark, IntegrityKind.MachineStopped, IntegrityKind.VolumeReturned);
            Assert.Contains(log1, h => h.Kind == IntegrityKind.MachineStopped
                && h.Detail.Contains("lost the trust", StringComparison.Ordinal));
            Assert.Contains(log1, h => h.Kind == IntegrityKind.VolumeReturned);
        }
        finally
        {
            await File.WriteAllBytesAsync(log, good, TestContext.Current.CancellationToken);
        }

        await lab.Settled();
        Assert.True(lab.Processes().ContainsKey(lab.MachineName(pinned)));
        Assert.Equal(other.Name, (await lab.Where(SmallPolicies.Records)).Name);
        await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow is open again");
    }

    private async Task<int> Boot(string machine)
    {
        await using ProbeChannel probe = await lab.Meet(machine);
        return probe.Hello.Boot;
    }

    /// <summary>What the hospital's key service says of a host, by its own word.</summary>
    private async Task<(string Standing, string Because)> Standing(WholeHost host)
    {
        JsonElement leases = await Cli.Json("hospital", "host", "leases");
        return leases.EnumerateArray().Where(one => one.GetProperty("host").GetString() == host.Reference)
            .Select(Words)
            .SingleOrDefault();
    }

    /// <summary>What the Master shows of that.</summary>
    private async Task<(string Standing, string Because)> Shown(WholeHost host)
    {
        JsonElement hosts = await Cli.Json("hospital", "host", "list");
        return hosts.EnumerateArray().Single(one => one.GetProperty("host").GetString() == host.Reference)
            .GetProperty("standings").EnumerateArray()
            .Where(one => one.GetProperty("by").GetString() == "key service")
            .Select(Words)
            .SingleOrDefault();
    }

    private static (string Standing, string Because) Words(JsonElement row) =>
        (row.GetProperty("standing").GetString() ?? "", row.GetProperty("because").GetString() ?? "");

    private async Task<string> Said(WholeHost host) => string.Join("; ", (await lab.Status()).Compartments
        .Select(one => $"{one.Compartment} {one.Host} {one.State}: {one.Reason}"))
        + string.Join("; ", (await host.Status()).Problems);
}
