namespace Bailiwick.Ledger.Checkpoints;

/// <summary>
/// A checkpoint that its log has signed. Only <see cref="Checkpoint.Open"/> makes one. It says what the log claims at
/// one moment; that the log tells everyone the same follows only from <see cref="CheckpointHistory"/> and from
/// witnesses.
/// </summary>
public sealed class VerifiedCheckpoint
{
    private VerifiedCheckpoint(Checkpoint checkpoint, SignedNote note)
    {
        Origin = checkpoint.Origin;
        Size = checkpoint.Size;
        Root = checkpoint.Root;
        Note = note;
    }

    /// <summary>The log's name.</summary>
    public string Origin { get; }

    /// <summary>The number of leaves.</summary>
    public long Size { get; }

    /// <summary>The root of the tree of that size.</summary>
    public Digest32 Root { get; }

    /// <summary>The signed note with all its lines.</summary>
    public SignedNote Note { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Origin} at {Size}";

    /// <summary>For <see cref="Checkpoint.Open"/> alone, after its checks.</summary>
    internal static VerifiedCheckpoint Of(Checkpoint checkpoint, SignedNote note) => new(checkpoint, note);
}
