using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Which links join two hosts, as lists of which equal ones are the same: what follows from a list is found once for
/// all hosts that it joins.
/// </summary>
internal sealed class HostLinks(CheckedDatacentre datacentre)
{
    private readonly ConcurrentDictionary<HostRef, ImmutableArray<LinkModel>> _byHost = [];
    private readonly ConcurrentDictionary<string, ImmutableArray<LinkModel>> _lists = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<HostRef, ImmutableArray<string>> _inner = [];

    /// <summary>The operator's links that a host is on, by name.</summary>
    public ImmutableArray<LinkModel> Of(HostModel host) => _byHost.GetOrAdd(
        host.Ref, one => Same([.. datacentre.Index.Links(one)]));

    /// <summary>A host's addresses inside its encrypted tunnels, by number.</summary>
    public ImmutableArray<string> Inside(HostModel host) => _inner.TryGetValue(host.Ref, out var known) ? known
        : _inner.GetOrAdd(host.Ref, [.. Enumerable.Range(0, EncryptedTunnels.Places).Select(
            number => InnerAddress.Of(host.UnderlayIpv4, number))]);

    /// <summary>Those of one host that another is on too.</summary>
    public ImmutableArray<LinkModel> Joining(ImmutableArray<LinkModel> left, ImmutableArray<LinkModel> right)
    {
        if (left == right)
        {
            return left;
        }

        // Asked of every two hosts that meet, of which most are joined by none.
        ImmutableArray<LinkModel>.Builder? both = null;
        foreach (var link in left)
        {
            foreach (var other in right)
            {
                if (ReferenceEquals(link, other))
                {
                    (both ??= ImmutableArray.CreateBuilder<LinkModel>()).Add(link);
                }
            }
        }

        return both is null ? [] : Same(both.ToImmutable());
    }

    private ImmutableArray<LinkModel> Same(ImmutableArray<LinkModel> links) => links.IsEmpty ? links
        : _lists.GetOrAdd(string.Join(' ', links.Select(link => link.Name.Text)), links);
}

/// <summary>How a network's frames pass links, so that equal ways are the same one.</summary>
internal sealed class LinkWays(Func<ImmutableArray<LinkModel>, LinkWay> of)
{
    private readonly ConcurrentDictionary<ImmutableArray<LinkModel>, LinkWay> _byLinks = [];
    private readonly ConcurrentDictionary<string, LinkWay> _bySentence = new(StringComparer.Ordinal);
    private Kept<Reason>? _reasons;

    /// <summary>How they pass between two hosts that these links join.</summary>
    public LinkWay By(ImmutableArray<LinkModel> joining) => _byLinks.TryGetValue(joining, out var known) ? known
        : _byLinks.GetOrAdd(joining, links =>
        {
            var way = of(links);
            return _bySentence.GetOrAdd(way.Sentence, way);
        });

    /// <summary>The same as why frames pass so.</summary>
    public Reason Reason(LinkWay way) => Kept<Reason>.Find(_reasons, way)
        ?? Kept<Reason>.Of(ref _reasons, way, one => new Reason(one.Sentence, one.Because));
}
