using System.Collections.Immutable;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// What was found of domains by flows and sums, with what it rests on: for a check that goes on from this one, so that
/// what rests on the same is not found again.
/// </summary>
internal sealed class DomainNotes
{
    /// <summary>What is wrong with terms and groups, of domains that name nobody who is not a member.</summary>
    private readonly Dictionary<DomainRef, (DomainModel Domain, DomainCrew Crew, ImmutableArray<Finding> Found)>
        _terms = [];

    /// <summary>What is said of terms that no term of a known domain meets.</summary>
    private readonly Dictionary<FlowSide, (DomainModel Peer, Finding Found)> _unmet =
        new(ReferenceEqualityComparer.Instance);

    /// <summary>What quotas are too small for.</summary>
    private readonly Dictionary<DomainRef, (DomainModel Domain, ImmutableArray<Finding> Found)> _sums = [];

    private DomainNotes? _before;

    /// <summary>Begins them.</summary>
    /// <param name="before">Those of the check before.</param>
    /// <param name="summed">The domains whose machines or volumes may be others than then; null for all.</param>
    public DomainNotes(DomainNotes? before, IReadOnlySet<DomainRef>? summed) => (_before, Summed) = (before, summed);

    /// <summary>The domains whose machines or volumes may be others than in the check before; null for all.</summary>
    public IReadOnlySet<DomainRef>? Summed { get; }

    /// <summary>Says what is wrong with a domain's own terms.</summary>
    /// <param name="statements">Where to say it.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="crew">Its members.</param>
    /// <param name="isOwn">Whether what is found rests on nothing else than these two.</param>
    /// <param name="find">Finds it.</param>
    public void Terms(
        StatementSet statements, DomainModel domain, DomainCrew crew, Func<bool> isOwn, Action find)
    {
        if (_before?._terms.TryGetValue(domain.Ref, out var known) == true
            && ReferenceEquals(known.Domain, domain) && ReferenceEquals(known.Crew, crew))
        {
            statements.Again(known.Found);
            _terms[domain.Ref] = known;
            return;
        }

        var found = Found(statements, find);
        if (isOwn())
        {
            _terms[domain.Ref] = (domain, crew, found);
        }
    }

    /// <summary>Says of a term that no term of the peer's meets it.</summary>
    public void Unmet(StatementSet statements, FlowSide side, DomainModel peer, Action find)
    {
        if (_before?._unmet.TryGetValue(side, out var known) == true && ReferenceEquals(known.Peer, peer))
        {
            statements.Again([known.Found]);
            _unmet[side] = known;
        }
        else
        {
            _unmet[side] = (peer, Found(statements, find)[0]);
        }
    }

    /// <summary>Says what a domain's machines and volumes are too much for.</summary>
    /// <param name="statements">Where to say it.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="find">Adds up.</param>
    public void Sums(StatementSet statements, DomainModel domain, Action find)
    {
        if (_before?._sums.TryGetValue(domain.Ref, out var known) == true
            && ReferenceEquals(known.Domain, domain) && Summed?.Contains(domain.Ref) == false)
        {
            statements.Again(known.Found);
            _sums[domain.Ref] = known;
        }
        else
        {
            _sums[domain.Ref] = (domain, Found(statements, find));
        }
    }

    /// <summary>Lets go of those before.</summary>
    public void Close() => _before = null;

    private static ImmutableArray<Finding> Found(StatementSet statements, Action find)
    {
        var count = statements.Late.Count;
        find();
        return [.. statements.Late.Skip(count)];
    }
}
