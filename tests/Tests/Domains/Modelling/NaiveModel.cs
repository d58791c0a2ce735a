using System.Collections.Immutable;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>What a machine asks of another.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>icmp</c>.</param>
/// <param name="Port">The server's port; 0 for an echo.</param>
internal sealed record Asked(string Protocol, int Port);

/// <summary>
/// Who may run where, speak with whom and have which volume, by what the parties state: the rules of the book, each as
/// one sentence, with no care for speed. It has nothing of the product's, so that where both agree it is for that.
/// </summary>
internal sealed class NaiveModel
{
    private static readonly bool[] Families = [false, true];
    private readonly Sketch _said;
    private readonly HashSet<(string, string)> _clashing = [];
    private readonly NaiveRoom _room;
    private readonly NaiveVlans _vlans;
    private NaiveInformation _information;
    private readonly Dictionary<string, string> _runs = new(StringComparer.Ordinal);
    private ILookup<string, string> _members = Array.Empty<string>().ToLookup(_ => "");

    public NaiveModel(Sketch said)
    {
        _said = said;
        Described = [.. said.Machines.Keys.Where(HoldsTogether)];
        (_room, _vlans) = (new NaiveRoom(said, _runs), new NaiveVlans(said));
        _information = FindClosed();
        // Who would join two domains that nothing joins is nobody; whoever had a flow only by that machine has none.
        Described.ExceptWith([.. Described.Where(one => Pairs(one).Any(pair => !Joins(pair.One, pair.Other)))]);
        _information = FindClosed();
        foreach (var (machine, host) in said.Places.OrderBy(place => Rank(place.Machine), StringComparer.Ordinal))
        {
            if (said.Places.Count(place => place.Machine == machine) == 1 && MayRun(machine, host))
            {
                _runs[machine] = host;
            }
        }
    }

    /// <summary>The machines whose statements hold together with their tenant's others.</summary>
    public HashSet<string> Described { get; }

    /// <summary>The machines that run, and where.</summary>
    public IReadOnlyDictionary<string, string> Runs => _runs;

    /// <summary>Whether a client in one machine reaches a server in another, in one family of addresses.</summary>
    public bool Speaks(string from, string to, Asked asked, bool ipv6) =>
        _runs.ContainsKey(from) && _runs.ContainsKey(to)
        && NicPairs(from, to, ipv6).Any(pair => (pair.From == pair.To || IsOpen(pair.From, pair.To, from, to, asked))
            && (_runs[from] == _runs[to]
                || (IsTrusted(_runs[from], pair.From) && IsTrusted(_runs[to], pair.To))));

    /// <summary>Whether other hosts hear a host for a domain, and are heard.</summary>
    public bool IsTrusted(string host, string domain) => !_said.Doubts.Contains((host, domain));

    /// <summary>The domains of two machines' ports of which both have an address of a family.</summary>
    public IEnumerable<(string From, string To)> NicPairs(string from, string to, bool ipv6) =>
        from one in _said.Machines[@from].Nics
        from other in _said.Machines[to].Nics
        where one.Has(ipv6) && other.Has(ipv6)
        select (one.Domain, other.Domain);

    /// <summary>Whether the two policies open it: granted and accepted, and nothing against it.</summary>
    public bool IsOpen(string fromDomain, string toDomain, string from, string to, Asked asked) =>
        !IsCut(fromDomain, toDomain) && Agreements(fromDomain, toDomain).Any(flow =>
            Covers(flow.Grant, asked) && Covers(flow.Accept, asked)
            && Named(fromDomain, flow.Grant).Contains(from) && Named(toDomain, flow.Accept).Contains(to));

    /// <summary>Whether anything is open between two machines of two domains.</summary>
    public bool IsAnyOpen(string fromDomain, string toDomain, string from, string to) =>
        !IsCut(fromDomain, toDomain) && Agreements(fromDomain, toDomain).Any(flow =>
            Named(fromDomain, flow.Grant).Contains(from) && Named(toDomain, flow.Accept).Contains(to));

    /// <summary>Whether a volume of another domain is lent to a machine.</summary>
    public bool Lends(string volume, string machine, bool writes) =>
        IsVolume(volume) && Loans(_said.Volumes[volume].Domain).Any(loan => loan.Name == Sketch.LocalOf(volume)
            && (loan.Flow.IsMutual || !writes) && Named(loan.Flow.To, loan.Accept).Contains(machine)
            && !_information.Closes(loan.Flow));

    /// <summary>Whether what domains' machines say between two hosts must be ciphertext.</summary>
    public bool IsCiphered(IEnumerable<string> domains, string one, string other)
    {
        SketchedLink[] links = [.. _said.Links.Where(link => link.Hosts.Contains(one) && link.Hosts.Contains(other))];
        bool isTrusted = links.Length > 0 && links.All(link => link.IsTrusted);
        return domains.Select(domain => _said.Domains[domain].Confidentiality)
            .Any(demand => demand == "always" || (demand == "untrusted-links" && !isTrusted));
    }

    /// <summary>
    /// Whether what a domain's machines say between two hosts is in a VLAN of the domain's own. Whoever doubts one of
    /// the hosts that hear it, and that the domain is on, leaves it.
    /// </summary>
    public bool IsInVlan(string domain, string one, string other) => HasVlan(domain, one, other)
        && !_runs.Any(run => run.Value != one && _said.Machines[run.Key].IsIn(domain)
            && HasVlan(domain, one, run.Value) && !IsTrusted(run.Value, domain));

    private bool HasVlan(string domain, string one, string other) => !IsCiphered([domain], one, other)
        && _vlans.Segment(one, other) is { } segment && _vlans.Has(domain, segment);

    /// <summary>The address by which a domain knows a machine of another, or of its own.</summary>
    public string Address(string machine, string domain, string by, bool ipv6) =>
        SeenBy(domain, by).Address(_said.Machines[machine].Nics.Single(nic => nic.Domain == domain).Place, ipv6);

    // ---- whose statements hold together

    /// <summary>Of machines that claim one address, or would write one volume of their owner's, none is one.</summary>
    private bool HoldsTogether(string machine) => HoldsAlone(machine)
        && !_said.Machines.Any(other => other.Key != machine
            && Sketch.TenantOf(other.Key) == Sketch.TenantOf(machine) && HoldsAlone(other.Key)
            && (OwnWritten(machine).Intersect(OwnWritten(other.Key)).Any()
                || Addresses(machine).Intersect(Addresses(other.Key)).Any()));

    private bool HoldsAlone(string machine) => _said.Machines[machine] is var said
        && said.Nics.All(nic => _said.Domains.ContainsKey(nic.Domain))
        && said.Disks.All(disk => Sketch.TenantOf(disk.Volume) != Sketch.TenantOf(machine) || IsVolume(disk.Volume));

    private IEnumerable<string> OwnWritten(string machine) => _said.Machines[machine].Disks
        .Where(disk => disk.Writes && Sketch.TenantOf(disk.Volume) == Sketch.TenantOf(machine)
            && _said.Volumes[disk.Volume].Sharing != "writers").Select(disk => disk.Volume);

    private IEnumerable<(string, int, bool)> Addresses(string machine) => _said.Machines[machine].Nics.SelectMany(nic =>
        Families.Where(nic.Has).Select(ipv6 => (nic.Domain, nic.Place, ipv6)));

    private bool IsVolume(string volume) =>
        _said.Volumes.TryGetValue(volume, out var said) && _said.Domains.ContainsKey(said.Domain);

    // ---- what two policies agree on

    private ImmutableArray<SketchedTerm> Terms(string domain, bool grants) =>
        !_said.Domains.TryGetValue(domain, out var said) ? [] : grants ? said.Grants : said.Accepts;

    private IEnumerable<(SketchedTerm Grant, SketchedTerm Accept)> Agreements(string from, string to) =>
        from grant in Terms(@from, grants: true)
        where grant.Peer == to && grant.What is Resource.Network
        from accept in Terms(to, grants: false)
        where accept.Peer == @from && Meet(grant.What, accept.What)
        select (grant, accept);

    private static bool Meet(Resource one, Resource other) =>
        one is Resource.Network left && other is Resource.Network right && left.Protocol == right.Protocol
        && (left.Protocol == "icmp" || (left.First <= right.Last && right.First <= left.Last));

    private static bool Covers(SketchedTerm term, Asked asked) =>
        term.What is Resource.Network what && what.Protocol == asked.Protocol
        && (what.Protocol == "icmp" || (what.First <= asked.Port && asked.Port <= what.Last));

    /// <summary>
    /// Whom a term is for: all members, or those that it names. A name that is a group and a machine is nobody's.
    /// </summary>
    private IEnumerable<string> Named(string domain, SketchedTerm term)
    {
        var groups = _said.Domains[domain].Groups;
        string[] members = [.. _members[domain]];
        return term.Only is not { } names ? members : members.Where(machine =>
            names.Any(name => groups.TryGetValue(name, out var group)
                ? !members.Any(one => Sketch.LocalOf(one) == name) && group.Contains(Sketch.LocalOf(machine))
                : name == Sketch.LocalOf(machine)));
    }

    /// <summary>What a domain lends by name and its peers accept, whether or not there is such a volume yet.</summary>
    private IEnumerable<(string Name, SketchedTerm Accept, Wanted Flow)> Loans(string owner) =>
        from grant in Terms(owner, grants: true)
        where grant.Only is null || Named(owner, grant).Any()
        from accept in Terms(grant.Peer, grants: false)
        where accept.Peer == owner && Named(grant.Peer, accept).Any()
        let lent = grant.What as Resource.Volume
        let taken = accept.What as Resource.Volume
        where lent is not null && taken is not null && lent.Name == taken.Name
        select (lent.Name, accept, new Wanted(owner, grant.Peer, lent.Writes && taken.Writes));

    /// <summary>Whether any connection between two domains is wanted by both, for anybody.</summary>
    private bool Meets(string from, string to) => Agreements(from, to).Any(flow =>
        Named(from, flow.Grant).Any() && Named(to, flow.Accept).Any());

    private bool Joins(string one, string other) =>
        !IsCut(one, other) && (Meets(one, other) || Meets(other, one));

    /// <summary>Whether no connection opens between two domains, whatever they agree on: for their addresses, or for
    /// what one of them demands of its information. A connection informs both.</summary>
    private bool IsCut(string one, string other) => _clashing.Contains((one, other))
        || _information.Closes(new Wanted(one, other, IsMutual: true));

    // ---- what is closed though both want it

    /// <summary>What of all that is wanted, and clashes with nothing, demands on information close.</summary>
    private NaiveInformation FindClosed()
    {
        FindClashes();
        return new NaiveInformation(
            _said,
            [
                .. _said.Domains.Keys.SelectMany(domain => Terms(domain, grants: true).Select(term => term.Peer)
                    .Distinct().Where(peer => !_clashing.Contains((domain, peer)) && Meets(domain, peer))
                    .Select(peer => new Wanted(domain, peer, IsMutual: true))),
                .. _said.Domains.Keys.SelectMany(Loans).Select(loan => loan.Flow),
            ],
            [.. Described.SelectMany(Pairs).SelectMany(pair => new[] { pair, (pair.Other, pair.One) }).Distinct()]);
    }

    /// <summary>
    /// Each domain takes its peers in the order in which its terms name them; whom it does not agree with on addresses,
    /// or who would bring addresses that its gateway sees already, has no connections with it.
    /// </summary>
    private void FindClashes()
    {
        _members = Described.SelectMany(machine => _said.Machines[machine].Nics.Select(nic => (nic.Domain, machine)))
            .ToLookup(one => one.Domain, one => one.machine);
        _clashing.Clear();
        var clashes = new List<(string, string)>();
        foreach (var (domain, said) in _said.Domains)
        {
            var seen = new HashSet<Block> { said.Block };
            foreach (string peer in said.Grants.Concat(said.Accepts).Where(term => term.What is Resource.Network)
                .Select(term => term.Peer).Distinct().Where(peer => _said.Domains.ContainsKey(peer))
                .Where(peer => Meets(domain, peer) || Meets(peer, domain)))
            {
                if (!AgreeOnAddresses(domain, peer) || !seen.Add(SeenBy(peer, domain)))
                {
                    clashes.AddRange([(domain, peer), (peer, domain)]);
                }
            }
        }

        _clashing.UnionWith(clashes);
    }

    private bool AgreeOnAddresses(string one, string other) => (NatOf(one, other), NatOf(other, one)) switch
    {
        (null, null) => true,
        ({ } here, { } there) => here.Own == there.Peer && here.Peer == there.Own,
        _ => false,
    };

    private SketchedNat? NatOf(string domain, string with) =>
        _said.Domains[domain].Nats.FirstOrDefault(nat => nat.With == with);

    private Block SeenBy(string domain, string by) => domain != by && AgreeOnAddresses(domain, by)
        ? NatOf(domain, by)?.Own ?? _said.Domains[domain].Block : _said.Domains[domain].Block;

    // ---- who may run where

    /// <summary>The order in which machines are judged: by the tenant's id, then by name.</summary>
    private static string Rank(string machine) => NaiveVlans.Reference(machine);

    private IEnumerable<(string One, string Other)> Pairs(string machine) =>
        from one in _said.Machines[machine].Nics
        from other in _said.Machines[machine].Nics
        where string.CompareOrdinal(one.Domain, other.Domain) < 0
        select (one.Domain, other.Domain);

    private bool MayRun(string machine, string host) =>
        Described.Contains(machine) && _said.Hosts.TryGetValue(host, out var place)
        && !_said.Left.Contains(Sketch.TenantOf(machine))
        && _said.Machines[machine] is var said
        && said.Nics.All(nic => Takes(_said.Domains[nic.Domain], said, place))
        && _room.Has(machine, host)
        && Pairs(machine).All(pair => JoinsFor(machine, pair.One, pair.Other))
        && said.OnlyOn?.Contains(host) != false
        && said.Disks.All(disk => MayHave(machine, disk.Volume, disk.Writes, host))
        && _runs.All(other => other.Value == host
            ? !Names(machine, other.Key, one => one.ApartFrom)
            : !Names(machine, other.Key, one => one.TogetherWith));

    private static bool Takes(SketchedDomain domain, SketchedMachine machine, SketchedHost host) =>
        domain.Expiry != Expiry.Now && domain.Images.Contains(machine.Image) && domain.Countries.Contains(host.Country);

    private bool JoinsFor(string machine, string one, string other) =>
        IsAnyOpen(one, other, machine, machine) || IsAnyOpen(other, one, machine, machine);

    /// <summary>Whether one of two machines of a tenant names the other in a list of its own.</summary>
    private bool Names(string one, string other, Func<SketchedMachine, ImmutableArray<string>> list) =>
        Sketch.TenantOf(one) == Sketch.TenantOf(other)
        && (list(_said.Machines[one]).Contains(Sketch.LocalOf(other))
            || list(_said.Machines[other]).Contains(Sketch.LocalOf(one)));

    /// <summary>
    /// A volume of one's own domain, or one that is lent by a domain that takes the host too; where its own statement
    /// says that it is opened; and nobody has it who must not have it at the same time.
    /// </summary>
    private bool MayHave(string machine, string volume, bool writes, string host) =>
        IsVolume(volume) && _said.Volumes[volume] is var said && _said.Domains[said.Domain] is var owner
        && (_said.Machines[machine].IsIn(said.Domain)
            || (owner.Expiry != Expiry.Now && owner.Countries.Contains(_said.Hosts[host].Country)
                && Lends(volume, machine, writes)))
        && said.OnlyOn?.Contains(host) != false
        // An image's name means the owner's own image.
        && (said.OnlyImages is not { } images || (Sketch.TenantOf(machine) == Sketch.TenantOf(volume)
            && images.Contains(_said.Machines[machine].Image)))
        && _runs.Keys.Where(other => other != machine).SelectMany(other => _said.Machines[other].Disks)
            .Where(disk => disk.Volume == volume).All(held => said.Sharing switch
            {
                "writers" => true,
                "readers" => !writes || !held.Writes,
                _ => false,
            });
}
