using System.Diagnostics.CodeAnalysis;
using Bailiwick.Attestation.PublicKeys;

namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// The public area of a TPM object: TPMT_PUBLIC (TPM 2.0 Part 2, section 12.2.4). Each area has exactly one encoding,
/// the one that is read and written here; it proves nothing by itself.
/// </summary>
public sealed record TpmPublic
{
    private const TpmAttributes Known =
        TpmAttributes.FixedTpm | TpmAttributes.StClear | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin
        | TpmAttributes.UserWithAuth | TpmAttributes.AdminWithPolicy | TpmAttributes.NoDictionaryAttack
        | TpmAttributes.EncryptedDuplication | TpmAttributes.Restricted | TpmAttributes.Decrypt | TpmAttributes.Sign;

    /// <summary>The hash of its name.</summary>
    public required TpmHash NameHash { get; init; }

    /// <summary>What may be done with it.</summary>
    public required TpmAttributes Attributes { get; init; }

    /// <summary>The digest of its policy, as long as the name's hash, or empty.</summary>
    public required ReadOnlyMemory<byte> Policy { get; init; }

    /// <summary>The parameters and the unique field.</summary>
    public required TpmKeyDetail Detail { get; init; }

    /// <summary>Its name: the name's hash over the encoding.</summary>
    public TpmName Name => TpmName.OfPublicArea(NameHash, Write());

    /// <summary>The key it holds; null for keyed hashes, templates, and what is no valid key.</summary>
    public SubjectKey? Key => Detail switch
    {
        TpmKeyDetail.Rsa rsa => SubjectKey.OfRsa(rsa.Modulus.Span, rsa.Exponent == 0 ? 65537 : rsa.Exponent),
        TpmKeyDetail.Ecc ecc => SubjectKey.OfPoint(
            ecc.Curve == TpmCurve.P256 ? KeyCurve.P256 : KeyCurve.P384, ecc.X.Span, ecc.Y.Span),
        _ => null,
    };

    /// <summary>Reads a TPMT_PUBLIC, to its last byte.</summary>
    public static bool TryRead(ReadOnlySpan<byte> area, [NotNullWhen(true)] out TpmPublic? value, out TpmFault? fault)
    {
        var reader = new TpmReader(area);
        value = Read(ref reader);
        value = reader.Ends() ? value : null;
        fault = reader.Fault;
        return value is not null;
    }

    /// <summary>Reads a TPM2B_PUBLIC, to its last byte.</summary>
    public static bool TryReadSized(
        ReadOnlySpan<byte> sized, [NotNullWhen(true)] out TpmPublic? value, out TpmFault? fault)
    {
        value = null;
        var reader = new TpmReader(sized);
        var area = reader.Sized(TpmLimits.StructureBytes);
        fault = reader.Ends() ? null : reader.Fault;
        return fault is null && TryRead(area, out value, out fault);
    }

    /// <summary>The TPMT_PUBLIC.</summary>
    public byte[] Write()
    {
        var writer = new TpmWriter().U16(Detail.Type).Hash(NameHash).U32((uint)Attributes).Sized(Policy.Span);
        Detail.Write(writer);
        return writer.ToArray();
    }

    /// <summary>The TPM2B_PUBLIC.</summary>
    public byte[] WriteSized() => new TpmWriter().Sized(Write()).ToArray();

    /// <summary>Equal by encoding.</summary>
    public bool Equals(TpmPublic? other) => other is not null && Write().AsSpan().SequenceEqual(other.Write());

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode();

    private static TpmPublic? Read(ref TpmReader reader)
    {
        ushort type = reader.U16();
        if (reader.Fault is null && !TpmKeyDetail.IsType(type))
        {
            reader.Fail(TpmFault.UnknownKeyType);
        }

        var hash = reader.Hash();
        var attributes = (TpmAttributes)reader.U32();
        if ((attributes & ~Known) != 0)
        {
            reader.Fail(TpmFault.ReservedBits);
        }

        var policy = reader.Sized(TpmLimits.DigestBytes);
        if (policy.Length != 0 && policy.Length != hash.Size())
        {
            reader.Fail(TpmFault.WrongSize);
        }

        if (reader.Fault is not null)
        {
            return null;
        }

        byte[] policyBytes = policy.ToArray();
        return new TpmPublic
        {
            NameHash = hash,
            Attributes = attributes,
            Policy = policyBytes,
            Detail = TpmKeyDetail.Read(type, ref reader),
        };
    }
}
