using System.Globalization;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The table that gives each tunnel packet its class (RFC 7348: UDP port 4789, network number in the 24 bits at bit 96
/// of the UDP header). It accepts and drops nothing.
/// </summary>
internal static class UplinkTable
{
    public static string Text(
        UplinkPlan plan, string handle, IReadOnlyCollection<(int Port, string Segment)> ports)
    {
        var text = NftText.Replacing("inet", "bw_uplink");
        text.Set("map", "networks", "typeof @th,96,24 : meta priority", plan.Parts.SelectMany(part =>
            part.Networks.Select(number => $"{Number(number)} : {Class(handle, part)}")));
        text.Set("map", "ciphertext", "type inet_service : classid", plan.Parts.SelectMany(part =>
            ports.Where(port => part.Segments.Contains(port.Segment))
                .Select(port => $"{Number(port.Port)} : {Class(handle, part)}")));
        text.Chain("postrouting",
            "type filter hook postrouting priority 0; policy accept;",
            $"ip saddr {plan.LocalIpv4} udp dport 4789 meta priority set @th,96,24 map @networks",
            $"ip saddr {plan.LocalIpv4} meta priority set udp sport map @ciphertext");
        text.Close();
        return text.ToString();
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Class(string handle, UplinkPart part) => $"{handle}:{part.Number:x}";
}
