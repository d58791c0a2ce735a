using System.Collections.Immutable;
using Bailiwick.Channel.Principals;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Log;

/// <summary>One entry of the log in memory.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Salt">Its salt.</param>
/// <param name="Commitment">The leaf's data.</param>
/// <param name="Statement">The statement, with the envelope's bytes as stored.</param>
public sealed record LogEntry(
    long Index, ImmutableArray<byte> Salt, Digest32 Commitment, VerifiedStatement Statement);

/// <summary>
/// The board at one moment, replaced whole. Everything in it is durable: a state is put up for readers only after the
/// store's commit.
/// </summary>
/// <param name="Checkpoint">The newest checkpoint; it covers all entries.</param>
/// <param name="Note">Its signed note.</param>
/// <param name="Book">All statements.</param>
/// <param name="Principals">Whom each key stands for.</param>
/// <param name="Orders">The newest order on each subject.</param>
public sealed record BoardState(
    VerifiedCheckpoint Checkpoint, string Note, StatementBook Book, PrincipalRegister Principals,
    ImmutableDictionary<(OrderKind Kind, string Subject), StoredOrder> Orders)
{
    /// <summary>The number of entries.</summary>
    public long Size => Checkpoint.Size;

    /// <summary>The value of the newest order, or what holds when nobody ordered anything.</summary>
    public bool Ordered(OrderKind kind, string subject, bool otherwise) =>
        Orders.TryGetValue((kind, subject), out var order) ? order.Value : otherwise;
}
