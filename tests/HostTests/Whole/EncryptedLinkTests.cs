using System.Diagnostics;
using System.Net;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// What is on the wire between two hosts: the tenants' frames as they are while the segment is trusted, and nothing of
/// them once its trust is withdrawn, while the machines run on.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class EncryptedLinkTests(WholeLab lab, ITestOutputHelper output)
{
    private const string Trusted = "medium: trusted-segment";
    private const string Untrusted = "medium: untrusted";
    private const int Questions = 8;
    private static readonly byte[] WebAddress = IPAddress.Parse("10.20.1.11").GetAddressBytes();
    private static readonly byte[] ServerAddress = IPAddress.Parse("10.20.2.11").GetAddressBytes();
    private static readonly byte[] ServerAddress6 = IPAddress.Parse("fd20:2::11").GetAddressBytes();

    [Fact]
    public async Task A_link_that_loses_its_trust_carries_nothing_readable_and_the_flow_goes_on()
    {
        await lab.Ready();
        Dictionary<string, long> marks = [];
        foreach (WholeHost host in lab.Hosts)
        {
            marks[host.Name] = await host.Mark();
        }

        try
        {
            Wire open = await Listen();
            Assert.True(open.Answered > 0 && open.Clear > 0 && open.Readable > 0, $"the control: {open}");

            await SetMedium(Untrusted);
            var clock = Stopwatch.StartNew();
            await WholeLab.Until(
                async () => await Tunnels() == 2 ? null : await Said(), "both hosts reach each other encrypted");
            output.WriteLine($"tunnels after {clock.Elapsed.TotalSeconds:F1} s");
            await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow goes on");
            output.WriteLine($"a new connection after {clock.Elapsed.TotalSeconds:F1} s");
            Wire closed = await Listen();
            Assert.True(closed.Answered > 0 && closed.Frames > closed.Answered, $"it goes on: {closed}");
            Assert.Equal((0, 0), (closed.Clear, closed.Readable));
        }
        finally
        {
            await SetMedium(Trusted);
        }

        await lab.Settled();
        await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow is open as before");
        await WholeLab.Until(async () => await Namespaces() == 0 ? null : "a namespace is left", "nothing is left");
        Wire again = await Listen();
        Assert.True(again.Answered > 0 && again.Readable > 0, $"{again}");
        foreach (WholeHost host in lab.Hosts)
        {
            Assert.Empty(await host.Log(marks[host.Name], IntegrityKind.Drift));
        }
    }

    /// <summary>
    /// N05: all that a host sends and hears while a machine stops, gets its key and starts: to the board, the key
    /// services, the other host's Proxy, and in the tunnels.
    /// </summary>
    [Fact]
    [Trait("Category", "Slow")]
    public async Task Nothing_of_a_tenant_is_readable_on_the_wire_while_its_machine_gets_its_key_and_starts()
    {
        await lab.Ready();
        byte[][] marks =
        [
            .. (await SecrecyTests.KeysOf(lab, "bank")).SelectMany(key => (byte[][])
                [key, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key))]),
            .. new[] { SmallPolicies.Web, SmallPolicies.Ledger, "web-1", "ledger-1", "bank" }
                .Select(Encoding.ASCII.GetBytes),
            [.. WebAddress, .. ServerAddress], [.. ServerAddress, .. WebAddress], ServerAddress6, .. Macs(),
        ];
        await lab.Ready();
        Assert.NotEqual(0, await Restarted());
        try
        {
            await SetMedium(Untrusted);
            await WholeLab.Until(
                async () => await Tunnels() == 2 ? null : await Said(), "both hosts reach each other encrypted");
            Assert.Equal(0, await Restarted());
        }
        finally
        {
            await SetMedium(Trusted);
        }

        await lab.Settled();

        async Task<int> Restarted()
        {
            await using FrameCapture capture = await lab.Hosts[0].Space.Capture(
                LabHost.UnderlayInterface, "ip or ip6 or arp", TestContext.Current.CancellationToken);
            await lab.SetPower(SmallPolicies.Web, false);
            await lab.Stopped(SmallPolicies.Web);
            await lab.SetPower(SmallPolicies.Web, true);
            await lab.Settled();
            await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow is open again");
            IReadOnlyList<ReadOnlyMemory<byte>> frames = await capture.Stop(TestContext.Current.CancellationToken);
            int readable = frames.Count(frame => marks.Any(mark => frame.Span.IndexOf(mark) >= 0));
            output.WriteLine($"{frames.Count} frames, {readable} readable");
            Assert.True(frames.Count(IsTcp) > 20, "the control plane's connections are not seen");
            return readable;
        }

        static bool IsTcp(ReadOnlyMemory<byte> frame) =>
            frame.Length > 38 && frame.Span[12] == 8 && frame.Span[23] == 6;
    }

    /// <summary>Asks over the flow while the wire is recorded.</summary>
    private async Task<Wire> Listen()
    {
        await using FrameCapture capture = await lab.Hosts[0].Space.Capture(
            LabHost.UnderlayInterface, "udp", TestContext.Current.CancellationToken);
        int answered = 0;
        for (int question = 0; question < Questions; question++)
        {
            answered += await lab.Flows() ? 1 : 0;
        }

        IReadOnlyList<ReadOnlyMemory<byte>> frames = await capture.Stop(TestContext.Current.CancellationToken);
        byte[][] marks = [ServerAddress, ServerAddress6, Encoding.ASCII.GetBytes(SmallPolicies.Ledger), .. Macs()];
        return new Wire(
            answered, frames.Count, frames.Count(IsClearTunnel),
            frames.Count(frame => marks.Any(mark => frame.Span.IndexOf(mark) >= 0)));
    }

    /// <summary>The machines' MAC addresses, as every host derives them.</summary>
    private IEnumerable<byte[]> Macs()
    {
        foreach (WholeHost host in lab.Hosts)
        {
            string xml = host.Space.Virsh("dumpxml", lab.MachineName(
                host.Name == "host-1" ? SmallPolicies.Web : SmallPolicies.Ledger)).GetAwaiter().GetResult().Output;
            string mac = xml.Split("mac address='")[1].Split('\'')[0];
            yield return [.. mac.Split(':').Select(part => Convert.ToByte(part, 16))];
        }
    }

    private static bool IsClearTunnel(ReadOnlyMemory<byte> frame) =>
        frame.Length > 38 && frame.Span[12] == 8 && ((frame.Span[36] << 8) | frame.Span[37]) == 4789;

    /// <summary>How many of the two hosts have a tunnel that a handshake was completed on.</summary>
    private async Task<int> Tunnels()
    {
        int standing = 0;
        foreach (WholeHost host in lab.Hosts)
        {
            foreach (string space in await Spaces(host))
            {
                string said = await host.Space.Must(
                    "ip", "netns", "exec", space, "wg", "show", "bww" + space[3..], "latest-handshakes");
                standing += said.Trim().Length > 0 && !said.Trim().EndsWith("\t0", StringComparison.Ordinal) ? 1 : 0;
            }
        }

        return standing;
    }

    private async Task<string> Said()
    {
        List<string> all = [];
        foreach (WholeHost host in lab.Hosts)
        {
            all.AddRange(await Spaces(host));
            all.AddRange((await host.Status()).Units.Select(unit => $"{unit.Unit} {unit.Health} {unit.Problem}"));
            all.AddRange((await host.Status()).Problems);
        }

        return string.Join("; ", all);
    }

    private async Task<int> Namespaces() =>
        (await Spaces(lab.Hosts[0])).Length + (await Spaces(lab.Hosts[1])).Length;

    private static async Task<string[]> Spaces(WholeHost host) =>
    [
        .. (await host.Space.Must("ip", "netns", "list")).Split('\n').Select(line => line.Split(' ')[0])
            .Where(name => name.StartsWith("bws", StringComparison.Ordinal)),
    ];

    private Task SetMedium(string medium) => lab.Change(
        WholeLab.Operator, "hosts", text => text.Replace(Trusted, medium, StringComparison.Ordinal)
            .Replace(Untrusted, medium, StringComparison.Ordinal));

    private sealed record Wire(int Answered, int Frames, int Clear, int Readable);
}
