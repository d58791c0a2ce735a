using Bailiwick.Domains.Refinement;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// A machine's port through its life, under flood from its own domain, a stranger and itself: made, unplugged, plugged
/// again, down and up. Captured at the machine's end from before the port is in a bridge.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class PortLifeTests(TwoHosts hosts)
{
    private const string Machine = "bank/web-1";
    private const int Wait = 15_000;
    private const int Turns = 20;
    private const int ManyTurns = 500;

    [Fact]
    public Task No_frame_passes_a_port_that_is_not_confirmed_whatever_happens_to_it() => Live(Turns);

    [Fact]
    [Trait("Category", "Slow")]
    public Task No_frame_passes_a_port_that_is_not_confirmed_in_500_turns_of_its_life() => Live(ManyTurns);

    private async Task Live(int turns)
    {
        var (host, machine) = hosts.Machine(Machine);
        var port = machine.Ports[0];
        var one = hosts.Host(host);
        var friend = hosts.Machine("bank/both-1").Plan.Ports[0];
        byte[] fromFriend = TwoHosts.Canary(), fromStranger = TwoHosts.Canary(), fromItself = TwoHosts.Canary();
        using var inner = hosts.Frames(Machine);
        using var near = hosts.Frames("bank/both-1");
        using var far = hosts.Frames("bank/web-2");
        one.Kill(port.Device);
        using var stop = new CancellationTokenSource();
        var flood = Task.WhenAll(
            Flood("bank/both-1", port.Mac, fromFriend, stop.Token),
            Flood("bank/both-1", Broadcast, fromFriend, stop.Token),
            Flood("hospital/records-1", port.Mac, fromStranger, stop.Token),
            Flood(Machine, friend.Mac, fromItself, stop.Token), Flood(Machine, Broadcast, fromItself, stop.Token));
        try
        {
            for (var turn = 0; turn < turns; turn++)
            {
                one.Run(
                [
                    $"ip link set {port.Device} nomaster", $"ip link set {port.Device} master {port.Bridge}",
                    $"ip link set {port.Device} down", $"ip link set {port.Device} up",
                    $"ip link set {port.Bridge} down", $"ip link set {port.Bridge} up",
                    $"ip link set {port.Device} nomaster down", $"ip link set {port.Device} master {port.Bridge} up",
                ]);
                Assert.DoesNotContain(inner.Take(), frame => !IsOwn(frame, port) && (Has(frame, fromFriend)
                    || Has(frame, fromStranger)));
                Assert.DoesNotContain(near.Take(), frame => Has(frame, fromItself) || Has(frame, fromStranger));
                Assert.DoesNotContain(far.Take(), frame => Has(frame, fromItself) || Has(frame, fromStranger));
            }

            one.Revive([port.Device]);
            Assert.True(inner.Sees(fromFriend, Wait), "The control did not arrive.");
            Assert.True(near.Sees(fromItself, Wait) && far.Sees(fromItself, Wait), "The control did not leave.");
            Assert.False(inner.Sees(fromStranger, 0));
        }
        finally
        {
            await stop.CancelAsync();
            await flood;
            one.Revive([port.Device]);
        }
    }

    /// <summary>A machine's own capture has what it sends, too.</summary>
    private static bool IsOwn(byte[] frame, PortPlan port) => frame.AsSpan(6, 6).SequenceEqual(Mac(port.Mac));

    private static bool Has(byte[] frame, byte[] canary) => frame.AsSpan().IndexOf(canary) >= 0;

    private Task Flood(string sender, string to, byte[] canary, CancellationToken stop) => Task.Factory.StartNew(
        () =>
        {
            var own = hosts.Machine(sender).Plan.Ports[0];
            using var origin = hosts.Frames(sender);
            byte[] frame = Ethernet(to, own.Mac, 0x0800, Ipv4(own.Ipv4 ?? "", "10.20.1.11", 17, Udp(9, 9, canary)));
            for (var sent = 0; sent < 50_000_000 && !stop.IsCancellationRequested; sent++)
            {
                try
                {
                    origin.Send(frame);
                }
                catch (System.Net.Sockets.SocketException)
                {
                    // Its own port is down at the moment.
                }

                if (sent % 20 == 0)
                {
                    Thread.Sleep(1);
                }
            }
        },
        stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
