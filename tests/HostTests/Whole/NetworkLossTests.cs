using System.Diagnostics;
using System.Net;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// Parts of the hosts' networks are killed or deleted under running machines, in a drawn order: each is back within
/// half a minute, and meanwhile nothing is readable on the wire and no domain hears another (hostile case R02).
/// </summary>
[Collection(MovingCollection.Name)]
public sealed class NetworkLossTests(MovingLab moving, ITestOutputHelper output)
{
    /// <summary>One of each kind.</summary>
    private const int Few = 5;
    private const int Many = 20;
    private const string Mark = "BWCANARY:";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly string[] Addresses = ["fd20:1::11", "fd20:1::12", "fd20:2::11"];

    private WholeLab Lab => moving.Whole;

    [Fact]
    public Task Each_part_of_the_network_that_is_killed_or_deleted_is_back_within_30_seconds() => Lose(Few);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Whichever_parts_of_the_network_are_killed_or_deleted_are_back_within_30_seconds() => Lose(Many);

    private async Task Lose(int losses)
    {
        await Lab.Settled();
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        await using OpenProbes probes = await OpenProbes.Open(Lab);
        NetworkLosses kinds = new(Lab, probes);
        await WholeLab.Until(kinds.Unreached, "all are reached");
        NetworkLoss.Kind[] first = kinds.Kinds;
        random.Shuffle(first);
        for (int turn = 0; turn < losses; turn++)
        {
            NetworkLoss.Kind kind = turn < first.Length ? first[turn] : random.GetItems(first, 1)[0];
            await Lose(await kind(random), probes, $"turn-{turn}");
            await WholeLab.Until(kinds.Unreached, "all are reached");
        }

        await Lab.Settled();
    }

    private async Task Lose(NetworkLoss loss, OpenProbes probes, string turn)
    {
        await probes.Forget();
        long mark = await loss.Host.Mark();
        await using FrameCapture capture = await Lab.Hosts[0].Space.Capture(
            LabHost.UnderlayInterface, "not tcp", TestContext.Current.CancellationToken);
        await loss.Take();
        var clock = Stopwatch.StartNew();
        await WholeLab.Until(
            async () =>
            {
                await probes.Shout(turn);
                return await loss.Missing();
            },
            $"{loss.What} is back", Limit);
        output.WriteLine($"{loss.What} is back after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.Equal(loss.IsDrift, (await loss.Host.Log(mark, IntegrityKind.Drift)).Length > 0);
        await AssertUnreadable(capture, probes, turn);
        await probes.Shout(turn);
        await WholeLab.Until(async () => await probes.Unheard(turn), "those of one domain hear each other");
        await probes.AssertApart(turn);
    }

    /// <summary>
    /// One datagram in clear, which the test itself sends at the end, is found by the same search; nothing else is.
    /// </summary>
    private async Task AssertUnreadable(FrameCapture capture, OpenProbes probes, string turn)
    {
        string control = $"{Mark}control-{turn}";
        await Lab.Hosts[0].Space.Must(
            "bash", "-c", $"printf %s {control} > /dev/udp/{Lab.Hosts[1].Space.Address4}/9");
        byte[][] marks =
        [
            Encoding.ASCII.GetBytes(Mark), .. Addresses.Select(one => IPAddress.Parse(one).GetAddressBytes()),
            .. probes.Macs.Select(mac => (byte[])
                [.. mac.Split(':').Select(part => Convert.ToByte(part, 16))]),
        ];
        IReadOnlyList<ReadOnlyMemory<byte>> frames = await capture.Stop(TestContext.Current.CancellationToken);
        ReadOnlyMemory<byte>[] readable =
            [.. frames.Where(frame => marks.Any(one => frame.Span.IndexOf(one) >= 0) || IsClearTunnel(frame))];
        Assert.Contains(readable, IsControl);
        Assert.DoesNotContain(readable, frame => !IsControl(frame));
        Assert.True(frames.Count > readable.Length, "no ciphertext was seen");

        bool IsControl(ReadOnlyMemory<byte> frame) => frame.Span.IndexOf(Encoding.ASCII.GetBytes(control)) >= 0;
    }

    private static bool IsClearTunnel(ReadOnlyMemory<byte> frame) =>
        frame.Length > 38 && frame.Span[12] == 8 && frame.Span[23] == 17
        && ((frame.Span[36] << 8) | frame.Span[37]) == 4789;
}
