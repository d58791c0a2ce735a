using Bailiwick.Channel.Principals;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Master.Log;
using Bailiwick.Master.Store;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>The Master's own store, log and writer, with an operator and one tenant in it.</summary>
internal sealed class BenchBoard : IAsyncDisposable
{
    internal const string Origin = "bench.example/log";
    private readonly Stack<IDisposable> _parts = new();
    private readonly BoardWriter _writer;

    private BenchBoard(PrivateDirectory directory)
    {
        var logKey = Keep(SigningParty.NewKey());
        Tenant = Keep(new SigningParty());
        Operator = Keep(new SigningParty());
        var signer = new EcdsaSigner(logKey);
        TenantRoot = Tenant.TenantRoot();
        OperatorRoot = Operator.DatacentreRoot(Origin, signer.PublicKey, Tenant.Id);
        var store = Keep(BoardStore.Open(directory));
        Log = BoardLog.Open(
            store, new LogIdentity(NoteKey.Of(Origin, signer.PublicKey), signer, Operator.Id));
        _writer = new BoardWriter(Log, store, new AppendJudge(Operator.Id));
    }

    internal SigningParty Tenant { get; }

    internal SigningParty Operator { get; }

    internal byte[] TenantRoot { get; }

    internal byte[] OperatorRoot { get; }

    internal BoardLog Log { get; }

    internal static async Task<BenchBoard> Open(PrivateDirectory directory)
    {
        var board = new BenchBoard(directory);
        await board.AppendAs(Principal.Anonymous(board.Operator.Admin.Key.Id), board.OperatorRoot);
        await board.AppendAs(Principal.Anonymous(board.Tenant.Admin.Key.Id), board.TenantRoot);
        return board;
    }

    /// <summary>Appends in the name of the tenant's administrator; durable when it returns.</summary>
    internal Task Append(params byte[][] envelopes) => AppendAs(
        Log.State.Principals.Resolve(Tenant.Admin.Key.Id) ?? throw new BenchException("The admin is nobody."),
        envelopes);

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        while (_parts.TryPop(out var part))
        {
            part.Dispose();
        }
    }

    private async Task AppendAs(Principal caller, params byte[][] envelopes)
    {
        var outcome = await _writer.Append(
            caller, [.. envelopes.Select(one => new ReadOnlyMemory<byte>(one))], CancellationToken.None);
        if (outcome is AppendOutcome.Refused refused)
        {
            throw new BenchException("The board refuses: " + string.Join("; ", refused.Refusals));
        }
    }

    private T Keep<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
