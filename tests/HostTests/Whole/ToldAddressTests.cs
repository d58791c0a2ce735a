using System.Diagnostics;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// Machines that know nothing of themselves ask, with the DHCP client of their own system, and are told by their own
/// host what their policy says.
/// </summary>
[Collection(MovingCollection.Name)]
public sealed class ToldAddressTests(MovingLab moving, ITestOutputHelper output)
{
    private const string Hospital = "hospital";
    private const string Own = "10.20.1.11";
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(700);

    /// <summary>A machine asks every three seconds.</summary>
    private static readonly TimeSpan Asking = TimeSpan.FromSeconds(10);

    private WholeLab Lab => moving.Whole;

    [Fact]
    public async Task A_machine_is_told_its_address_by_its_own_host_finds_another_by_name_and_reaches_it()
    {
        await Lab.Settled();
        WholeHost host = Lab.Host("host-1");
        string bridge = await host.BridgeOf(await host.TapOf(SmallPolicies.Web));
        await using FrameCapture service = await Capture(host, "bwn" + bridge[3..]);
        await using FrameCapture tunnel = await Capture(host, await TunnelOf(host, bridge));
        await AskAnew(SmallPolicies.Web);
        await Told(SmallPolicies.Web, Own);
        await using OpenProbes probes = await OpenProbes.Open(Lab);
        await Found(probes, "web-2", MovingPolicies.Other);
        await Found(probes, "ledger-1.ledger.bank.internal", SmallPolicies.Ledger);

        byte[] mac = Frames.Mac(probes[SmallPolicies.Web].Hello.Nics.Single().Mac);
        ReadOnlyMemory<byte>[] asked = [.. (await Stop(service)).Where(frame => frame.Span.IndexOf(mac) >= 0)];
        ReadOnlyMemory<byte>[] sent = [.. (await Stop(tunnel)).Where(frame => frame.Span.IndexOf(mac) >= 0)];
        Assert.Contains(asked, frame => IsDhcp(frame, from: 68));
        Assert.Contains(asked, frame => IsDhcp(frame, from: 67));
        Assert.NotEmpty(sent);
        Assert.DoesNotContain(sent, frame => IsDhcp(frame, from: 68) || IsDhcp(frame, from: 67));
    }

    [Fact]
    public async Task A_machine_of_another_domain_with_the_same_subnet_is_told_nothing_before_its_own_policy_says_so()
    {
        await Lab.Settled();
        WholeHost host = await Lab.Where(SmallPolicies.Records);
        Assert.Equal(host.Name, (await Lab.Where(SmallPolicies.Web)).Name);
        await Told(SmallPolicies.Web, Own);
        int process = Lab.Processes()[Lab.MachineName(SmallPolicies.Records)];
        await using (FrameCapture capture = await Capture(host, await host.TapOf(SmallPolicies.Records)))
        {
            await Task.Delay(Asking, TestContext.Current.CancellationToken);
            IReadOnlyList<ReadOnlyMemory<byte>> frames = await Stop(capture);
            Assert.Contains(frames, frame => IsDhcp(frame, from: 68));
            Assert.DoesNotContain(frames, frame => IsDhcp(frame, from: 67));
        }

        Assert.Equal("", await AddressOf(SmallPolicies.Records));
        try
        {
            await Say(MovingPolicies.Services);
            await Told(SmallPolicies.Records, Own);
            await using ProbeChannel probe = await Lab.Meet(SmallPolicies.Records);
            await WholeLab.Until(
                async () => (await probe.Resolve("records-1", Quick)).Address == Own ? null : "not known",
                "the machine's own name is known");
            Assert.Equal(new ProbeName(3, ""), await probe.Resolve("web-2", Quick));
            Assert.Equal(process, Lab.Processes()[Lab.MachineName(SmallPolicies.Records)]);
        }
        finally
        {
            await Say("");
        }

        await WholeLab.Until(
            async () => (await host.Space.Must("ip", "netns", "list")).Split('\n')
                .Count(line => line.StartsWith("bwn", StringComparison.Ordinal)) == 1 ? null : "it stands",
            "the service point is gone");
        await AskAnew(SmallPolicies.Records);
        await Lab.Settled();
        Assert.Equal("", await AddressOf(SmallPolicies.Records));
    }

    private Task Say(string services) => Lab.Change(Hospital, "records", text => text
        .Replace(MovingPolicies.Services, "", StringComparison.Ordinal)
        .Replace(MovingPolicies.After, services + MovingPolicies.After, StringComparison.Ordinal));

    private async Task Found(OpenProbes probes, string name, string machine)
    {
        string address = "";
        await WholeLab.Until(
            async () => (address = (await probes[SmallPolicies.Web].Resolve(name, Quick)).Address).Length > 0
                ? null : "not known", $"{name} is known");
        output.WriteLine($"{name} is {address}");
        await WholeLab.Until(() => probes.Reaches(SmallPolicies.Web, machine, address), $"{name} is reached");
    }

    private async Task Told(string machine, string address)
    {
        var clock = Stopwatch.StartNew();
        await WholeLab.Until(
            async () => await AddressOf(machine) is var now && now == address ? null : now, $"{machine} has {address}");
        output.WriteLine($"{machine} has {address} after {clock.Elapsed.TotalSeconds:F1} s");
    }

    private async Task AskAnew(string machine)
    {
        await using ProbeChannel probe = await Lab.Meet(machine);
        await probe.AskAnew();
    }

    private async Task<string> AddressOf(string machine)
    {
        await using ProbeChannel probe = await Lab.Meet(machine);
        return probe.Hello.Nics.Single().Ipv4;
    }

    private static async Task<string> TunnelOf(WholeHost host, string bridge) =>
        (await host.Space.Must("ip", "-o", "link", "show", "master", bridge, "type", "vxlan"))
            .Split(": ")[1].Split('@')[0];

    private static Task<FrameCapture> Capture(WholeHost host, string device) =>
        host.Space.Capture(device, "ip", TestContext.Current.CancellationToken);

    private static Task<IReadOnlyList<ReadOnlyMemory<byte>>> Stop(FrameCapture capture) =>
        capture.Stop(TestContext.Current.CancellationToken);

    /// <summary>Whether it is a client's (68) or a server's (67) frame, by its UDP source port.</summary>
    private static bool IsDhcp(ReadOnlyMemory<byte> frame, int from) =>
        frame.Length > 42 && frame.Span[23] == 17 && ((frame.Span[34] << 8) | frame.Span[35]) == from;
}
