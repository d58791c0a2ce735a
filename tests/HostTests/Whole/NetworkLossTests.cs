using System.Diagnostics;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// Parts of the hosts' networks are killed or deleted under running machines, in a drawn order: each is back within
/// half a minute, and meanwhile nothing is readable on the wire and no domain hears another (hostile case R02).
/// </summary>
[Collection(MovingCollection.Name)]
public sealed class NetworkLossTests(MovingLab moving, ITestOutputHelper output)
{
    private const int Many = 20;
    private const string Program = "/usr/bin/wireguard-go";
    private const string Mark = "BWCANARY:";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly string[] Addresses = ["fd20:1::11", "fd20:1::12", "fd20:2::11"];

    private WholeLab Lab => moving.Whole;

    [Fact]
    public Task Each_part_of_the_network_that_is_killed_or_deleted_is_back_within_30_seconds() => Lose(0);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Whichever_parts_of_the_network_are_killed_or_deleted_are_back_within_30_seconds() => Lose(Many);

    [Fact]
    public async Task A_tunnel_that_a_host_cannot_make_stops_nothing_else_and_is_made_once_it_can_be()
    {
        await Lab.Settled();
        await using OpenProbes probes = await OpenProbes.Open(Lab);
        NetworkLosses kinds = new(Lab, probes);
        Assert.SkipUnless(kinds.HasCipherers, "The kernel has WireGuard itself: there is no program to miss.");
        await WholeLab.Until(kinds.Unreached, "all are reached");
        NetworkLoss loss = await kinds.CiphererOf(SmallPolicies.Web);
        string tap = await loss.Host.TapOf(SmallPolicies.Web);
        await loss.Host.Space.Must("mount", "--bind", "/usr/bin/false", Program);
        try
        {
            await probes.Forget();
            await using FrameCapture capture = await Lab.Hosts[0].Space.Capture(
                LabHost.UnderlayInterface, "not tcp", TestContext.Current.CancellationToken);
            await loss.Take();
            await WholeLab.Until(
                async () => string.Join(' ', await Failing(loss.Host)) is var said && said == "tunnels"
                    ? null : said, "the tunnel is all that fails");
            await probes.Shout("missing");
            Assert.NotNull(await kinds.UnreachedInside());
            await WholeLab.Until(kinds.UnreachedAcross, "another tunnel goes on");
            await WholeLab.Until(kinds.Untold, "the host's own services go on");
            Assert.Contains(tap, await loss.Host.LivePorts());
            Assert.Equal("tunnels", Assert.Single(await Failing(loss.Host)));
            Assert.NotNull(await probes.Unheard("missing"));
            await probes.AssertApart("missing");
            await AssertUnreadable(capture, probes, "missing");
        }
        finally
        {
            await loss.Host.Space.Must("umount", Program);
        }

        await WholeLab.Until(loss.Missing, $"{loss.What} is back", Limit);
        await Lab.Settled();
    }

    /// <summary>The steps that fail of the units of a host.</summary>
    private static async Task<string[]> Failing(WholeHost host) =>
    [
        .. (await host.Status()).Units.SelectMany(unit => unit.Steps).Where(step => !step.Ok)
            .Select(step => step.Name),
    ];

    /// <summary>One loss of each kind, and others until there are so many.</summary>
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
        for (int turn = 0; turn < Math.Max(losses, first.Length); turn++)
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
        Assert.NotEmpty(await loss.Host.Log(mark, IntegrityKind.Drift));
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
            Encoding.ASCII.GetBytes(Mark), .. Addresses.Select(Frames.Address),
            .. probes.Macs.Select(Frames.Mac),
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
