using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tpm.Tss;

/// <content>Sessions and policies.</content>
internal sealed partial class TpmCommands
{
    private const byte HmacSession = 0;
    private const byte PolicySession = 1;
    private const byte TrialSession = 3;
    private const byte Continue = 0x01;
    private const byte DecryptCommand = 0x20;
    private const byte EncryptResponse = 0x40;

    /// <summary>
    /// A session whose key only this TPM can know: its salt is encrypted to a key of it. It encrypts the first
    /// parameter of a command and of its response (TPM 2.0 part 1, 19 and 21), so that whoever sits on the wire between
    /// the processor and the TPM reads neither.
    /// </summary>
    public TpmHandle StartEncryption(TpmHandle saltKey, EncryptedParameter parameter)
    {
        var session = Start(saltKey.Resource, HmacSession, Aes128Cfb());
        Attributes(session, (byte)(Continue | parameter switch
        {
            EncryptedParameter.OfCommand => DecryptCommand,
            EncryptedParameter.OfResponse => EncryptResponse,
            _ => throw new System.Diagnostics.UnreachableException(),
        }));
        return session;
    }

    /// <summary>A session that collects the fulfilled terms of a policy.</summary>
    public TpmHandle StartPolicy()
    {
        var session = Start(None, PolicySession, NoSymmetric());
        Attributes(session, Continue);
        return session;
    }

    /// <summary>A session that only computes what a policy's digest would be.</summary>
    public TpmHandle StartTrial()
    {
        var session = Start(None, TrialSession, NoSymmetric());
        Attributes(session, Continue);
        return session;
    }

    /// <summary>The term of the endorsement keys: the authorization of their hierarchy.</summary>
    public void PolicySecretOfEndorsement(TpmHandle policy)
    {
        Begin("TPM2_PolicySecret");
        using var nonce = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        using var cpHash = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        using var reference = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        Check(NativeEsys.Esys_PolicySecret(
            _esys, NativeEsys.Endorsement, policy.Resource, Password, None, None, nonce, cpHash, reference, 0,
            out var timeout, out var ticket));
        TssOutput.Drop(timeout, ticket);
    }

    /// <summary>The term of PCR values: those that are now.</summary>
    public void PolicyPcr(TpmHandle policy, ReadOnlySpan<byte> selection)
    {
        Begin("TPM2_PolicyPCR");
        using var digest = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        using var pcrs = Selection(selection);
        Check(NativeEsys.Esys_PolicyPCR(_esys, policy.Resource, None, None, None, digest, pcrs));
    }

    public byte[] PolicyDigest(TpmHandle policy)
    {
        Begin("TPM2_PolicyGetDigest");
        Check(NativeEsys.Esys_PolicyGetDigest(_esys, policy.Resource, None, None, None, out var digest));
        return TssOutput.Sized(digest);
    }

    /// <summary>Has the TPM check a signature; the ticket (TPMT_TK_VERIFIED) that says so.</summary>
    public byte[] VerifySignature(TpmHandle key, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        Begin("TPM2_VerifySignature");
        using var hashed = TssMemory.Sized(digest, DigestBytes, _tcti.Operation);
        using var signed = TssMemory.Structure(
            signature, NativeMu.Tss2_MU_TPMT_SIGNATURE_Unmarshal, "the signature of a policy");
        Check(NativeEsys.Esys_VerifySignature(
            _esys, key.Resource, None, None, None, hashed, signed, out var ticket));
        return TssOutput.Structure(ticket, NativeMu.Tss2_MU_TPMT_TK_VERIFIED_Marshal, _tcti.Operation);
    }

    /// <summary>The term of approval: the terms so far are ones that a key has signed.</summary>
    public void PolicyAuthorize(
        TpmHandle policy, ReadOnlySpan<byte> approved, ReadOnlySpan<byte> reference, ReadOnlySpan<byte> keyName,
        ReadOnlySpan<byte> ticket)
    {
        Begin("TPM2_PolicyAuthorize");
        using var digest = TssMemory.Sized(approved, DigestBytes, _tcti.Operation);
        using var qualifier = TssMemory.Sized(reference, DigestBytes, _tcti.Operation);
        using var name = TssMemory.Sized(keyName, NameBytes, _tcti.Operation);
        using var verified = TssMemory.Structure(
            ticket, NativeMu.Tss2_MU_TPMT_TK_VERIFIED_Unmarshal, _tcti.Operation);
        Check(NativeEsys.Esys_PolicyAuthorize(
            _esys, policy.Resource, None, None, None, digest, qualifier, name, verified));
    }

    private static byte[] NoSymmetric() => new WireWriter().U16(AlgorithmNull).ToArray();

    private TpmHandle Start(uint saltKey, byte type, byte[] symmetric)
    {
        Begin("TPM2_StartAuthSession");
        using var definition = TssMemory.Structure(
            symmetric, NativeMu.Tss2_MU_TPMT_SYM_DEF_Unmarshal, _tcti.Operation);
        Check(NativeEsys.Esys_StartAuthSession(
            _esys, saltKey, None, None, None, None, TssMemory.Nothing, type, definition, (ushort)TpmHash.Sha256,
            out var session));
        return new TpmHandle(this, session, takesSlot: true);
    }

    private void Attributes(TpmHandle session, byte flags)
    {
        Begin("Esys_TRSess_SetAttributes");
        try
        {
            Check(NativeEsys.Esys_TRSess_SetAttributes(_esys, session.Resource, flags, 0xff));
        }
        catch (TpmException)
        {
            session.Dispose();
            throw;
        }
    }
}
