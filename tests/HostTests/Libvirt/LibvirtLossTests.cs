using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Host.Libvirt;

namespace Bailiwick.HostTests.Libvirt;

/// <summary>The daemon goes away under an open connection.</summary>
public class LibvirtLossTests
{
    [Fact]
    public async Task A_watch_ends_with_an_error_when_the_daemon_dies()
    {
        using PrivateLibvirtd daemon = new();
        using LibvirtHypervisor hypervisor = daemon.Connect();
        using IMachineWatch watch = hypervisor.Watch();
        Guid id = hypervisor.Define(TinyMachine.Xml("alone", Guid.NewGuid()));
        MachineEvent before = (await TinyMachine.ReadUntil(watch, MachineEventKind.Defined))[0];
        Assert.Equal(id, before.Machine);
        daemon.Kill();
        Task end = watch.Events.Completion;
        Assert.Same(end, await Task.WhenAny(
            end, Task.Delay(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)));
        LibvirtException lost = await Assert.ThrowsAsync<LibvirtException>(() => end);
        Assert.Contains("connection to the daemon was lost", lost.Message, StringComparison.Ordinal);
        Assert.Throws<LibvirtException>(() => hypervisor.List());
        // A watch begun too late does not wait for ever either.
        Exception? late = Record.Exception(() =>
        {
            using IMachineWatch second = hypervisor.Watch();
            Assert.True(second.Events.Completion.IsFaulted);
        });
        Assert.True(late is null or LibvirtException);
    }

    [Fact]
    public void No_daemon_is_an_error_that_names_the_socket()
    {
        LibvirtException none = Assert.Throws<LibvirtException>(() => LibvirtHypervisor.Open("/nonexistent/sock"));
        Assert.Contains("/nonexistent/sock", none.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => LibvirtHypervisor.Open("relative/sock"));
    }

    [Fact]
    public void A_dead_daemon_leaves_no_directory_behind()
    {
        string directory;
        using (PrivateLibvirtd daemon = new())
        {
            directory = daemon.Directory;
            Assert.True(File.Exists(daemon.Socket));
        }

        Assert.False(Directory.Exists(directory));
    }
}
