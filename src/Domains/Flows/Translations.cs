using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>What two domains agree on of the addresses by which they know each other's machines.</summary>
internal static class Translations
{
    /// <summary>Why there is no agreement, though one of the two asks for one; null where there is, or none asks.
    /// </summary>
    public static string? Objection(DomainModel domain, DomainModel peer)
    {
        var (own, other) = (Clause(domain, peer), Clause(peer, domain));
        if (own is null && other is null)
        {
            return null;
        }

        var names = $"{FlowMatrix.Display(domain)} and {FlowMatrix.Display(peer)}";
        if (own is null || other is null
            || !own.Own.SequenceEqual(other.Peer) || !own.Peer.SequenceEqual(other.Own))
        {
            return $"{names} do not state the same nat clause, so no network flow between them opens. "
                + $"{FlowMatrix.Display(domain)} would need this among its flows.nat: "
                + Words(other, domain, peer, own);
        }

        foreach (var (model, known) in new[] { (domain, own.Own), (peer, own.Peer) })
        {
            if (known.Length > 0 && !Fits(model.Network.Subnets, known))
            {
                return $"The nat clause of {names} does not fit {FlowMatrix.Display(model)}: for each of its subnets "
                    + $"({string.Join(", ", model.Network.Subnets)}), in their order, it would need one of the same "
                    + $"family and length, of ordinary addresses; here are {string.Join(", ", known)}. No network flow "
                    + "between them opens.";
            }
        }

        return null;
    }

    /// <summary>A domain's subnets as another knows them.</summary>
    public static ImmutableArray<IPNetwork> Seen(DomainModel domain, DomainModel by) =>
        Agreed(domain, by) is { Own.Length: > 0 } clause ? clause.Own : domain.Network.Subnets;

    /// <summary>Whether one of the two says by which addresses it knows others.</summary>
    public static bool AreAny(DomainModel domain, DomainModel peer) =>
        !domain.Translations.IsEmpty || !peer.Translations.IsEmpty;

    /// <summary>The address by which another domain knows a machine of this one.</summary>
    public static IPAddress Known(DomainModel domain, DomainModel by, IPAddress address)
    {
        if (!AreAny(domain, by))
        {
            return address;
        }

        var seen = Seen(domain, by);
        for (var i = 0; i < seen.Length; i++)
        {
            if (domain.Network.Subnets[i].Contains(address))
            {
                return Moved(address, seen[i]);
            }
        }

        return address;
    }

    private static AddressTranslation? Agreed(DomainModel domain, DomainModel peer) =>
        Objection(domain, peer) is null ? Clause(domain, peer) : null;

    private static AddressTranslation? Clause(DomainModel domain, DomainModel peer) =>
        domain.Translations.FirstOrDefault(clause => clause.With == peer.Ref);

    private static bool Fits(ImmutableArray<IPNetwork> subnets, ImmutableArray<IPNetwork> known) =>
        subnets.Length == known.Length && subnets.Zip(known).All(pair =>
            pair.First.BaseAddress.AddressFamily == pair.Second.BaseAddress.AddressFamily
            && pair.First.PrefixLength == pair.Second.PrefixLength
            && Addresses.IsUnicast(pair.Second.BaseAddress) && Addresses.IsUnicast(Addresses.Last(pair.Second)))
        && known.All(one => known.Count(other => Addresses.Overlap(one, other)) == 1);

    /// <summary>The same place in another subnet of the same length.</summary>
    private static IPAddress Moved(IPAddress address, IPNetwork to)
    {
        var (bytes, network, host) =
            (address.GetAddressBytes(), to.BaseAddress.GetAddressBytes(),
                Addresses.Masked(address, to.PrefixLength).GetAddressBytes());
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(network[i] | (bytes[i] ^ host[i]));
        }

        return new IPAddress(bytes);
    }

    /// <summary>The clause that would agree with the other's; without one, with its own.</summary>
    private static string Words(
        AddressTranslation? other, DomainModel domain, DomainModel peer, AddressTranslation? own) => other is null
            ? $"none, or {FlowMatrix.Display(peer)} would need - {{with: {FlowMatrix.Display(domain)}"
                + $"{List("own", own?.Peer ?? [])}{List("peer", own?.Own ?? [])}}}"
            : $"- {{with: {FlowMatrix.Display(peer)}{List("own", other.Peer)}{List("peer", other.Own)}}}";

    private static string List(string member, ImmutableArray<IPNetwork> subnets) => subnets.IsEmpty
        ? "" : $", {member}: [{string.Join(", ", subnets.Select(one => $"\"{one}\""))}]";
}
