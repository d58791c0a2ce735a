using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Principals;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// Turns verified statements and the Master's suggestions into the plan in force. The plan's digest is in the integrity
/// log, durably, before anyone can read the plan here. Statements that are refused never get this far, so the last good
/// policy stays in force; a policy that expires is refined to nothing, by the same function at a later moment. Hosts
/// that have not proven themselves to this one are taken out of it.
/// </summary>
public sealed partial class PlanKeeper
{
    private const int PredecessorsPlans = 16;
    private const int PredecessorsParts = 256;
    private readonly HostRef _host;
    private readonly IntegrityManager _integrity;
    private readonly TimeProvider _time;
    private readonly HostDoubt _doubt;
    private readonly Lock _lock = new();
    private readonly Dictionary<DomainRef, string> _parts = [];
    private StatementBook _book = StatementBook.Empty;
    private ImmutableArray<PlacementProposal> _proposals = [];
    private PolicyReading? _reading;
    private PolicyCheckResult? _checked;
    private RefinedDatacentre? _refined;
    private ImmutableArray<PlacementProposal> _running = [];
    private volatile EnforcedPlan _current;
    private string _recorded;

    /// <summary>Begins with the plan of a host of which nothing is known: nothing may run.</summary>
    public PlanKeeper(HostRef host, IntegrityManager integrity, TimeProvider time, HostDoubt doubt)
    {
        _doubt = doubt;
        _host = host;
        _integrity = integrity;
        _time = time;
        RecallNames();
        _current = Compute();
        _recorded = _current.Digest;
    }

    /// <summary>How this host itself stands for a domain; a host that proves itself to nobody stays unknown.</summary>
    public Func<DomainRef, OwnStanding> Own { get; init; } = _ => OwnStanding.Unknown;

    /// <summary>Raised after another plan came into force, on the thread that brought it.</summary>
    public event Action? Changed;

    /// <summary>The plan in force.</summary>
    public EnforcedPlan Current => _current;

    /// <summary>The verified statements the plan rests on.</summary>
    public StatementBook Book
    {
        get
        {
            lock (_lock)
            {
                return _book;
            }
        }
    }

    /// <summary>What is wrong with statements that were left out.</summary>
    public ImmutableArray<Finding> Findings { get; private set; } = [];

    /// <summary>The names of the plans in force since the start, and whom they concern.</summary>
    public PlannedNames Names { get; } = new();

    /// <summary>Takes the statements as they are verified now.</summary>
    public void Take(StatementBook book)
    {
        lock (_lock)
        {
            _book = book;
        }
    }

    /// <summary>
    /// The policies once a party has published more statements on top of those that are verified here. It changes
    /// nothing.
    /// </summary>
    /// <param name="envelopes">In the order in which they were signed.</param>
    /// <param name="author">The party; a statement of another's is refused.</param>
    /// <param name="refused">Why they would not be taken; null when the policies are given.</param>
    /// <returns>Null when one would be refused.</returns>
    public CheckedDatacentre? With(IEnumerable<byte[]> envelopes, PartyId author, out string? refused)
    {
        (StatementBook book, _, PolicyCheckResult before) = Taken();
        if (book.With(envelopes, out StatementVerdict.Refused? no) is not { } next)
        {
            refused = $"One of them would be refused ({no?.Reason}): {no?.Sentence}";
            return null;
        }

        var others = Statements(next).Except(Statements(book)).Where(one => one.Owner != author).ToArray();
        refused = others.Length == 0 ? null : $"{others[0]} is not a statement of the caller's.";
        return others.Length > 0 ? null
            : PolicyCheck.Run(
                PolicyDocuments.FromStatements(Statements(next)).Documents, before: before.Datacentre).Datacentre;
    }

    /// <summary>
    /// What is wrong with the statements that are verified here, and what follows from them, as a party may read it.
    /// </summary>
    /// <param name="reader">Who reads.</param>
    /// <param name="at">The moment for which it is asked.</param>
    public ImmutableArray<Finding> FindingsFor(PartyId reader, DateTimeOffset at)
    {
        (_, PolicyReading reading, PolicyCheckResult result) = Taken();
        return TenantFindings.For(
            result.Findings.Concat(PolicyConsequences.Of(reading.Documents, result.Datacentre, at)), reading.Documents,
            result.Datacentre, result.Datacentre.Names, reader);
    }

    private (StatementBook Book, PolicyReading Reading, PolicyCheckResult Checked) Taken()
    {
        lock (_lock)
        {
            PolicyCheckResult result = Check();
            return (_book, _reading ?? throw new UnreachableException(), result);
        }
    }

    /// <summary>Takes the Master's suggestions.</summary>
    public void Take(ImmutableArray<PlacementProposal> proposals)
    {
        lock (_lock)
        {
            _proposals = proposals;
        }
    }

    /// <summary>
    /// Computes the plan anew, and puts it in force if it is another: first the record, then the plan.
    /// </summary>
    /// <exception cref="WorldException">The record could not be made; the plan before stays in force.</exception>
    public void Recompute()
    {
        bool changed = false;
        lock (_lock)
        {
            EnforcedPlan next = Compute();
            if (next.Digest != _recorded)
            {
                Record(next);
                _recorded = next.Digest;
                changed = true;
            }

            // The same plan with other suggestions or other statements behind it is still taken: what a machine's
            // admission is checked against must be the newest.
            changed |= !_current.Proposals.SequenceEqual(next.Proposals)
                || _current.Standings.Any(pair => next.Standings.GetValueOrDefault(pair.Key) != pair.Value);
            Names.Take(next.Plan);
            _current = next;
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    /// <summary>Computes the plan anew if a host's standing is another than the plan in force took it to be.</summary>
    /// <exception cref="WorldException">The record could not be made; the plan before stays in force.</exception>
    public void Reconsider()
    {
        if (_current.Doubts.Any(pair => pair.Value != _doubt(pair.Key.Host, pair.Key.Domain))
            || _current.Standings.Any(pair => pair.Value != Stands(pair.Key)))
        {
            Recompute();
        }
    }

    /// <summary>
    /// A host that cannot record can bring nothing new into force. But what it is no longer trusted with it lets go of
    /// without a record: a TPM that is gone must not be what keeps machines running.
    /// </summary>
    private void Record(EnforcedPlan next)
    {
        try
        {
            _integrity.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, _host.ToString(), next.Text);
            RecordParts(next.Plan);
            RecordWithdrawn(next);
        }
        catch (WorldException) when (next.Standings.Values.Any(own => own.Trust == OwnTrust.Lost))
        {
            EnforcedPlan less = _current.Narrowed(next.Standings);
            bool changed = less.Digest != _current.Digest;
            _current = less;
            if (changed)
            {
                Changed?.Invoke();
            }

            throw;
        }
    }

    /// <summary>Each owner's part of the plan, where it is another than before: the owner can open it alone.</summary>
    private void RecordParts(HostPlan plan)
    {
        foreach (DomainPlan domain in plan.Domains)
        {
            string text = Encoding.UTF8.GetString(PlanJson.Write(domain));
            if (_parts.GetValueOrDefault(domain.Domain) != text)
            {
                RecordPart(domain.Domain, text);
                _parts[domain.Domain] = text;
            }
        }

        foreach (DomainRef gone in _parts.Keys.Except(plan.Domains.Select(d => d.Domain)).ToArray())
        {
            RecordPart(gone, "");
            _parts.Remove(gone);
        }
    }

    /// <summary>Which flows end with the plan in force, and by which revision: told to the domain's owner.</summary>
    private void RecordWithdrawn(EnforcedPlan next)
    {
        foreach (WithdrawnFlow flow in WithdrawnFlows.Between(_current.Plan, next.Plan, next.Datacentre))
        {
            _integrity.Record(
                IntegrityKind.FlowClosed, IntegrityReaders.Of(flow.Domain.Tenant), flow.Domain.ToString(),
                flow.Sentence);
            Console.Error.WriteLine($"bailiwick: {flow.Count} flows of {flow.Domain} end. {flow.Cause}.");
        }
    }

    private void RecordPart(DomainRef domain, string text) => _integrity.Record(
        IntegrityKind.PlanPart, IntegrityReaders.Of(domain.Tenant), domain.ToString(), text);

    /// <summary>What a Proxy that died may have left half taken away: everything its last plans name.</summary>
    private void RecallNames()
    {
        IReadOnlyList<IntegrityLine> parts = _integrity.Last(e => e.Kind == IntegrityKind.PlanPart, PredecessorsParts);
        IReadOnlyList<IntegrityLine> plans = _integrity.Last(e => e.Kind == IntegrityKind.Plan, PredecessorsPlans);
        foreach (IntegrityLine line in parts.Concat(plans))
        {
            IntegrityReaders readers = line.Entry.Kind == IntegrityKind.PlanPart
                ? line.Entry.Readers
                : IntegrityReaders.Nobody;
            foreach (Match match in OwnName().Matches(line.Detail.Text))
            {
                Names.Recall(match.Groups[1].Value, readers);
            }
        }
    }

    [GeneratedRegex("\"(bw(?:[btxpqnv][0-9a-f]{10}|[swy][0-9a-f]{10}[01]|-[0-9a-f]{16}))\"")]
    private static partial Regex OwnName();

    /// <summary>Where there is no key service nobody can say more than the admission did.</summary>
    private OwnStanding Stands(DomainRef domain) =>
        Own(domain) is { Trust: not OwnTrust.Unknown } said ? said
        : TenantServices.KeyOf(_book, domain.Tenant) is null ? OwnStanding.Held
        : OwnStanding.Unknown;

    private EnforcedPlan Compute()
    {
        PolicyCheckResult result = Check();
        Findings = result.Findings;
        RefinedDatacentre refined = Refined(result.Datacentre);
        HostPlan whole = refined.ForHost(_host);
        var doubts = TrustedPeers.Wanted(whole).ToFrozenDictionary(
            pair => pair, pair => _doubt(pair.Host, pair.Domain));
        var standings = OwnMachines.Wanted(whole, result.Datacentre).ToFrozenDictionary(domain => domain, Stands);
        NarrowedPlan own = OwnMachines.Narrow(whole, result.Datacentre, domain => standings[domain]);
        HostPlan plan = TrustedPeers.Only(own.Plan, (host, domain) => doubts[(host, domain)]);
        return new EnforcedPlan(plan, result.Datacentre, _proposals, Encoding.UTF8.GetString(PlanJson.Write(plan)))
        {
            Refined = refined,
            Doubts = doubts,
            Standings = standings,
            Lost = own.Lost.ToFrozenDictionary(lost => lost.Machine),
        };
    }

    /// <summary>Takes from the last refinement what nothing since then has touched.</summary>
    private RefinedDatacentre Refined(CheckedDatacentre datacentre)
    {
        DateTimeOffset now = _time.GetUtcNow();
        ImmutableArray<PlacementProposal> running = [.. _proposals.Where(proposal => proposal.Running)];
        _refined = _refined?.After(datacentre, [.. running.Except(_running)], [.. _running.Except(running)], now)
            ?? Refine.Of(datacentre, running, now);
        _running = running;
        return _refined;
    }

    /// <summary>Takes from the last check what no statement since then changed.</summary>
    private PolicyCheckResult Check()
    {
        PolicyReading reading = PolicyDocuments.FromStatements(Statements(_book), before: _reading);
        if (_checked is null || !reading.Documents.SequenceEqual(_reading?.Documents ?? []))
        {
            _checked = PolicyCheck.Run(reading.Documents, before: _checked?.Datacentre);
            _reading = reading;
        }

        return _checked;
    }

    /// <summary>The operator's own statements, and those of the tenants that its root admits; no stranger's.</summary>
    private IEnumerable<VerifiedStatement> Statements(StatementBook book)
    {
        if (book.RootInForce(_host.Operator)?.Statement is not { Kind: StatementKind.Datacentre } root)
        {
            return [];
        }

        HashSet<PartyId> parties = [_host.Operator, .. PrincipalRegister.TenantsOf(root.Body)];
        return Enum.GetValues<StatementKind>().SelectMany(book.Current).Where(s => parties.Contains(s.Owner));
    }
}
