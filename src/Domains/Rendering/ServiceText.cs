using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The configuration of the server in a service point (dnsmasq(8)): one reservation for each machine of this host and
/// no pool, names of the plan and no resolver behind it. Whoever is not in it gets no answer.
/// </summary>
/// <remarks>
/// A line is a statement there and a comma ends a value (OSSA-2021-005 was a line feed in such a file), so each value
/// is of characters that cannot end one, whoever checked it before.
/// </remarks>
public static class ServiceText
{
    /// <summary>
    /// How long a machine may use what it was told. IPv6 leases belong to a client's identifier and not to its MAC, so
    /// a machine that comes with another one waits for the old lease's end: the server's shortest.
    /// </summary>
    private const string Ipv4Lease = "10m";
    private const string Ipv6Lease = "2m";
    private const int AdvertisedSeconds = 60;
    private const int RouterSeconds = 600;
    private const int MaxWord = 255;

    /// <summary>The text of the whole file.</summary>
    /// <param name="plan">The service point.</param>
    /// <param name="mtu">Of the domain's machines.</param>
    /// <exception cref="ArgumentException">A value has characters that no name or address has.</exception>
    public static string Of(ServicePointPlan plan, int mtu)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder();
        Line(text, "user=");
        Line(text, "group=");
        Line(text, "interface=", ServicePointPlan.Inside);
        Line(text, "except-interface=lo");
        Line(text, "bind-interfaces");
        Line(text, "log-facility=/dev/null");
        Line(text, "pid-file=");
        Line(text, plan.AnswersNames ? "port=53" : "port=0");
        if (plan.AnswersNames)
        {
            Names(text, plan);
        }

        if (plan.GivesAddresses)
        {
            Addresses(text, plan, mtu);
        }

        return text.ToString();
    }

    /// <summary>Nobody else is asked: a name that is not here does not exist.</summary>
    private static void Names(StringBuilder text, ServicePointPlan plan)
    {
        Line(text, "no-resolv");
        Line(text, "no-poll");
        Line(text, "no-hosts");
        Line(text, "address=/#/");
        foreach (var name in plan.Names)
        {
            Line(text, "host-record=", [.. name.Names.Select(Name), .. name.Addresses.Select(Address)]);
        }
    }

    private static void Addresses(StringBuilder text, ServicePointPlan plan, int mtu)
    {
        Line(text, "dhcp-leasefile=/state/leases");
        Line(text, "dhcp-authoritative");
        Line(text, "dhcp-ignore-clid");
        Line(text, "dhcp-ignore-names");
        Line(text, "dhcp-ignore=tag:!known");
        Line(text, "no-ping");
        // Not by a neighbour entry of its own making: the filter lets a broadcast answer out at the asker's port alone.
        Line(text, "dhcp-broadcast");
        Line(text, "quiet-dhcp");
        Line(text, "quiet-dhcp6");
        Line(text, "quiet-ra");
        Line(text, "domain=", Name(plan.Zone));
        Line(text, "dhcp-option=option:mtu", Number(mtu));
        for (var i = 0; i < plan.Subnets.Length; i++)
        {
            Subnet(text, plan, plan.Subnets[i], "s" + Number(i));
        }

        if (plan.Subnets.Any(subnet => Raw.IsIpv6(subnet.Prefix)))
        {
            var routes = plan.Subnets.Any(subnet => Raw.IsIpv6(subnet.Prefix) && subnet.Router is not null);
            Line(text, "enable-ra");
            Line(text, "ra-param=", ServicePointPlan.Inside, "mtu:" + Number(mtu), Number(AdvertisedSeconds),
                Number(routes ? RouterSeconds : 0));
        }

        foreach (var machine in plan.Machines)
        {
            Line(text, "dhcp-host=",
            [
                Mac(machine.Mac), .. machine.Ipv4 is { } ipv4 ? new[] { Address(ipv4) } : [],
                .. machine.Ipv6 is { } ipv6 ? new[] { $"[{Address(ipv6)}]" } : [], Name(machine.Name),
            ]);
        }
    }

    /// <summary>An option without a value takes away the one that the server would give by itself.</summary>
    private static void Subnet(StringBuilder text, ServicePointPlan plan, ServedSubnet subnet, string tag)
    {
        var (prefix, own) = (Address(subnet.Prefix), Address(subnet.Address));
        if (Raw.IsIpv6(subnet.Prefix))
        {
            Line(text, "dhcp-range=", "set:" + tag, prefix, "static", Number(subnet.Length), Ipv6Lease);
            if (plan.AnswersNames)
            {
                Line(text, "dhcp-option=", "tag:" + tag, "option6:dns-server", $"[{own}]");
            }

            return;
        }

        Line(text, "dhcp-range=", "set:" + tag, prefix, "static", Mask(subnet.Length), Ipv4Lease);
        Line(text, "dhcp-option=",
            ["tag:" + tag, "option:router", .. subnet.Router is { } router ? new[] { Address(router) } : []]);
        if (plan.AnswersNames)
        {
            Line(text, "dhcp-option=", "tag:" + tag, "option:dns-server", own);
        }
    }

    private static string Mask(int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, uint.MaxValue << (32 - length));
        return new IPAddress(bytes).ToString();
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Name(string text) =>
        Word(text, c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');

    private static string Address(string text) => Word(text, c => char.IsAsciiHexDigitLower(c) || c is '.' or ':');

    private static string Mac(string text) => Word(text, c => char.IsAsciiHexDigitLower(c) || c is ':');

    private static string Word(string text, Func<char, bool> allowed) =>
        text.Length is > 0 and <= MaxWord && text[0] is not ('-' or '.') && text.All(allowed)
            ? text
            : throw new ArgumentException("A value has characters that none may have.", nameof(text));

    private static void Line(StringBuilder text, string statement, params string[] values) =>
        text.Append(statement)
            .Append(statement.EndsWith('=') || values.Length == 0 ? "" : ",")
            .AppendJoin(',', values).Append('\n');
}
