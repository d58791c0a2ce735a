using System.Text.RegularExpressions;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.HostTests.Whole;

/// <summary>What may pass a port, and what a domain has of an uplink, on the devices of real hosts.</summary>
[Collection(MovingCollection.Name)]
public sealed partial class PortTrafficTests(MovingLab moving)
{
    private const string Bank = "bank";

    private WholeLab Lab => moving.Whole;

    private WholeHost Host => Lab.Host("host-1");

    [Fact]
    public async Task Limits_and_parts_of_an_uplink_are_the_newest_revisions_and_stop_no_machine()
    {
        await Lab.Settled();
        var processes = Lab.Processes();
        string tap = await Host.TapOf(SmallPolicies.Web);
        try
        {
            foreach ((string limit, string bandwidth, (int?, int?) port, (int, int)? part) in
                ((string, string, (int?, int?), (int, int)?)[])
                [
                    (MovingPolicies.Limit, MovingPolicies.Bandwidth, (40, 20), (100, 1000)),
                    (", limit: {inMbit: 80, outMbit: 30}", "bandwidth: {reserveMbit: 200, limitMbit: 500}\n", (80, 30),
                        (200, 500)),
                    (", limit: {inMbit: 80}", "bandwidth: {limitMbit: 300}\n", (80, null), (1, 300)),
                    ("", "", (null, null), null),
                ])
            {
                await Say(limit, bandwidth);
                await Brought(Host, tap, port, part);
            }

            await WholeLab.Until(async () => await Left(Lab.Hosts[0]) ?? await Left(Lab.Hosts[1]), "nothing is left");
        }
        finally
        {
            await Say(MovingPolicies.Limit, MovingPolicies.Bandwidth);
        }

        await Brought(Host, tap, (40, 20), (100, 1000));
        Assert.Equal(processes, Lab.Processes());
    }

    [Fact]
    public async Task What_a_member_had_of_its_host_goes_with_it_and_comes_with_it()
    {
        await Lab.Settled();
        WholeHost other = Lab.Host("host-2");
        await Brought(Host, await Host.TapOf(SmallPolicies.Web), (40, 20), (100, 1000));
        await Lab.SetPower(SmallPolicies.Web, false);
        await Lab.Stopped(SmallPolicies.Web);
        await WholeLab.Until(async () => await Limited(Host), "the port's limits are gone with it");
        await Lab.SetPower(SmallPolicies.Web, true);
        await Lab.Settled();
        await Brought(Host, await Host.TapOf(SmallPolicies.Web), (40, 20), (100, 1000));

        Assert.Equal((100, 1000), await other.UplinkPart());
        try
        {
            await Place("host-2", "host-1");
            await WholeLab.Until(async () => await Left(other), "the domain's part is gone with its last machine");
            Assert.Equal((100, 1000), await Host.UplinkPart());
        }
        finally
        {
            await Place("host-1", "host-2");
        }

        await Lab.Settled();
        await WholeLab.Until(
            async () => await other.UplinkPart() is (100, 1000) ? null : "no part", "the part is there again");
    }

    private static async Task Brought(WholeHost host, string tap, (int?, int?) port, (int, int)? part) =>
        await WholeLab.Until(
            async () => await host.PortRates(tap) is var rates && rates == port
                && await host.UplinkPart() is var share && share == part ? null
                : $"{await host.PortRates(tap)} {await host.UplinkPart()}",
            $"{tap} has {port} and the web {part}");

    /// <summary>Whose frames are limited still on a host.</summary>
    private static async Task<string?> Limited(WholeHost host)
    {
        string[] left =
        [
            .. (await host.Queues()).Where(one => one.GetProperty("kind").GetString() is "tbf" or "ingress")
                .Select(one => one.GetProperty("dev").GetString() ?? ""),
            .. (await host.Space.Must("ip", "-br", "link")).Split('\n')
                .Where(line => line.StartsWith(PortLimits.Redirector("bwt"), StringComparison.Ordinal)),
        ];
        return left.Length == 0 ? null : string.Join(", ", left);
    }

    /// <summary>What is left of limits and parts of an uplink on a host.</summary>
    private static async Task<string?> Left(WholeHost host) =>
        (await host.Queues()).Any(one => one.GetProperty("kind").GetString() == "htb") ? "the uplink has queues"
            : (await host.Space.Must("nft", "list", "tables")).Contains("bw_uplink", StringComparison.Ordinal)
                ? "the uplink has a table" : await Limited(host);

    private Task Say(string limit, string bandwidth) => Lab.Change(Bank, "web", text => Bandwidth().Replace(
        Limit().Replace(text, "ipv6: \"fd20:1::11\"" + limit + "}"), bandwidth + MovingPolicies.After));

    [GeneratedRegex("""ipv6: "fd20:1::11"(, limit: \{[^}]*\})?\}""")]
    private static partial Regex Limit();

    [GeneratedRegex("(bandwidth: .*\n)?approvals:")]
    private static partial Regex Bandwidth();

    private Task Place(string from, string to) => Lab.Change(Bank, "web", text =>
    {
        int second = text.LastIndexOf("name: web-2\n", StringComparison.Ordinal);
        return text[..second] + text[second..].Replace(from, to, StringComparison.Ordinal);
    });
}
