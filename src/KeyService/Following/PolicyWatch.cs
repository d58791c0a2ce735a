using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Following;

/// <summary>
/// Follows the board and keeps the newest <see cref="PolicySnapshot"/>. What the board refuses to show, or shows
/// wrongly, changes nothing: the last verified policies stay in force and the problem is told. Nothing is in force
/// before the board was verified once since the start.
/// </summary>
internal sealed partial class PolicyWatch(
    BoardFollower follower, CheckpointHistory history, PartyId tenant, PartyId datacentre, ILogger log)
{
    private readonly LastGoodPolicy _policy = new(tenant, datacentre);
    private volatile PolicySnapshot? _current;
    private volatile string? _trouble;

    /// <summary>What decisions rest on; null until the board was verified.</summary>
    public PolicySnapshot? Current => _current is { } snapshot && _trouble is { } trouble
        ? snapshot with { Problems = snapshot.Problems.Insert(0, trouble) }
        : _current;

    /// <summary>Whom a key stands for now; nobody before the board was verified.</summary>
    public PrincipalRegister Principals => _current?.Principals ?? PrincipalRegister.Empty;

    /// <summary>Follows until cancelled.</summary>
    public async Task Follow(CancellationToken cancel)
    {
        await foreach (BoardEvent told in follower.Follow(cancel))
        {
            switch (told)
            {
                case BoardEvent.Advanced advanced:
                    Advance(advanced);
                    break;
                case BoardEvent.Alive or BoardEvent.PlacementsChanged:
                    _trouble = null;
                    break;
                case BoardEvent.Silent silent:
                    Trouble(silent.Sentence);
                    break;
                case BoardEvent.Refused refused:
                    Trouble(refused.Sentence);
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }
    }

    private void Advance(BoardEvent.Advanced advanced)
    {
        if (advanced.IsAnew)
        {
            _policy.Forget();
        }

        _policy.Take(advanced.Added);
        var (datacentreChecked, problems) = _policy.Check();
        history.Keep(advanced.Checkpoint.Size, advanced.Checkpoint.Root);
        ImmutableArray<string> refused =
            [.. advanced.RefusedEntries.Select(entry => $"Entry {entry.Index} is refused: {entry.Sentence}")];
        _current = new PolicySnapshot(
            datacentreChecked, advanced.Book.RootInForce(tenant)?.Keys,
            PrincipalRegister.Of(advanced.Book, datacentre),
            new VerifiedPoint(advanced.Checkpoint.Origin, advanced.Checkpoint.Size, advanced.Checkpoint.Root),
            [.. problems, .. refused])
        {
            KeyChange = advanced.Book.Find(tenant, StatementKind.KeyChange, KeyChangeNotice.Name),
        };
        _trouble = null;
        LogAdvanced(log, advanced.Checkpoint.Size, problems.Length);
    }

    private void Trouble(string sentence)
    {
        _trouble = $"The board cannot be followed: {sentence} What was verified before stays in force.";
        LogTrouble(log, sentence);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Verified {Size} leaves of the board; {Problems} problems.")]
    private static partial void LogAdvanced(ILogger log, long size, int problems);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The board cannot be followed: {Sentence}")]
    private static partial void LogTrouble(ILogger log, string sentence);
}
