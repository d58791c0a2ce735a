using System.Diagnostics;
using System.Net;
using System.Text;

namespace Bailiwick.HostTests.Rendering;

/// <summary>An attacker on the wire reads, repeats, alters, relabels and holds back ciphertext.</summary>
public sealed class CipherWireTests(CipherWire wire) : IClassFixture<CipherWire>
{
    private const int Quiet = 300;
    private const int Count = 20;
    private const int Replays = 50;

    /// <summary>What of a tunnel's MTU of 1370 a datagram's text can be: without IPv4's and UDP's headers.</summary>
    private const int Longest = 1342;

    /// <summary>The underlay's MTU with an Ethernet header; where IPv4 has flags and the fragment's offset.</summary>
    private const int LongestFrame = 1514;
    private const int Fragments = 20;

    /// <summary>Offsets in a frame of the wire: UDP's header behind 14 of Ethernet and 20 of IPv4; payload.</summary>
    private const int Udp = 34;
    private const int Payload = 42;

    /// <summary>The first byte of a transport message (WireGuard's paper, section 5.4.6).</summary>
    private const byte Data = 4;

    [Fact]
    public void Nothing_readable_is_on_the_wire_and_what_was_received_is_received_once()
    {
        Handshake();
        using var tap = wire.Wire();
        byte[][] canaries = [.. Enumerable.Range(0, Count).Select(_ => TwoHosts.Canary())];
        Send(canaries);
        Assert.Equal(Texts(canaries), Texts(wire.Arrived(Quiet)));
        AssertNothingReadable(tap);

        byte[][] seen = Messages(tap);
        Assert.InRange(seen.Length, Count, int.MaxValue);
        for (var turn = 0; turn < Replays; turn++)
        {
            Array.ForEach(seen, tap.Send);
        }

        Assert.Empty(wire.Arrived(Quiet));
        Send(canaries[..1]);
        Assert.Equal(Texts(canaries[..1]), Texts(wire.Arrived(Quiet)));
    }

    [Fact]
    public void The_longest_packet_that_a_machine_may_send_is_one_packet_on_the_wire()
    {
        Handshake();
        // The kernel tells wireguard-go the length of its packets: on a busy machine a moment after its first ones.
        int whole = 0;
        for (var attempt = 0; attempt < Count && whole != Count; attempt++)
        {
            whole = WholePackets();
        }

        Assert.Equal(Count, whole);
        Assert.Equal(Count, WholePackets());
    }

    /// <summary>How many of as many of the longest packets go over the wire as one packet each.</summary>
    private int WholePackets()
    {
        using var tap = wire.Wire();
        byte[][] canaries = [.. Enumerable.Range(0, Count).Select(_ => Long(TwoHosts.Canary()))];
        Send(canaries);
        Assert.Equal(Texts(canaries), Texts(wire.Arrived(Quiet)));

        // An Ethernet frame of the wire, an IPv4 packet: its flags and offset say that it is whole.
        return tap.All().Count(frame => frame.Length == LongestFrame && frame[23] == 17
            && ((frame[Fragments] & 0x3f) | frame[Fragments + 1]) == 0);
    }

    [Fact]
    public void A_message_with_any_byte_altered_or_for_another_switch_does_not_arrive_and_the_true_one_does()
    {
        Handshake();
        byte[][] canaries = [.. Enumerable.Range(0, 5).Select(_ => TwoHosts.Canary())];
        using var tap = wire.Wire();
        byte[][] held;
        using (new Held(wire))
        {
            Send(canaries);
            Assert.Empty(wire.Arrived(Quiet));
            held = [.. Messages(tap).Where(frame => frame.Length > 100)];
        }

        Assert.Equal(canaries.Length, held.Length);
        foreach (var frame in held)
        {
            for (var at = Payload; at < frame.Length; at++)
            {
                byte[] altered = [.. frame];
                altered[at] ^= 0x01;
                tap.Send(altered);
            }

            byte[] relabelled = [.. frame];
            Frames.Big(wire.PortOf(2, second: true)).CopyTo(relabelled, Udp + 2);
            tap.Send(relabelled);
            tap.Send(frame[..^1]);
        }

        Assert.Empty(wire.Arrived(Quiet));
        Array.ForEach(held, tap.Send);
        Assert.Equal(Texts(canaries), Texts(wire.Arrived(Quiet)));
    }

    [Fact]
    public void What_is_held_back_is_never_sent_in_clear_and_goes_on_when_it_is_let_through()
    {
        Handshake();
        using var tap = wire.Wire();
        var clock = Stopwatch.StartNew();
        using (new Held(wire))
        {
            while (clock.Elapsed < TimeSpan.FromSeconds(6))
            {
                Send([TwoHosts.Canary()]);
                Assert.Empty(wire.Arrived(50));
            }
        }

        Handshake();
        AssertNothingReadable(tap);
        Assert.NotEmpty(Messages(tap));
    }

    [Fact]
    public void A_cipherer_that_is_killed_leaves_nothing_in_clear_and_is_made_anew()
    {
        Handshake();
        using var tap = wire.Wire();
        var pid = wire.Cipherer(1);
        if (pid == 0)
        {
            Assert.Skip("The kernel has WireGuard itself: there is no program to kill.");
        }

        using (var process = Process.GetProcessById(pid))
        {
            process.Kill();
        }

        var clock = Stopwatch.StartNew();
        for (var at = 0; at < Count; at++)
        {
            Send([TwoHosts.Canary()]);
        }

        Assert.Empty(wire.Arrived(Quiet));
        wire.Converge();
        Handshake();
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.NotEqual(pid, wire.Cipherer(1));
        AssertNothingReadable(tap);
    }

    /// <summary>Sends until something arrives; what is sent before a key is agreed on is not kept for ever.</summary>
    private void Handshake()
    {
        for (var turn = 0; turn < 40; turn++)
        {
            Send([TwoHosts.Canary()]);
            if (wire.Arrived(Quiet).Count > 0)
            {
                return;
            }
        }

        Assert.Fail("Nothing passes.");
    }

    private static byte[] Long(byte[] canary) => [.. canary, .. new byte[Longest - canary.Length]];

    private void Send(byte[][] canaries) => Array.ForEach(canaries, wire.Send);

    private static string[] Texts(IEnumerable<byte[]> frames) =>
        [.. frames.Select(Encoding.ASCII.GetString).Order(StringComparer.Ordinal)];

    /// <summary>
    /// The messages of the first host's first switch that were on the wire, with a checksum that says there is none.
    /// </summary>
    private byte[][] Messages(FramePort tap)
    {
        byte[] ports = [.. Frames.Big(wire.PortOf(1, second: false)), .. Frames.Big(wire.PortOf(2, second: false))];
        return
        [
            .. tap.All().Where(frame => frame.Length > Payload && frame[23] == 17 && frame[Payload] == Data
                    && frame.AsSpan(Udp, 4).SequenceEqual(ports))
                .Select(frame => (byte[])[.. frame[..(Udp + 6)], 0, 0, .. frame[Payload..]]),
        ];
    }

    private static void AssertNothingReadable(FramePort tap)
    {
        byte[][] marks =
        [
            Encoding.ASCII.GetBytes("canary-"), Frames.Mac(CipherWire.Mac(1)), Frames.Mac(CipherWire.Mac(2)),
            IPAddress.Parse("10.66.0.2").GetAddressBytes(), Frames.Big(4789),
        ];
        Assert.DoesNotContain(tap.All(), frame => marks[..4].Any(mark => frame.AsSpan().IndexOf(mark) >= 0)
            || (frame.Length > Payload && frame.AsSpan(Udp + 2, 2).SequenceEqual(marks[4])));
    }

    /// <summary>While it stands, the second host hears nothing of the first.</summary>
    private sealed class Held : IDisposable
    {
        private readonly CipherWire _wire;

        public Held(CipherWire wire)
        {
            _wire = wire;
            wire.Host(2).Load("table inet held {\nchain input {\ntype filter hook input priority 0; policy accept;\n"
                + "ip saddr 10.99.0.11 drop\n}\n}\n");
        }

        public void Dispose() => _wire.Host(2).Load("delete table inet held\n");
    }
}
