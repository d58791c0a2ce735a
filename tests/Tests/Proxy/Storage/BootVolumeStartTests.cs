using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Hooks;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Tests.Proxy.Storage;

/// <summary>A machine whose image states its boot volume starts with that content, measured for that start.</summary>
public sealed class BootVolumeStartTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24";
    private readonly ProxyBench _bench = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(16 << 20);

    public BootVolumeStartTests() => _bench.Host.Nbd.Content = _content;

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private CompartmentState State => _bench.Compartments.StateOf(Machine);

    public void Dispose()
    {
        _bench.Host.Nbd.Gate.Set();
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Open == 0, TimeSpan.FromSeconds(10)));
        _bench.Dispose();
    }

    [Fact]
    public async Task The_stated_content_starts_and_is_in_the_integrity_log_before()
    {
        Publish(Stated(_content));
        await Turns(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        IntegrityLine[] log = [.. Log()];
        int measured = Array.FindIndex(log, line => line.Detail.Contains(
            $"\"boot-volume\":\"{Stated(_content)}\"", StringComparison.Ordinal));
        int started = Array.FindIndex(log, line => line.Kind == IntegrityKind.MachineStarted);
        Assert.InRange(measured, 0, started);
    }

    [Fact]
    public async Task One_changed_byte_is_refused_with_its_reason_until_it_is_put_back()
    {
        Publish(Stated(_content));
        _content[^1] ^= 1;
        await Turns(2);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains("[BootVolumeDiffers]", Assert.Single(State.Refusals), StringComparison.Ordinal);
        Assert.Contains(Stated(_content), State.Refusals[0], StringComparison.Ordinal);
        _content[^1] ^= 1;
        _bench.Clock.Move(10);
        await Turns(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
    }

    [Fact]
    public async Task A_volume_of_another_size_is_refused_unread()
    {
        Publish(Stated(_content));
        _bench.Host.Nbd.Content = [.. _content, 0];
        await Turns(2);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains("16777217 bytes", Assert.Single(State.Refusals), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_else_starts_it_starts_nothing_that_was_not_measured_for_that_start()
    {
        Publish(Stated(_content));
        await Turns(2);
        _bench.Hypervisor.Crash(Machine.MachineName);
        string xml = _bench.Hypervisor.Xml(Machine.Uuid, MachineXmlView.Current);
        HookAnswer answer = await _bench.Judge.JudgeAsync(
            new HookRequest("prepare", "begin", Machine.MachineName, xml), TestContext.Current.CancellationToken);
        Assert.Contains("[BootVolumeDiffers]", Assert.Single(answer.Reasons), StringComparison.Ordinal);
        Assert.Contains("none was measured", answer.Reasons[0], StringComparison.Ordinal);
        int before = _bench.Host.Nbd.Opened;
        await Turns(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal(before + 1, _bench.Host.Nbd.Opened);
    }

    [Fact]
    public async Task A_long_reading_holds_up_nothing_else_and_its_result_starts_the_machine()
    {
        _bench.Host.Nbd.Gate.Reset();
        Publish(Stated(_content));
        await Turns(2);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Equal("measuring", State.Word);
        Assert.Contains("0 of 16 MiB", Assert.Single(State.Refusals), StringComparison.Ordinal);
        Assert.DoesNotContain(Log(), line => line.Kind == IntegrityKind.Refusal);
        _bench.Host.Nbd.Gate.Set();
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(1, _bench.Host.Nbd.Opened);
    }

    [Fact]
    public async Task A_volume_that_is_being_read_is_not_given_back_until_the_start_is_no_longer_wanted()
    {
        _bench.Host.Nbd.Gate.Reset();
        Publish(Stated(_content));
        await Turns(1);
        HeldVolume held = new($"{Machine.Ref.Tenant}/web-1-data", $"{Machine.Ref}", Machine.MachineName, ["n"]);
        Assert.Equal("", await Return());
        Assert.Equal(1, _bench.Host.Nbd.Open);

        _bench.Order(_bench.Datacentre.Acme, "web-1", running: false);
        await Return();
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Open == 0, TimeSpan.FromSeconds(10)));

        // Now the key service is asked, of which this test has none.
        await Task.Delay(200, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidOperationException>(Return);

        Task<string> Return() => _bench.Storage.ReturnAsync(
            _bench.Plans.Current, held, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_result_that_waited_too_long_is_measured_anew()
    {
        _bench.Host.Nbd.Gate.Reset();
        Publish(Stated(_content));
        await Turns(1);
        _bench.Host.Nbd.Gate.Set();
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Open == 0, TimeSpan.FromSeconds(20)));
        _content[0] ^= 1;
        await Task.Delay(200, TestContext.Current.CancellationToken);
        _bench.Clock.Move(BootVolumes.FreshSeconds + 1);
        await Turns(2);
        Assert.Equal(2, _bench.Host.Nbd.Opened);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains("[BootVolumeDiffers]", Assert.Single(State.Refusals), StringComparison.Ordinal);
    }

    private static string Stated(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private void Publish(string content)
    {
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1);
        _bench.Datacentre.Seal(_bench.Datacentre.Acme, "web", Subnet, content, "read");
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
    }

    private IEnumerable<IntegrityLine> Log() => _bench.Integrity.Read(0, 1000)
        .Select(line => new IntegrityLine(line.Entry.Kind, line.Detail.Text));

    private async Task Turns(int count)
    {
        for (int turn = 0; turn < count; turn++)
        {
            await _bench.Turn();
        }
    }

    private async Task Until(Func<bool> holds)
    {
        for (int turn = 0; turn < 20 && !holds(); turn++)
        {
            await _bench.Turn();
        }

        Assert.True(holds());
    }

    private sealed record IntegrityLine(IntegrityKind? Kind, string Detail);
}
