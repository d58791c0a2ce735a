using System.Diagnostics;
using System.Text.Json;
using Bailiwick.HostTests.Lab;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A volume of one tenant that a machine of another reads, under the whole product, and what its owner is told of who
/// could open it; each no has its yes before and after.
/// </summary>
[Collection(LabCollection.Name)]
public sealed class SharedVolumeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan WithdrawalLimit = TimeSpan.FromSeconds(10);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_volume_is_read_by_whom_both_policies_let_and_its_owner_sees_who_could_open_it()
    {
        await using var lab = new WholeLab { Policies = SharedPolicies.Write };
        await lab.InitializeAsync();
        var owner = new OwnersView(lab);
        await owner.Until(SharedPolicies.Owner, row => row is { Allowed: true, Holds: true, Access: "write" });
        await owner.Until(SharedPolicies.Reader, row => row is { Allowed: true, Holds: true, Access: "read" });
        await ReadsAndCannotWrite(lab);
        await RevokedHost(lab, owner);
        await UnlistedEvent(lab, owner);
        await WithdrawnKey(lab, owner);
        await OtherHosts(lab, owner);
        await WithdrawnFlow(lab, owner);
    }

    private static async Task ReadsAndCannotWrite(WholeLab lab)
    {
        string written = $"balance.{Guid.NewGuid():N}";
        await using ProbeChannel writer = await lab.Meet(SharedPolicies.Owner);
        Assert.Equal(written, await writer.WriteLineOf(SharedPolicies.Disk, written));
        await using (ProbeChannel reader = await lab.Meet(SharedPolicies.Reader))
        {
            Assert.Equal(written, await reader.ReadLineOf(SharedPolicies.Disk));
            await Assert.ThrowsAsync<LabException>(() => reader.WriteLineOf(SharedPolicies.Disk, "forged"));
        }

        Assert.Equal(written, await writer.ReadLineOf(SharedPolicies.Disk));
        await using ProbeChannel third = await lab.Meet(SmallPolicies.Web);
        await Assert.ThrowsAsync<LabException>(() => third.ReadLineOf(SharedPolicies.Disk));
    }

    /// <summary>A host whose log is cut could open nothing; the other could, and it could again afterwards.</summary>
    private static async Task RevokedHost(WholeLab lab, OwnersView owner)
    {
        WholeHost host = await lab.Where(SharedPolicies.Owner);
        string log = lab.Paths.RuntimeLog(host.Name);
        byte[] good = await File.ReadAllBytesAsync(log, TestContext.Current.CancellationToken);
        try
        {
            await File.WriteAllBytesAsync(log, good[..^1], TestContext.Current.CancellationToken);
            Opening refused = await owner.Until(SharedPolicies.Owner, row => !row.Allowed);
            Assert.Contains("no-lease", refused.Reasons);
            Assert.Contains("log", refused.Because, StringComparison.Ordinal);
        }
        finally
        {
            await File.WriteAllBytesAsync(log, good, TestContext.Current.CancellationToken);
        }

        await lab.Settled();
        await owner.Until(SharedPolicies.Owner, row => row is { Allowed: true, Holds: true });
        await owner.Until(SharedPolicies.Reader, row => row is { Allowed: true, Holds: true });
    }

    /// <summary>
    /// A host that was refused while it had the key does not get it again when it is put right, until root keys answer.
    /// </summary>
    private static async Task UnlistedEvent(WholeLab lab, OwnersView owner)
    {
        const string Terms = "sharing: readers\nmount: {after: [returned, takeover]}\n";
        await Publish(lab, ("sharing: readers\n", Terms));
        WholeHost host = await lab.Where(SharedPolicies.Owner);
        string log = lab.Paths.RuntimeLog(host.Name);
        byte[] good = await File.ReadAllBytesAsync(log, TestContext.Current.CancellationToken);
        try
        {
            await File.WriteAllBytesAsync(log, good[..^1], TestContext.Current.CancellationToken);
            await owner.Until(SharedPolicies.Owner, row => row is { Allowed: false, Holds: false }, host);
        }
        finally
        {
            await File.WriteAllBytesAsync(log, good, TestContext.Current.CancellationToken);
        }

        Opening refused = await owner.Until(
            SharedPolicies.Owner, row => row.Reasons is ["volume-event-not-allowed"], host);
        Assert.Contains("was refused while it had the key", refused.Because, StringComparison.Ordinal);
        await new CommandLine(lab.Paths).Json(
            "bank", "volume", "takeover", SharedPolicies.Volume, "--from", host.Name,
            "--keys", Path.Combine(lab.Paths.Keys, "bank"));
        await owner.Until(SharedPolicies.Owner, row => row is { Allowed: true, Holds: true }, host);
        await Publish(lab, (Terms, "sharing: readers\n"));
        await lab.Settled();
    }

    private static async Task WithdrawnKey(WholeLab lab, OwnersView owner)
    {
        var cli = new CommandLine(lab.Paths);
        await cli.Json("bank", "key", "withdraw", SharedPolicies.Volume);
        Assert.Equal(["key-withdrawn"], (await owner.Row(SharedPolicies.Owner)).Reasons);
        Assert.Equal(["key-withdrawn"], (await owner.Row(SharedPolicies.Reader)).Reasons);
        await cli.Json("bank", "key", "allow", SharedPolicies.Volume);
        Assert.True((await owner.Row(SharedPolicies.Owner)).Allowed);
        Assert.True((await owner.Row(SharedPolicies.Reader)).Allowed);
    }

    /// <summary>A statement that lists another host takes it from the machine's, until it is taken back.</summary>
    private static async Task OtherHosts(WholeLab lab, OwnersView owner)
    {
        const string Terms = "sharing: readers\nmount: {hosts: [host-1]}\n";
        WholeHost own = await lab.Where(SharedPolicies.Owner);
        await Publish(lab, ("sharing: readers\n", Terms));
        Opening refused = await owner.Until(SharedPolicies.Owner, row => !row.Allowed, own);
        Assert.Contains("volume-host-not-allowed", refused.Reasons);
        await Publish(lab, (Terms, "sharing: readers\n"));
        await lab.Settled();
        await owner.Until(SharedPolicies.Owner, row => row is { Allowed: true, Holds: true });
    }

    private async Task WithdrawnFlow(WholeLab lab, OwnersView owner)
    {
        await owner.Until(SharedPolicies.Reader, row => row is { Allowed: true, Holds: true });
        WholeHost where = await lab.Where(SharedPolicies.Reader);
        await Publish(lab, ("  grants:\n" + SharedPolicies.Grant, "  grants: []\n"));
        var clock = Stopwatch.StartNew();
        await lab.Stopped(SharedPolicies.Reader);
        output.WriteLine($"the reader ended after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, WithdrawalLimit);
        Opening refused = await owner.Row(SharedPolicies.Reader, where);
        Assert.False(refused.Allowed);
        Assert.Contains("volume-flow-closed", refused.Reasons);
        Assert.True((await owner.Row(SharedPolicies.Owner)).Allowed);
        await Publish(lab, ("  grants: []\n", "  grants:\n" + SharedPolicies.Grant));
        await owner.Until(SharedPolicies.Reader, row => row is { Allowed: true, Holds: true });
    }

    private static async Task Publish(WholeLab lab, params (string From, string To)[] changes)
    {
        SharedPolicies.Change(Path.Combine(lab.Paths.Policies, "bank", "ledger.yaml"), changes);
        IReadOnlyList<byte[]> changed = lab.Deployment.Desks.Sign("bank", lab.Deployment.LogKey());
        Assert.NotEmpty(changed);
        await lab.Deployment.Publish("bank", changed, TestContext.Current.CancellationToken);
    }

    /// <summary>A row of what the owner is told.</summary>
    private sealed record Opening(bool Allowed, bool Holds, string Access, string[] Reasons, string Because);

    /// <summary>What <c>volume show</c> tells the owner of a machine on the host where it is.</summary>
    private sealed class OwnersView(WholeLab lab)
    {
        internal async Task<Opening> Row(string machine, WholeHost? where = null)
        {
            string host = (where ?? await lab.Where(machine)).Reference;
            JsonElement shown = await new CommandLine(lab.Paths).Json("bank", "volume", "show", SharedPolicies.Volume);
            JsonElement[] rows = [.. shown.GetProperty("openings").EnumerateArray()];
            Assert.Equal(4, rows.Length);
            JsonElement row = rows.Single(one => one.GetProperty("machine").GetString() == lab.Reference(machine)
                && one.GetProperty("host").GetString() == host);
            JsonElement[] reasons = [.. row.GetProperty("reasons").EnumerateArray()];
            return new Opening(
                row.GetProperty("allowed").GetBoolean(), row.GetProperty("holds").GetBoolean(),
                row.GetProperty("access").GetString() ?? "",
                [.. reasons.Select(one => one.GetProperty("code").GetString() ?? "")],
                string.Join(' ', reasons.Select(one => one.GetProperty("sentence").GetString())));
        }

        internal async Task<Opening> Until(string machine, Func<Opening, bool> holds, WholeHost? where = null)
        {
            Opening? found = null;
            await WholeLab.Until(
                async () => await Look() ? null : $"{found} {found?.Because}", $"{machine} is shown so");
            return found ?? throw new InvalidOperationException("nothing was shown");

            // A machine that nobody may run is nowhere until somebody may.
            async Task<bool> Look() => (where is not null || await lab.IsPlaced(machine))
                && holds(found = await Row(machine, where));
        }
    }
}
