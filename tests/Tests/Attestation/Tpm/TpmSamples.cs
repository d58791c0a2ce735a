using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Tpm;

/// <summary>Structures of every kind, real ones and made ones, with the reader of their kind.</summary>
internal static class TpmSamples
{
    /// <summary>A reader as a test sees it: what it read, written again, or the fault.</summary>
    internal delegate (byte[]? Written, TpmFault? Fault) Reading(ReadOnlySpan<byte> bytes);

    // In this order: a static member is made after those above it.
    internal static JsonElement Windows { get; } = JsonDocument.Parse(
        File.ReadAllBytes(VectorFiles.Find("quotes/go-attestation__windows_gcp_shielded_vm.json"))).RootElement;

    private static byte[] RsaModulus { get; } = MakeModulus();

    internal static IReadOnlyList<(string Name, byte[] Bytes, Reading Read)> All { get; } = [.. Make()];

    internal static TpmPublic AttestationKey(TpmKeyDetail? detail = null) => new()
    {
        NameHash = TpmHash.Sha256,
        Attributes = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin
            | TpmAttributes.UserWithAuth | TpmAttributes.Restricted | TpmAttributes.Sign,
        Policy = default,
        Detail = detail ?? Point(TpmCurve.P256),
    };

    internal static TpmKeyDetail.Ecc Point(TpmCurve curve)
    {
        using var key = ECDsa.Create(
            curve == TpmCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
        var point = key.ExportParameters(false).Q;
        return new TpmKeyDetail.Ecc(
            TpmSymmetric.None,
            new TpmScheme(TpmSchemeKind.Ecdsa, curve == TpmCurve.P256 ? TpmHash.Sha256 : TpmHash.Sha384),
            curve, point.X, point.Y);
    }

    internal static TpmAttest Attest(TpmAttestBody body, ReadOnlyMemory<byte> extra = default) => new()
    {
        QualifiedSigner = AttestationKey().Name,
        ExtraData = extra,
        Clock = new TpmClockInfo(123_456, 7, 1, true),
        FirmwareVersion = 0x2019_1023_0016_3636,
        Body = body,
    };

    internal static byte[] WindowsBytes(string part, string member) =>
        Windows.GetProperty(part).GetProperty(member).GetBytesFromBase64();

    internal static (byte[]? Written, TpmFault? Fault) ReadPublic(ReadOnlySpan<byte> bytes) =>
        (TpmPublic.TryRead(bytes, out var value, out var fault) ? value.Write() : null, fault);

    internal static (byte[]? Written, TpmFault? Fault) ReadSized(ReadOnlySpan<byte> bytes) =>
        (TpmPublic.TryReadSized(bytes, out var value, out var fault) ? value.WriteSized() : null, fault);

    internal static (byte[]? Written, TpmFault? Fault) ReadAttest(ReadOnlySpan<byte> bytes) =>
        (TpmAttest.TryRead(bytes, out var value, out var fault) ? value.Write() : null, fault);

    internal static (byte[]? Written, TpmFault? Fault) ReadSignature(ReadOnlySpan<byte> bytes) =>
        (TpmSignature.TryRead(bytes, out var value, out var fault) ? value.Write() : null, fault);

    internal static (byte[]? Written, TpmFault? Fault) ReadSelection(ReadOnlySpan<byte> bytes) =>
        (PcrSelection.TryRead(bytes, out var value, out var fault) ? value.Write() : null, fault);

    private static IEnumerable<(string Name, byte[] Bytes, Reading Read)> Make()
    {
        var selection = PcrSelection.OfBanks(
            new(TpmHash.Sha256, 0x8000ff), new(TpmHash.Sha1, 0), new(TpmHash.Sha384, 1));
        var name = AttestationKey().Name;
        byte[] digest = RandomNumberGenerator.GetBytes(32);
        yield return ("Windows AK", WindowsBytes("AK", "Public"), ReadPublic);
        yield return ("P-256 AK", AttestationKey().Write(), ReadPublic);
        yield return ("P-384 AK", AttestationKey(Point(TpmCurve.P384)).WriteSized(), ReadSized);
        yield return ("RSA EK", EndorsementKey().Write(), ReadPublic);
        yield return ("sealed data", Sealed().WriteSized(), ReadSized);
        yield return ("keylime quote", File.ReadAllBytes(VectorFiles.Find("quotes/keylime/quote.msg")), ReadAttest);
        yield return ("Windows quote", WindowsBytes("Quote", "Quote"), ReadAttest);
        yield return ("Windows creation", WindowsBytes("AK", "CreateAttestation"), ReadAttest);
        yield return ("certify", Attest(new TpmAttestBody.Certify(
            name, name.QualifiedUnder(TpmName.OfHandle(0x4000000b))), digest).Write(), ReadAttest);
        yield return ("NV contents", Attest(new TpmAttestBody.NvContents(name, 4, digest)).Write(), ReadAttest);
        yield return ("quote", Attest(new TpmAttestBody.Quote(selection, digest), digest).Write(), ReadAttest);
        yield return ("RSA signature", File.ReadAllBytes(VectorFiles.Find("quotes/keylime/quote.sig")), ReadSignature);
        yield return ("PSS signature", new TpmSignature.Rsa(true, TpmHash.Sha384, new byte[256]).Write(),
            ReadSignature);
        yield return ("ECDSA signature", new TpmSignature.Ecdsa(TpmHash.Sha256, digest, digest).Write(),
            ReadSignature);
        yield return ("selection", selection.Write(), ReadSelection);
    }

    internal static TpmPublic EndorsementKey() => AttestationKey() with
    {
        Attributes = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin
            | TpmAttributes.AdminWithPolicy | TpmAttributes.Restricted | TpmAttributes.Decrypt,
        Policy = new byte[32],
        Detail = new TpmKeyDetail.Rsa(TpmSymmetric.Aes128, TpmScheme.None, 2048, 0, RsaModulus),
    };

    internal static TpmPublic Sealed() => AttestationKey() with
    {
        Attributes = TpmAttributes.AdminWithPolicy,
        Policy = new byte[32],
        Detail = new TpmKeyDetail.KeyedHash(TpmScheme.None, new byte[32]),
    };

    private static byte[] MakeModulus()
    {
        using var key = RSA.Create(2048);
        return key.ExportParameters(false).Modulus ?? [];
    }
}
