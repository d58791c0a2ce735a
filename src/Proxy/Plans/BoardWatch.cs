using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// Follows the board and hands what is verified to the <see cref="PlanKeeper"/>, after it is kept. What is refused
/// changes nothing: it is recorded, shown and reported, and the last good policy stays in force.
/// </summary>
/// <remarks>
/// What the board tells faster than a plan is computed is put in force together. Else a tenant that changes a large
/// policy without end would have every other tenant's change wait behind all of its own.
/// </remarks>
public sealed class BoardWatch(
    BoardFollower follower, AcceptedStatements accepted, PlanKeeper plans, IntegrityManager integrity)
{
    private const int MaxProblems = 100;
    /// <summary>Most events that are put in force together.</summary>
    private const int MostTogether = 16;
    private readonly Lock _lock = new();
    private readonly LinkedList<ReportedReason> _refused = new();
    private readonly List<VerifiedStatement> _unkept = [];
    private readonly List<RefusedEntry> _unrefused = [];
    private BoardEvent.Advanced? _untaken;
    private ImmutableArray<PlacementRow>? _unplaced;
    private int _together;

    /// <summary>The newest checkpoint that was verified, or null since the start.</summary>
    public VerifiedCheckpoint? Checkpoint { get; private set; }

    /// <summary>Why the board cannot be followed now, or empty.</summary>
    public string Problem { get; private set; } = "The board has not been reached since the Proxy started.";

    /// <summary>Statements and histories that were refused, newest first; bounded.</summary>
    public ImmutableArray<ReportedReason> RefusedStatements
    {
        get
        {
            lock (_lock)
            {
                return [.. _refused];
            }
        }
    }

    /// <summary>Puts in force what was kept before a restart.</summary>
    /// <exception cref="WorldException">The record could not be made.</exception>
    public void Recall()
    {
        plans.Take(accepted.Book);
        plans.Take(Proposals(accepted.Placements()));
        plans.Recompute();
    }

    /// <summary>Follows until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        // Not disposed of: it is always on its way to the next event, and lets go of what it has when that fails.
        IAsyncEnumerator<BoardEvent> events = follower.Follow(stop).GetAsyncEnumerator(stop);
        ValueTask<bool> next = events.MoveNextAsync();
        while (await next.ConfigureAwait(false))
        {
            BoardEvent told = events.Current;
            next = events.MoveNextAsync();
            try
            {
                Take(told, moreWaits: next.IsCompletedSuccessfully);
            }
            catch (WorldException error)
            {
                // Not kept, so not in force. The next event tries again.
                Problem = error.Message;
            }
        }
    }

    private void Take(BoardEvent told, bool moreWaits)
    {
        if (told is BoardEvent.Advanced advanced)
        {
            _unkept.AddRange(advanced.Added);
            _unrefused.AddRange(advanced.RefusedEntries);
            _untaken = advanced;
        }
        else if (told is BoardEvent.PlacementsChanged placements)
        {
            _unplaced = placements.Placements;
        }

        if (!moreWaits || ++_together >= MostTogether)
        {
            _together = 0;
            Enforce();
        }

        switch (told)
        {
            case BoardEvent.Advanced or BoardEvent.PlacementsChanged or BoardEvent.Alive:
                break;
            case BoardEvent.Silent silent:
                Problem = silent.Sentence;
                break;
            case BoardEvent.Refused refused:
                Problem = refused.Sentence;
                string reason = refused.Reason.ToString();
                // A history that forks or goes back concerns whoever has anything in it.
                Refuse(
                    IntegrityReaders.Everyone, $"board: {refused.Shown?.ToString() ?? reason}", reason,
                    refused.Sentence);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// Keeps, then puts in force, what the board has told and the disk has not taken yet. A later revision must never
    /// be in force while an earlier one is not kept: after a restart the host would go back behind it.
    /// </summary>
    private void Enforce()
    {
        if (_untaken is { } advanced)
        {
            accepted.Keep(_unkept);
            _unkept.Clear();
            foreach (RefusedEntry entry in _unrefused)
            {
                // Whose it claims to be is not verified, so it is nobody's to read.
                Refuse(IntegrityReaders.Nobody, $"entry {entry.Index}", entry.Reason.ToString(), entry.Sentence);
            }

            _unrefused.Clear();
            Checkpoint = advanced.Checkpoint;
            plans.Take(advanced.Book);
        }

        if (_unplaced is { } rows)
        {
            accepted.Keep(rows);
            plans.Take(Proposals(rows));
        }

        if (_untaken is not null || _unplaced is not null)
        {
            plans.Recompute();
            (_untaken, _unplaced) = (null, null);
        }

        Problem = "";
    }

    private void Refuse(IntegrityReaders readers, string subject, string code, string sentence)
    {
        lock (_lock)
        {
            if (_refused.Any(r => r.Code == code && r.Sentence == sentence))
            {
                return;
            }

            _refused.AddFirst(new ReportedReason(code, sentence));
            if (_refused.Count > MaxProblems)
            {
                _refused.RemoveLast();
            }
        }

        if (!integrity.Has(IntegrityKind.StatementRefused, subject))
        {
            integrity.Record(IntegrityKind.StatementRefused, readers, subject, $"{code}: {sentence}");
        }
    }

    /// <summary>What can be read of the suggestions; what cannot, suggests nothing.</summary>
    private static ImmutableArray<PlacementProposal> Proposals(ImmutableArray<PlacementRow> rows) =>
    [
        .. rows.Select(row => Reference(row.Compartment) is { } machine && Reference(row.Host) is { } host
                ? new PlacementProposal(
                    new CompartmentRef(machine.Party, machine.Name), new HostRef(host.Party, host.Name), row.Running)
                : null)
            .OfType<PlacementProposal>(),
    ];

    private static (PartyId Party, StatementName Name)? Reference(string? text) =>
        text?.Split('/') is [var party, var name] && PartyId.TryParse(party, out PartyId? id)
        && StatementName.TryParse(name, out StatementName? parsed)
            ? (id, parsed)
            : null;
}
