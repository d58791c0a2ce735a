using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Keys;

/// <summary>
/// A sealed key as its session received it, kept to be opened again: the seal, and the session's private half in locked
/// memory. Never the key. What a TPM gave out for it is not kept either, so the TPM is asked each time and decides by
/// its state of then. There is no text form and no file.
/// </summary>
public sealed class KeptRelease : IDisposable
{
    private readonly SealedKey _sealed;
    private readonly PublicKey _session;
    private readonly SecretBytes _private;

    internal KeptRelease(SealedKey sealedKey, PublicKey session, SecretBytes privateHalf) =>
        (_sealed, _session, _private) = (sealedKey, session, privateHalf);

    /// <summary>Opens it again.</summary>
    /// <param name="tpmPart">Has the host's TPM give out its part; what it throws ends the call.</param>
    /// <exception cref="KeyServiceException">It does not open.</exception>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    /// <exception cref="ObjectDisposedException">It was forgotten.</exception>
    public SecretBytes Open(Func<System.Text.Json.JsonElement, ReadOnlyMemory<byte>, SecretBytes> tpmPart)
    {
        ArgumentNullException.ThrowIfNull(tpmPart);
        using SecretBytes? part = _sealed.Tpm is { } delivery ? tpmPart(delivery, _sealed.Context) : null;
        using SessionKey session = Session();
        return session.Open(_sealed, part)
            ?? throw new KeyServiceException("The kept release does not open.");
    }

    /// <summary>Forgets it.</summary>
    public void Dispose() => _private.Dispose();

    /// <inheritdoc/>
    public override string ToString() => "(kept release)";

    private SessionKey Session()
    {
        using SecretLoan loan = _private.Borrow();
        return SessionKey.Again(_session, loan.Bytes);
    }
}
