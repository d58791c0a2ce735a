using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring;

/// <summary>
/// The key at the top of a tenant's hierarchy: 256 bits, of one tenant and one generation. What encrypts and what names
/// it are derived from it (HKDF-Expand, RFC 5869) under labels of their own, so that neither tells of the other.
/// </summary>
public sealed class MasterKey : IDisposable
{
    /// <summary>Its length in bytes.</summary>
    public const int Length = 32;

    private const string IdLabel = "bailiwick master key id v1";
    private const string WrappingLabel = "bailiwick master key wrapping v1";

    private MasterKey(PartyId tenant, long generation, SecretBytes secret)
    {
        Tenant = tenant;
        Generation = generation;
        Secret = secret;
        using SecretBytes id = Derive(IdLabel);
        using SecretLoan loan = id.Borrow();
        Id = Digest32.FromBytes(loan.Bytes);
        Wrapping = Derive(WrappingLabel);
    }

    /// <summary>Whose it is.</summary>
    public PartyId Tenant { get; }

    /// <summary>Which one of the tenant's, from 1 on.</summary>
    public long Generation { get; }

    /// <summary>Names it and tells nothing of it: derived from key, tenant and generation.</summary>
    public Digest32 Id { get; }

    /// <summary>The key that wraps the keys of domains; stays this one's to dispose of.</summary>
    public SecretBytes Wrapping { get; }

    /// <summary>The key itself, for sealing and sharing only.</summary>
    internal SecretBytes Secret { get; }

    /// <summary>Makes a new one from the system's random number generator.</summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public static MasterKey Make(PartyId tenant, long generation) =>
        Of(tenant, generation, SecretBytes.Random(Length));

    /// <summary>The key of these bytes; they become the key's to dispose of.</summary>
    internal static MasterKey Of(PartyId tenant, long generation, SecretBytes secret)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(generation, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, Length, nameof(secret));
        return new MasterKey(tenant, generation, secret);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose()
    {
        Secret.Dispose();
        Wrapping.Dispose();
    }

    /// <summary>Another key that follows from it, under a label of its own; the caller disposes of it.</summary>
    internal SecretBytes Derive(string label)
    {
        byte[] info = CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["label"] = label,
            ["tenant"] = Tenant.ToString(),
            ["generation"] = Generation,
        }));
        return SecretBytes.Create(Length, derived => Expand(info, derived));
    }

    private void Expand(byte[] info, Span<byte> derived)
    {
        using SecretLoan loan = Secret.Borrow();
        HKDF.Expand(HashAlgorithmName.SHA256, loan.Bytes, derived, info);
    }
}
