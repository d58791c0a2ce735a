using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The table inside a service point's namespace: questions in, answers out, and nothing else, whatever becomes of the
/// server. The domain's own table says the same of the port, with the machines' addresses.
/// </summary>
internal static class ServiceTable
{
    public static string Text(ServicePointPlan plan)
    {
        var text = NftText.Replacing("inet", "bw_service");
        text.Counters("closed");
        var from = $"iifname \"{ServicePointPlan.Inside}\"";
        var to = $"oifname \"{ServicePointPlan.Inside}\"";
        text.Chain("input",
            "type filter hook input priority 0; policy drop;",
            $"{from} icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept",
            plan.GivesAddresses ? $"{from} icmpv6 type nd-router-solicit ip6 hoplimit 255 accept" : "",
            plan.GivesAddresses ? $"{from} udp sport 68 udp dport 67 accept" : "",
            plan.GivesAddresses ? $"{from} udp sport 546 udp dport 547 accept" : "",
            plan.AnswersNames ? $"{from} meta l4proto {{ tcp, udp }} th dport 53 accept" : "",
            "counter name closed drop");
        text.Chain("output",
            "type filter hook output priority 0; policy drop;",
            $"{to} icmpv6 type nd-neighbor-advert accept",
            plan.GivesAddresses ? $"{to} icmpv6 type nd-router-advert accept" : "",
            plan.GivesAddresses ? $"{to} udp sport 67 udp dport 68 accept" : "",
            plan.GivesAddresses ? $"{to} udp sport 547 udp dport 546 accept" : "",
            plan.AnswersNames ? $"{to} meta l4proto {{ tcp, udp }} th sport 53 accept" : "",
            "counter name closed drop");
        text.Chain("forward",
            "type filter hook forward priority 0; policy drop;",
            "counter name closed drop");
        text.Close();
        return text.ToString();
    }
}
