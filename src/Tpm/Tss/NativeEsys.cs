using System.Runtime.InteropServices;

namespace Bailiwick.Tpm.Tss;

/// <summary>
/// The calls of libtss2-esys that are used, named as in its header (TSS 2.0 Enhanced System API 1.0). A <c>uint</c>
/// result is a response code; an ESYS_TR is a <c>uint</c>; what is returned by pointer belongs to the caller, who
/// gives it back with <see cref="Esys_Free"/>.
/// </summary>
internal static partial class NativeEsys
{
    public const uint None = 0xfff;
    public const uint Password = 0x0ff;
    public const uint Owner = 0x101;
    public const uint Endorsement = 0x10b;
    public const uint Platform = 0x10c;

    private const string Library = "libtss2-esys.so.0";

    [LibraryImport(Library)]
    public static partial uint Esys_Initialize(out EsysContext context, nint tcti, nint abiVersion);

    [LibraryImport(Library)]
    public static partial void Esys_Finalize(ref nint context);

    [LibraryImport(Library)]
    public static partial void Esys_Free(nint pointer);

    [LibraryImport(Library)]
    public static partial uint Esys_TR_FromTPMPublic(
        EsysContext context, uint handle, uint s1, uint s2, uint s3, out uint resource);

    [LibraryImport(Library)]
    public static partial uint Esys_TR_Close(EsysContext context, ref uint resource);

    [LibraryImport(Library)]
    public static partial uint Esys_TR_GetName(EsysContext context, uint resource, out nint name);

    [LibraryImport(Library)]
    public static partial uint Esys_TRSess_SetAttributes(EsysContext context, uint session, byte flags, byte mask);

    [LibraryImport(Library)]
    public static partial uint Esys_FlushContext(EsysContext context, uint resource);

    [LibraryImport(Library)]
    public static partial uint Esys_StartAuthSession(
        EsysContext context, uint key, uint bind, uint s1, uint s2, uint s3, TssMemory nonceCaller, byte sessionType,
        TssMemory symmetric, ushort hash, out uint session);

    [LibraryImport(Library)]
    public static partial uint Esys_PolicySecret(
        EsysContext context, uint authority, uint policy, uint s1, uint s2, uint s3, TssMemory nonceTpm,
        TssMemory cpHash, TssMemory policyRef, int expiration, out nint timeout, out nint ticket);

    [LibraryImport(Library)]
    public static partial uint Esys_PolicyPCR(
        EsysContext context, uint policy, uint s1, uint s2, uint s3, TssMemory pcrDigest, TssMemory pcrs);

    [LibraryImport(Library)]
    public static partial uint Esys_PolicyAuthorize(
        EsysContext context, uint policy, uint s1, uint s2, uint s3, TssMemory approved, TssMemory policyRef,
        TssMemory keyName, TssMemory ticket);

    [LibraryImport(Library)]
    public static partial uint Esys_PolicyGetDigest(
        EsysContext context, uint policy, uint s1, uint s2, uint s3, out nint digest);

    [LibraryImport(Library)]
    public static partial uint Esys_VerifySignature(
        EsysContext context, uint key, uint s1, uint s2, uint s3, TssMemory digest, TssMemory signature,
        out nint ticket);

    [LibraryImport(Library)]
    public static partial uint Esys_LoadExternal(
        EsysContext context, uint s1, uint s2, uint s3, TssMemory inPrivate, TssMemory inPublic, uint hierarchy,
        out uint resource);

    [LibraryImport(Library)]
    public static partial uint Esys_CreatePrimary(
        EsysContext context, uint hierarchy, uint s1, uint s2, uint s3, TssMemory sensitive, TssMemory inPublic,
        TssMemory outsideInfo, TssMemory creationPcr, out uint resource, out nint outPublic, out nint creationData,
        out nint creationHash, out nint creationTicket);

    [LibraryImport(Library)]
    public static partial uint Esys_Create(
        EsysContext context, uint parent, uint s1, uint s2, uint s3, TssMemory sensitive, TssMemory inPublic,
        TssMemory outsideInfo, TssMemory creationPcr, out nint outPrivate, out nint outPublic, out nint creationData,
        out nint creationHash, out nint creationTicket);

    [LibraryImport(Library)]
    public static partial uint Esys_Load(
        EsysContext context, uint parent, uint s1, uint s2, uint s3, TssMemory inPrivate, TssMemory inPublic,
        out uint resource);

    [LibraryImport(Library)]
    public static partial uint Esys_Import(
        EsysContext context, uint parent, uint s1, uint s2, uint s3, TssMemory encryptionKey, TssMemory inPublic,
        TssMemory duplicate, TssMemory seed, TssMemory symmetric, out nint outPrivate);

    [LibraryImport(Library)]
    public static partial uint Esys_Unseal(EsysContext context, uint item, uint s1, uint s2, uint s3, out nint data);

    [LibraryImport(Library)]
    public static partial uint Esys_ActivateCredential(
        EsysContext context, uint activated, uint key, uint s1, uint s2, uint s3, TssMemory credentialBlob,
        TssMemory secret, out nint certInfo);

    [LibraryImport(Library)]
    public static partial uint Esys_EvictControl(
        EsysContext context, uint authority, uint resource, uint s1, uint s2, uint s3, uint persistentHandle,
        out uint persistent);

    [LibraryImport(Library)]
    public static partial uint Esys_ReadPublic(
        EsysContext context, uint resource, uint s1, uint s2, uint s3, out nint outPublic, out nint name,
        out nint qualifiedName);

    [LibraryImport(Library)]
    public static partial uint Esys_NV_ReadPublic(
        EsysContext context, uint index, uint s1, uint s2, uint s3, out nint nvPublic, out nint name);

    [LibraryImport(Library)]
    public static partial uint Esys_NV_DefineSpace(
        EsysContext context, uint authority, uint s1, uint s2, uint s3, TssMemory auth, TssMemory nvPublic,
        out uint index);

    [LibraryImport(Library)]
    public static partial uint Esys_NV_UndefineSpace(
        EsysContext context, uint authority, uint index, uint s1, uint s2, uint s3);

    [LibraryImport(Library)]
    public static partial uint Esys_NV_Write(
        EsysContext context, uint authority, uint index, uint s1, uint s2, uint s3, TssMemory data, ushort offset);

    [LibraryImport(Library)]
    public static partial uint Esys_NV_Read(
        EsysContext context, uint authority, uint index, uint s1, uint s2, uint s3, ushort size, ushort offset,
        out nint data);

    [LibraryImport(Library)]
    public static partial uint Esys_PCR_Read(
        EsysContext context, uint s1, uint s2, uint s3, TssMemory selection, out uint updateCounter,
        out nint selected, out nint values);

    [LibraryImport(Library)]
    public static partial uint Esys_PCR_Extend(
        EsysContext context, uint pcr, uint s1, uint s2, uint s3, TssMemory digests);

    [LibraryImport(Library)]
    public static partial uint Esys_Quote(
        EsysContext context, uint key, uint s1, uint s2, uint s3, TssMemory qualifyingData, TssMemory scheme,
        TssMemory selection, out nint quoted, out nint signature);

    [LibraryImport(Library)]
    public static partial uint Esys_ReadClock(EsysContext context, uint s1, uint s2, uint s3, out nint time);

    [LibraryImport(Library)]
    public static partial uint Esys_GetCapability(
        EsysContext context, uint s1, uint s2, uint s3, uint capability, uint property, uint count, out byte more,
        out nint data);

    [LibraryImport(Library)]
    public static partial uint Esys_GetRandom(
        EsysContext context, uint s1, uint s2, uint s3, ushort count, out nint random);
}
