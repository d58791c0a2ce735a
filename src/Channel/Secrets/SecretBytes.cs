using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Bailiwick.Channel.Secrets;

/// <summary>
/// Bytes that must not be written anywhere by accident: a volume's key, a key encryption key. They live outside the
/// collected heap in locked pages that no core dump contains, and are overwritten when disposed (at the latest by the
/// finalizer). They are lent, never handed over; there is no text form, no JSON form and no comparison that stops
/// early. Safe for use from several threads; a loan and a disposal never overlap.
/// </summary>
[JsonConverter(typeof(SecretJsonRefusal))]
public sealed class SecretBytes : IDisposable
{
    /// <summary>The longest secret, in bytes: one page.</summary>
    public const int MaxLength = 4096;

    private readonly Lock _gate = new();
    private nint _address;

    private SecretBytes(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        Length = length;
        _address = SecretMemory.Map(length);
    }

    /// <summary>Overwrites what an owner forgot to dispose of.</summary>
    ~SecretBytes() => Release();

    /// <summary>Fills a new secret; the span is the secret's own memory and is zero at first.</summary>
    public delegate void Filler(Span<byte> secret);

    /// <summary>How many bytes it has; no secret in itself.</summary>
    public int Length { get; }

    /// <summary>A secret whose bytes <paramref name="fill"/> writes in place.</summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public static SecretBytes Create(int length, Filler fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        SecretBytes secret = new(length);
        try
        {
            fill(secret.Memory());
            GC.KeepAlive(secret);
            return secret;
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }

    /// <summary>A secret of bytes from the system's random number generator.</summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public static SecretBytes Random(int length) => Create(length, RandomNumberGenerator.Fill);

    /// <summary>Moves bytes into a secret: the source is overwritten with zeros, also when this fails.</summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public static SecretBytes Take(Span<byte> source)
    {
        SecretBytes? secret = null;
        try
        {
            secret = new SecretBytes(source.Length);
            source.CopyTo(secret.Memory());
            return secret;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(source);
            GC.KeepAlive(secret);
        }
    }

    /// <summary>Lends the bytes out until the loan is disposed of; a disposal of the secret waits for that.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public SecretLoan Borrow()
    {
        Lock.Scope scope = _gate.EnterScope();
        if (_address == 0)
        {
            scope.Dispose();
            throw new ObjectDisposedException(nameof(SecretBytes));
        }

        return new SecretLoan(this, scope, Memory());
    }

    /// <summary>Whether two secrets are the same bytes, in a time that depends only on their lengths.</summary>
    public bool HasSameBytesAs(SecretBytes other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        using SecretLoan mine = Borrow();
        using SecretLoan theirs = other.Borrow();
        return CryptographicOperations.FixedTimeEquals(mine.Bytes, theirs.Bytes);
    }

    /// <summary>Overwrites the bytes and gives the memory back.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>A fixed word: a secret has no text form.</summary>
    public override string ToString() => "(secret)";

    private void Release()
    {
        lock (_gate)
        {
            if (_address != 0)
            {
                CryptographicOperations.ZeroMemory(Memory());
                SecretMemory.Unmap(_address, Length);
                _address = 0;
            }
        }
    }

    // unsafe: the pages are mapped by SecretMemory for exactly this length and stay mapped while the gate is held.
    private unsafe Span<byte> Memory() => new((void*)_address, Length);
}
