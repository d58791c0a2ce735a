using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Attestation.Tpm;

/// <summary>The TPM's clock and counters: TPMS_CLOCK_INFO (TPM 2.0 Part 2, section 10.11.1).</summary>
/// <param name="Clock">Milliseconds that the TPM was powered since it was last cleared.</param>
/// <param name="ResetCount">
/// TPM Resets since it was last cleared. For a key outside the endorsement and platform hierarchies the TPM adds a
/// constant of its own to this and to the restart count (Part 1, section 36.7).
/// </param>
/// <param name="RestartCount">TPM Restarts and Resumes since the last TPM Reset.</param>
/// <param name="Safe">False after a disorderly shutdown until the clock has passed the value last saved.</param>
public sealed record TpmClockInfo(ulong Clock, uint ResetCount, uint RestartCount, bool Safe)
{
    internal static TpmClockInfo Read(ref TpmReader reader) =>
        new(reader.U64(), reader.U32(), reader.U32(), reader.YesNo());

    internal void Write(TpmWriter writer) => writer.U64(Clock).U32(ResetCount).U32(RestartCount).YesNo(Safe);
}

/// <summary>What a TPM attests. Closed.</summary>
public abstract record TpmAttestBody
{
    private TpmAttestBody()
    {
    }

    /// <summary>The state of registers: TPMS_QUOTE_INFO.</summary>
    /// <param name="Selection">Which registers.</param>
    /// <param name="PcrDigest">The digest over their values.</param>
    public sealed record Quote(PcrSelection Selection, ReadOnlyMemory<byte> PcrDigest) : TpmAttestBody;

    /// <summary>That an object is loaded in this TPM: TPMS_CERTIFY_INFO.</summary>
    /// <param name="Name">The object's name.</param>
    /// <param name="QualifiedName">Its qualified name.</param>
    public sealed record Certify(TpmName Name, TpmName QualifiedName) : TpmAttestBody;

    /// <summary>That this TPM made an object: TPMS_CREATION_INFO.</summary>
    /// <param name="ObjectName">The object's name.</param>
    /// <param name="CreationHash">The digest of its creation data.</param>
    public sealed record Creation(TpmName ObjectName, ReadOnlyMemory<byte> CreationHash) : TpmAttestBody;

    /// <summary>What an NV index holds: TPMS_NV_CERTIFY_INFO.</summary>
    /// <param name="IndexName">The index's name.</param>
    /// <param name="Offset">Where the contents begin, in bytes.</param>
    /// <param name="Contents">The contents.</param>
    public sealed record NvContents(TpmName IndexName, int Offset, ReadOnlyMemory<byte> Contents) : TpmAttestBody;
}

/// <summary>
/// What a TPM signs about itself: TPMS_ATTEST (TPM 2.0 Part 2, section 10.12.8), of the kinds that evidence uses. A
/// restricted key signs nothing that begins with TPM_GENERATED_VALUE unless the TPM made it; without a signature over
/// the very bytes it proves nothing.
/// </summary>
public sealed record TpmAttest
{
    private const uint Generated = 0xff544347;
    private const ushort NvType = 0x8014;
    private const ushort CertifyType = 0x8017;
    private const ushort QuoteType = 0x8018;
    private const ushort CreationType = 0x801a;

    /// <summary>The qualified name of the key that signs.</summary>
    public required TpmName QualifiedSigner { get; init; }

    /// <summary>What the caller had included, up to 66 bytes.</summary>
    public required ReadOnlyMemory<byte> ExtraData { get; init; }

    /// <summary>The TPM's clock and counters.</summary>
    public required TpmClockInfo Clock { get; init; }

    /// <summary>The vendor's version of the TPM's firmware.</summary>
    public required ulong FirmwareVersion { get; init; }

    /// <summary>What is attested.</summary>
    public required TpmAttestBody Body { get; init; }

    /// <summary>Reads a TPMS_ATTEST, to its last byte.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmAttest? value, out TpmFault? fault)
    {
        var reader = new TpmReader(bytes);
        value = Read(ref reader);
        value = reader.Ends() ? value : null;
        fault = reader.Fault;
        return value is not null;
    }

    /// <summary>The TPMS_ATTEST.</summary>
    public byte[] Write()
    {
        var writer = new TpmWriter().U32(Generated);
        writer.U16(Body switch
        {
            TpmAttestBody.Quote => QuoteType,
            TpmAttestBody.Certify => CertifyType,
            TpmAttestBody.Creation => CreationType,
            TpmAttestBody.NvContents => NvType,
            _ => throw new System.Diagnostics.UnreachableException(),
        });
        writer.Sized(QualifiedSigner.Bytes).Sized(ExtraData.Span);
        Clock.Write(writer);
        writer.U64(FirmwareVersion);
        switch (Body)
        {
            case TpmAttestBody.Quote quote:
                writer.Bytes(quote.Selection.Write()).Sized(quote.PcrDigest.Span);
                break;
            case TpmAttestBody.Certify certify:
                writer.Sized(certify.Name.Bytes).Sized(certify.QualifiedName.Bytes);
                break;
            case TpmAttestBody.Creation creation:
                writer.Sized(creation.ObjectName.Bytes).Sized(creation.CreationHash.Span);
                break;
            case TpmAttestBody.NvContents nv:
                writer.Sized(nv.IndexName.Bytes).U16((ushort)nv.Offset).Sized(nv.Contents.Span);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }

        return writer.ToArray();
    }

    private static TpmAttest? Read(ref TpmReader reader)
    {
        if (reader.U32() != Generated)
        {
            reader.Fail(TpmFault.WrongMagic);
        }

        ushort type = reader.U16();
        if (type is not (QuoteType or CertifyType or CreationType or NvType))
        {
            reader.Fail(TpmFault.UnknownAttestation);
        }

        var signer = TpmName.Read(ref reader);
        byte[] extra = reader.Sized(TpmLimits.DataBytes).ToArray();
        var clock = TpmClockInfo.Read(ref reader);
        ulong firmware = reader.U64();
        return reader.Fault is not null ? null : new TpmAttest
        {
            QualifiedSigner = signer,
            ExtraData = extra,
            Clock = clock,
            FirmwareVersion = firmware,
            Body = ReadBody(type, ref reader),
        };
    }

    private static TpmAttestBody ReadBody(ushort type, ref TpmReader reader) => type switch
    {
        QuoteType => new TpmAttestBody.Quote(PcrSelection.Read(ref reader), Digest(ref reader)),
        CertifyType => new TpmAttestBody.Certify(TpmName.Read(ref reader), TpmName.Read(ref reader)),
        CreationType => new TpmAttestBody.Creation(TpmName.Read(ref reader), Digest(ref reader)),
        NvType => new TpmAttestBody.NvContents(
            TpmName.Read(ref reader), reader.U16(), reader.Sized(TpmLimits.NvBytes).ToArray()),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static byte[] Digest(ref TpmReader reader) => reader.Sized(TpmLimits.DigestBytes).ToArray();
}
