using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Which domain has which VLAN of which trusted segment. It follows from statements alone, not from where machines run,
/// so that all hosts agree and nothing changes when a machine moves. A segment's hosts are in a VLAN all or none: what
/// is said to everybody in it, each of them hears (docs/decisions/vlan.md).
/// </summary>
internal sealed class Vlans
{
    private readonly Dictionary<string, Segment> _segments = new(StringComparer.Ordinal);

    /// <summary>A link's hosts that carry its VLANs, each domain's number, and why a domain has none.</summary>
    private sealed record Segment(
        LinkModel Link, ImmutableArray<HostModel> Hosts, Dictionary<string, int> Numbers,
        Dictionary<string, string> Without)
    {
        public (int Number, string? Why) Says(string reference) =>
            (Numbers.GetValueOrDefault(reference), Without.GetValueOrDefault(reference));
    }

    /// <summary>Whether no segment has any.</summary>
    public bool IsEmpty => _segments.Count == 0;

    public static Vlans Of(CheckedDatacentre datacentre)
    {
        var all = new Vlans();
        foreach (var link in datacentre.Inventory.Links
            .Where(link => link.Operator == datacentre.Datacentre?.Id && link.Medium == LinkMedium.TrustedSegment))
        {
            if (link.Vlans is { } range)
            {
                all._segments[link.Name.Text] = Allotted(datacentre, link, range);
            }
        }

        return all;
    }

    /// <summary>The same after a change of some domains' statements.</summary>
    /// <param name="then">The policies before it.</param>
    /// <param name="now">The policies after it.</param>
    /// <param name="changed">The domains.</param>
    /// <param name="touched">Gets those that have another number, or none for another reason.</param>
    public Vlans With(
        AdmissionGround then, AdmissionGround now, IEnumerable<DomainRef> changed, ISet<DomainRef> touched)
    {
        if (IsEmpty || changed.All(domain => AreAlike(
            then.Domain(domain.Tenant, domain.Name), now.Domain(domain.Tenant, domain.Name))))
        {
            return this;
        }

        var next = Of(now.Datacentre);
        foreach (var domain in now.Datacentre.Domains.Values)
        {
            var reference = domain.Ref.ToString();
            if (_segments.Any(one => one.Value.Says(reference) != next._segments[one.Key].Says(reference)))
            {
                touched.Add(domain.Ref);
            }
        }

        return next;
    }

    /// <summary>Whether two statements of a domain say the same of what decides about VLANs.</summary>
    private static bool AreAlike(DomainModel? then, DomainModel? now) => (then, now) switch
    {
        (null, null) => true,
        ({ } one, { } other) => HostChecks.AcceptAlike(one, other)
            && one.Bandwidth is null == other.Bandwidth is null
            && one.Network.Confidentiality == other.Network.Confidentiality,
        _ => false,
    };

    /// <summary>
    /// How a domain's frames that need no ciphertext pass between two hosts: in its VLAN where both carry one, else as
    /// it was, with the reason why not.
    /// </summary>
    /// <param name="domain">The domain.</param>
    /// <param name="left">One host.</param>
    /// <param name="right">The other.</param>
    /// <param name="clear">What follows from the links alone.</param>
    /// <param name="number">The VLAN's number.</param>
    public LinkWay Between(DomainModel domain, HostModel left, HostModel right, LinkWay clear, out int number)
    {
        number = 0;
        if (clear.Protection != LinkProtection.Clear || left.Vlans is not { } name || right.Vlans != name
            || !_segments.TryGetValue(name.Text, out var segment)
            || !segment.Hosts.Contains(left) || !segment.Hosts.Contains(right))
        {
            return clear;
        }

        ImmutableArray<StatementOrigin> because =
            [.. clear.Because.Append(segment.Link.Origin).Append(left.Origin).Append(right.Origin).Distinct()];
        var reference = domain.Ref.ToString();
        if (!segment.Numbers.TryGetValue(reference, out number))
        {
            return clear with
            {
                Sentence = $"{clear.Sentence} It has no VLAN of {segment.Link.Origin}: {segment.Without[reference]}",
                Because = because,
            };
        }

        return new LinkWay(
            LinkProtection.Vlan,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{clear.Sentence} {segment.Link.Origin} carries VLANs to both, and {number} there is its own."),
            because);
    }

    private static Segment Allotted(CheckedDatacentre datacentre, LinkModel link, VlanRange range)
    {
        ImmutableArray<HostModel> hosts =
        [
            .. datacentre.Inventory.Hosts.Values
                .Where(host => host.Vlans == link.Name && link.Hosts.Contains(host.Ref)),
        ];
        var segment = new Segment(link, hosts, [], []);
        var untrusted = Links.Untrusted(datacentre, hosts);
        var taken = new HashSet<int>();
        foreach (var domain in datacentre.Domains.Values
            .OrderBy(domain => NetworkNumbers.Rank(datacentre, domain.Ref))
            .ThenBy(domain => domain.Ref.ToString(), StringComparer.Ordinal))
        {
            var reference = domain.Ref.ToString();
            if (Against(domain, hosts, untrusted) is { } why)
            {
                segment.Without[reference] = why;
            }
            else if (taken.Count == range.Count)
            {
                segment.Without[reference] = string.Create(
                    CultureInfo.InvariantCulture, $"all {range.Count} are other domains'.");
            }
            else
            {
                // Where the search starts follows from the names, so that a domain that comes moves few others.
                var slot = Start(reference, link, range.Count);
                while (!taken.Add(slot))
                {
                    slot = (slot + 1) % range.Count;
                }

                segment.Numbers[reference] = range.First + slot;
            }
        }

        return segment;
    }

    /// <summary>Why a domain must not have a VLAN that these hosts hear; null when it may.</summary>
    private static string? Against(DomainModel domain, ImmutableArray<HostModel> hosts, LinkModel? untrusted)
    {
        if (hosts.FirstOrDefault(host => !HostChecks.Accepts(domain, host)) is { } foreign)
        {
            return $"{Display.Of(foreign)} hears it too, and {Display.Of(domain)} does not accept that host.";
        }

        if (domain.Bandwidth is not null)
        {
            return $"{Display.Of(domain)} has a part of each host's uplink, where frames of VLANs are not told apart.";
        }

        return domain.Network.Confidentiality switch
        {
            NetworkConfidentiality.None => null,
            NetworkConfidentiality.UntrustedLinks => untrusted is null ? null
                : $"{untrusted.Origin} joins some of its hosts and is untrusted.",
            NetworkConfidentiality.Always => $"{Display.Of(domain)} demands ciphertext on every link.",
            _ => throw new UnreachableException(),
        };
    }

    private static int Start(string reference, LinkModel link, int count)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"vlan {link.Name} {reference}"));
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(hash) % (uint)count);
    }
}
