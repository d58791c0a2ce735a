using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.PublicKeys;

/// <summary>The form of a signature.</summary>
public enum SignatureForm
{
    /// <summary>RSASSA-PKCS1-v1_5, as long as the modulus.</summary>
    RsaPkcs1 = 1,

    /// <summary>RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash or as long as fits.</summary>
    RsaPss,

    /// <summary>ECDSA, r and s each as long as the curve's order (IEEE P1363).</summary>
    EcdsaFixed,

    /// <summary>ECDSA in DER (RFC 3279, section 2.2.3).</summary>
    EcdsaDer,
}

/// <summary>
/// Opened keys, so that a verifier that sees the same keys again and again does not open them each time, which costs
/// more than to verify. It holds at most as many as its owner allows and lets go of the one not used for longest. An
/// opened key is lent to one caller at a time; several callers may use the cache at once.
/// </summary>
public sealed class VerifierKeyCache : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _capacity;
    private readonly Dictionary<Digest32, LinkedListNode<(Digest32 Id, AsymmetricAlgorithm Opened)>> _idle = [];
    private readonly LinkedList<(Digest32 Id, AsymmetricAlgorithm Opened)> _order = [];

    /// <summary>An empty cache.</summary>
    /// <param name="capacity">The most keys it holds, 0 to hold none.</param>
    public VerifierKeyCache(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _capacity = capacity;
    }

    /// <summary>How many keys it holds now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _order.Count;
            }
        }
    }

    /// <summary>
    /// True if the signature is the key's over the data; false for anything else, a form that is not the key's
    /// included.
    /// </summary>
    public bool Verifies(
        SubjectKey key, SignatureForm form, TpmHash hash, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.IsRsa != (form is SignatureForm.RsaPkcs1 or SignatureForm.RsaPss))
        {
            return false;
        }

        var opened = Take(key);
        try
        {
            return Verifies(opened, form, hash.PlatformName(), data, signature);
        }
        catch (CryptographicException)
        {
            // What the platform cannot even read as a signature is none.
            return false;
        }
        finally
        {
            Return(key.Id, opened);
        }
    }

    /// <summary>Lets go of all keys.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var (_, opened) in _order)
            {
                opened.Dispose();
            }

            _order.Clear();
            _idle.Clear();
        }
    }

    private static bool Verifies(
        AsymmetricAlgorithm opened, SignatureForm form, HashAlgorithmName hash, ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> signature) => (opened, form) switch
        {
            (RSA rsa, SignatureForm.RsaPkcs1) => rsa.VerifyData(data, signature, hash, RSASignaturePadding.Pkcs1),
            (RSA rsa, SignatureForm.RsaPss) => rsa.VerifyData(data, signature, hash, RSASignaturePadding.Pss)
                || LongSaltPss.Verifies(rsa.ExportParameters(includePrivateParameters: false), hash, data, signature),
            (ECDsa ecdsa, SignatureForm.EcdsaFixed) => ecdsa.VerifyData(
                data, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
            (ECDsa ecdsa, SignatureForm.EcdsaDer) => ecdsa.VerifyData(
                data, signature, hash, DSASignatureFormat.Rfc3279DerSequence),
            _ => throw new UnreachableException(),
        };

    private AsymmetricAlgorithm Take(SubjectKey key)
    {
        lock (_lock)
        {
            if (_idle.Remove(key.Id, out var node))
            {
                _order.Remove(node);
                return node.Value.Opened;
            }
        }

        return (AsymmetricAlgorithm?)key.OpenRsa() ?? key.OpenEcdsa() ?? throw new UnreachableException();
    }

    private void Return(Digest32 id, AsymmetricAlgorithm opened)
    {
        AsymmetricAlgorithm? surplus = opened;
        lock (_lock)
        {
            if (_capacity > 0 && !_idle.ContainsKey(id))
            {
                _idle[id] = _order.AddFirst((id, opened));
                surplus = null;
                if (_order.Count > _capacity && _order.Last is { } oldest)
                {
                    _idle.Remove(oldest.Value.Id);
                    _order.RemoveLast();
                    surplus = oldest.Value.Opened;
                }
            }
        }

        surplus?.Dispose();
    }
}
