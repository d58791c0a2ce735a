using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Lab;

[Collection(LabCollection.Name)]
public sealed class LabHostTests(LabFixture fixture)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Each_host_has_a_libvirt_of_its_own()
    {
        var (one, two) = (fixture.Lab.Hosts[0], fixture.Lab.Hosts[1]);
        Assert.Equal("host-1\n", await one.Must("hostname"));
        const string pool =
            "<pool type='dir'><name>only-here</name><target><path>/var/lib/libvirt</path></target></pool>";
        var file = Path.Combine(one.Directory, "pool.xml");
        await File.WriteAllTextAsync(file, pool, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await one.Virsh("pool-define", file)).ExitCode);
        Assert.Contains("only-here", (await one.Virsh("pool-list", "--all")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("only-here", (await two.Virsh("pool-list", "--all")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_underlay_joins_hosts_and_services_and_nothing_else()
    {
        var (host, other) = (fixture.Lab.Hosts[0], fixture.Lab.Hosts[1]);
        Assert.Equal("10.99.0.11", host.Address4);
        Assert.Equal("10.99.0.2", fixture.Lab.Service("master").Address4);
        foreach (var address in new[] { other.Address4, other.Address6, "10.99.0.2", "fd99::2" })
        {
            Assert.Equal(0, (await host.Run(["ping", "-c", "1", "-W", "2", address])).ExitCode);
        }

        Assert.NotEqual(0, (await host.Run(["ping", "-c", "1", "-W", "1", "10.99.0.99"])).ExitCode);
        var outside = await LabPrograms.Run(["ping", "-c", "1", "-W", "1", host.Address4]);
        Assert.NotEqual(0, outside.ExitCode);
        // Guests of other tests on this host have bridges and taps; a way out would be another pair.
        var links = await host.Must("ip", "-o", "link", "show", "type", "veth");
        Assert.Single(links.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_capture_holds_the_frames_that_passed()
    {
        var (host, other) = (fixture.Lab.Hosts[0], fixture.Lab.Hosts[1]);
        await using var capture = await other.Capture(LabHost.UnderlayInterface, "icmp");
        await host.Must("ping", "-c", "2", "-i", "0.2", "-p", "6261696c6977", other.Address4);
        var frames = await capture.Stop();
        Assert.Equal(4, frames.Count);
        Assert.All(frames, frame => Assert.True(frame.Span.IndexOf("bailiw"u8) > 0));
    }

    [Fact]
    public async Task A_program_inside_outlives_its_starter_and_ends_when_told()
    {
        var host = fixture.Lab.Hosts[1];
        var log = Path.Combine(host.Directory, "program.log");
        var environment = new Dictionary<string, string> { ["GREETING"] = "good day" };
        var program = await host.StartInside(
            ["sh", "-c", "echo $GREETING; exec sleep 300"], environment, log);
        for (var i = 0; i < 100 && program.LogTail().Length == 0; i++)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Equal("good day", program.LogTail());
        Assert.True(program.IsAlive);
        await program.Stop(Second);
        Assert.False(program.IsAlive);
        await Assert.ThrowsAsync<LabException>(() => host.StartInside(["no-such-program"], null, log));
        await Assert.ThrowsAsync<LabException>(() => host.Run(["sleep", "60"], timeout: Second));
    }
}
