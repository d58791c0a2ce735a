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
public sealed class BoardWatch(
    BoardFollower follower, AcceptedStatements accepted, PlanKeeper plans, IntegrityManager integrity)
{
    private const int MaxProblems = 100;
    private readonly Lock _lock = new();
    private readonly LinkedList<ReportedReason> _refused = new();
    private readonly List<VerifiedStatement> _unkept = [];
    private BoardEvent.Advanced? _untaken;

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
        await foreach (BoardEvent told in follower.Follow(stop).ConfigureAwait(false))
        {
            try
            {
                Take(told);
            }
            catch (WorldException error)
            {
                // Not kept, so not in force. The next event tries again.
                Problem = error.Message;
            }
        }
    }

    private void Take(BoardEvent told)
    {
        switch (told)
        {
            case BoardEvent.Advanced advanced:
                _unkept.AddRange(advanced.Added);
                _untaken = advanced;
                Enforce();
                break;
            case BoardEvent.PlacementsChanged placements:
                Enforce();
                accepted.Keep(placements.Placements);
                plans.Take(Proposals(placements.Placements));
                plans.Recompute();
                break;
            case BoardEvent.Alive:
                Enforce();
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
            foreach (RefusedEntry entry in advanced.RefusedEntries)
            {
                // Whose it claims to be is not verified, so it is nobody's to read.
                Refuse(IntegrityReaders.Nobody, $"entry {entry.Index}", entry.Reason.ToString(), entry.Sentence);
            }

            Checkpoint = advanced.Checkpoint;
            plans.Take(advanced.Book);
            plans.Recompute();
            _untaken = null;
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
