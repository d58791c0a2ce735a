namespace Bailiwick.Channel.Secrets;

/// <summary>
/// A secret's bytes, lent for the length of one block. It cannot be stored, captured or kept over an await; the span
/// must not be used after the loan has ended.
/// </summary>
public ref struct SecretLoan : IDisposable
{
    private readonly SecretBytes _owner;
    private Lock.Scope _scope;
    private bool _ended;

    internal SecretLoan(SecretBytes owner, Lock.Scope scope, ReadOnlySpan<byte> bytes)
    {
        _owner = owner;
        _scope = scope;
        Bytes = bytes;
    }

    /// <summary>The secret.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Ends the loan.</summary>
    public void Dispose()
    {
        if (!_ended)
        {
            _ended = true;
            Bytes = default;
            _scope.Dispose();
            GC.KeepAlive(_owner);
        }
    }
}
