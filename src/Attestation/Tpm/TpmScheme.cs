namespace Bailiwick.Attestation.Tpm;

/// <summary>A signing, encryption or agreement scheme, by its TPM_ALG_ID (TPM 2.0 Part 2, section 11.2).</summary>
public enum TpmSchemeKind
{
    /// <summary>TPM_ALG_NULL: the caller chooses at each use.</summary>
    Null = 0x0010,

    /// <summary>HMAC, of keyed-hash objects.</summary>
    Hmac = 0x0005,

    /// <summary>RSASSA-PKCS1-v1_5.</summary>
    RsaSsa = 0x0014,

    /// <summary>RSAES-PKCS1-v1_5, which has no hash.</summary>
    RsaEs = 0x0015,

    /// <summary>RSASSA-PSS.</summary>
    RsaPss = 0x0016,

    /// <summary>RSAES-OAEP.</summary>
    Oaep = 0x0017,

    /// <summary>ECDSA.</summary>
    Ecdsa = 0x0018,

    /// <summary>ECDH.</summary>
    Ecdh = 0x0019,
}

/// <summary>A scheme with its hash.</summary>
/// <param name="Kind">The scheme.</param>
/// <param name="Hash">Its hash; null exactly for those without one.</param>
public sealed record TpmScheme(TpmSchemeKind Kind, TpmHash? Hash)
{
    /// <summary>No scheme.</summary>
    public static TpmScheme None { get; } = new(TpmSchemeKind.Null, null);

    internal static TpmScheme Read(ref TpmReader reader, params ReadOnlySpan<TpmSchemeKind> allowed)
    {
        var kind = (TpmSchemeKind)reader.U16();
        if (reader.Fault is not null || kind == TpmSchemeKind.Null)
        {
            return None;
        }

        if (!allowed.Contains(kind))
        {
            reader.Fail(TpmFault.UnknownScheme);
            return None;
        }

        return new TpmScheme(kind, kind == TpmSchemeKind.RsaEs ? null : reader.Hash());
    }

    internal void Write(TpmWriter writer)
    {
        writer.U16((ushort)Kind);
        if (Hash is { } hash)
        {
            writer.Hash(hash);
        }
    }
}

/// <summary>The cipher with which a storage key protects its children; only AES in CFB mode is read.</summary>
/// <param name="KeyBits">128, 192 or 256; null for none.</param>
public sealed record TpmSymmetric(int? KeyBits)
{
    private const ushort Aes = 0x0006;
    private const ushort Cfb = 0x0043;
    private const ushort NullAlgorithm = 0x0010;

    /// <summary>No cipher, as of keys that are no storage keys.</summary>
    public static TpmSymmetric None { get; } = new((int?)null);

    /// <summary>AES-128 in CFB mode, of the endorsement key templates L-1 and L-2.</summary>
    public static TpmSymmetric Aes128 { get; } = new(128);

    internal static TpmSymmetric Read(ref TpmReader reader)
    {
        switch (reader.U16())
        {
            case NullAlgorithm:
                return None;
            case Aes:
                int bits = reader.U16();
                if (bits is not (128 or 192 or 256) || reader.U16() != Cfb)
                {
                    reader.Fail(TpmFault.UnknownSymmetric);
                }

                return new TpmSymmetric(bits);
            default:
                reader.Fail(TpmFault.UnknownSymmetric);
                return None;
        }
    }

    internal void Write(TpmWriter writer)
    {
        if (KeyBits is { } bits)
        {
            writer.U16(Aes).U16((ushort)bits).U16(Cfb);
        }
        else
        {
            writer.U16(NullAlgorithm);
        }
    }
}
