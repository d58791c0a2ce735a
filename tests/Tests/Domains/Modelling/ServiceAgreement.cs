using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// Whether the product's plans and the naive model say the same of what hosts give domains: VLANs' numbers, parts of
/// uplinks, addresses and names.
/// </summary>
/// <param name="sketch">What is stated.</param>
/// <param name="model">The model of it.</param>
/// <param name="plans">The product's plans.</param>
/// <param name="name">A domain as the sketch calls it.</param>
internal sealed class ServiceAgreement(
    Sketch sketch, NaiveModel model, ImmutableArray<HostPlan> plans, Func<DomainRef, string> name)
{
    private readonly NaiveServices _services = new(sketch, model);
    private readonly NaiveUplinks _uplinks = new(sketch, model.Runs);

    /// <summary>The first thing of which they say different things, for people; null for none.</summary>
    public string? Difference() => Numbers() ?? plans.Select(plan => Parts(plan) ?? Services(plan))
        .FirstOrDefault(difference => difference is not null);

    /// <summary>One number for each domain of a segment, of the segment's own, and the same on all its hosts.</summary>
    private string? Numbers()
    {
        var had = new Dictionary<(string Segment, int Number), string>();
        var of = new Dictionary<(string Segment, string Domain), int>();
        foreach (HostPlan plan in plans)
        {
            foreach (DomainPlan domain in plan.Domains)
            {
                if (domain.Network.Vlan is not { Number: var number })
                {
                    continue;
                }

                string segment = sketch.Hosts[plan.Host.Name.Text].Vlans ?? "";
                string own = name(domain.Domain);
                if (sketch.Links.SingleOrDefault(link => link.Name == segment)?.Numbers?.Has(number) != true
                    || had.GetValueOrDefault((segment, number), own) != own
                    || of.GetValueOrDefault((segment, own), number) != number)
                {
                    return $"the VLAN {number} of {segment} on {plan.Host.Name} is not {own}'s own";
                }

                (had[(segment, number)], of[(segment, own)]) = (own, number);
            }
        }

        return null;
    }

    private string? Parts(HostPlan plan)
    {
        string host = plan.Host.Name.Text;
        ImmutableArray<UplinkPart> parts = plan.Uplink?.Parts ?? [];
        var paid = plan.Passages.Select(passage => (
            Payer: _uplinks.Payer(host, passage.Between.Select(name)), passage.Network.Number));
        var networks = plan.Domains.Select(domain => (Payer: name(domain.Domain), domain.Network.Number)).Concat(paid);
        var expected = _uplinks.Parts(host).ToArray();
        return Agreement.Same(
                $"parts of the uplink of {host}",
                parts.Select(part => $"{name(part.Domain)} {part.ReserveMbit} {part.LimitMbit}"),
                expected.Select(part => $"{part.Domain} {part.Reserve} {part.Limit}"))
            ?? Agreement.Same(
                $"networks that count for a part of the uplink of {host}",
                parts.SelectMany(part => part.Networks.Select(number => $"{name(part.Domain)} {number}")),
                networks.Where(one => expected.Any(part => part.Domain == one.Payer))
                    .Select(one => $"{one.Payer} {one.Number}"));
    }

    private string? Services(HostPlan plan)
    {
        string host = plan.Host.Name.Text;
        foreach (DomainPlan domain in plan.Domains)
        {
            string own = name(domain.Domain);
            ServicePointPlan? point = domain.ServicePoint;
            string? difference = Agreement.Same(
                    $"services of {own} on {host}",
                    [
                        (point?.GivesAddresses == true ? "addresses " : "")
                            + (point?.AnswersNames == true ? "names" : ""),
                    ],
                    [_services.Services(host, own)])
                ?? Agreement.Same(
                    $"addresses that {host} tells {own}",
                    (point?.Machines ?? []).Select(one => $"{one.Name} {Text([one.Ipv4, one.Ipv6])}"),
                    _services.Told(host, own))
                ?? Agreement.Same(
                    $"names that {host} tells {own}",
                    (point?.Names ?? []).Select(one => $"{one.Names[^1]} {Text([.. one.Addresses])}"),
                    _services.Known(host, own))
                ?? Agreement.Same(
                    $"who tells {own} addresses on {host}",
                    [domain.AddressServer?.Ref.Name.Text ?? "nobody"],
                    [_services.Server(own) is { } server ? Sketch.LocalOf(server) : "nobody"]);
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    private static string Text(IEnumerable<string?> addresses) => string.Join(' ', addresses.OfType<string>());
}
