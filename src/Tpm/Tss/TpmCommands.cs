using Bailiwick.Tpm.Transport;

namespace Bailiwick.Tpm.Tss;

/// <summary>
/// The TPM's commands (TPM 2.0 part 3), bytes in and bytes out. Not for two threads at once. Authorizations are the
/// hierarchies' and keys' empty values, or sessions.
/// </summary>
internal sealed partial class TpmCommands : IDisposable
{
    private const uint None = NativeEsys.None;
    private const uint Password = NativeEsys.Password;
    private const uint Failure = 0x101;
    private const uint WrongValue = 0x084;

    private readonly TpmAddress _address;
    private readonly TpmTransport _transport;
    private readonly TctiContext _tcti;
    private readonly EsysContext _esys;

    private TpmCommands(TpmAddress address, TpmTransport transport, TctiContext tcti, EsysContext esys)
    {
        _address = address;
        _transport = transport;
        _tcti = tcti;
        _esys = esys;
    }

    public static TpmCommands Start(TpmAddress address, TpmTransport transport, TctiContext tcti)
    {
        try
        {
            _ = LibraryLog.Quiet();
            var code = NativeEsys.Esys_Initialize(out var esys, tcti.Pointer, 0);
            var commands = new TpmCommands(address, transport, tcti, esys);
            if (code != 0)
            {
                esys.Dispose();
                commands.Check(code, "Esys_Initialize");
            }

            return commands;
        }
        catch (DllNotFoundException missing)
        {
            throw new TpmException(AccessFault.LibraryMissing, address.ToString(), missing.Message.Split('\n')[0]);
        }
    }

    public void Dispose() => _esys.Dispose();

    public byte[] GetRandom(ushort count)
    {
        Begin("TPM2_GetRandom");
        Check(NativeEsys.Esys_GetRandom(_esys, None, None, None, count, out var random));
        return TssOutput.Sized(random);
    }

    /// <summary>A TPMS_TIME_INFO.</summary>
    public byte[] ReadClock()
    {
        Begin("TPM2_ReadClock");
        Check(NativeEsys.Esys_ReadClock(_esys, None, None, None, out var time));
        return TssOutput.Structure(time, NativeMu.Tss2_MU_TPMS_TIME_INFO_Marshal, _tcti.Operation);
    }

    /// <summary>A TPMS_CAPABILITY_DATA.</summary>
    public byte[] GetCapability(uint capability, uint property, uint count)
    {
        Begin("TPM2_GetCapability");
        Check(NativeEsys.Esys_GetCapability(
            _esys, None, None, None, capability, property, count, out _, out var data));
        return TssOutput.Structure(data, NativeMu.Tss2_MU_TPMS_CAPABILITY_DATA_Marshal, _tcti.Operation);
    }

    /// <summary>What lies at a persistent handle or an NV index; takes no slot.</summary>
    public TpmHandle At(uint handle)
    {
        Begin($"handle 0x{handle:x8}");
        Check(NativeEsys.Esys_TR_FromTPMPublic(_esys, handle, None, None, None, out var resource));
        return new TpmHandle(this, resource, takesSlot: false);
    }

    /// <summary>The name of an object: its hash algorithm and the hash of its public area.</summary>
    public byte[] Name(TpmHandle handle)
    {
        Begin("Esys_TR_GetName");
        Check(NativeEsys.Esys_TR_GetName(_esys, handle.Resource, out var name));
        return TssOutput.Sized(name);
    }

    /// <summary>The public area (TPMT_PUBLIC) of an object.</summary>
    public byte[] ReadPublic(TpmHandle handle)
    {
        Begin("TPM2_ReadPublic");
        Check(NativeEsys.Esys_ReadPublic(
            _esys, handle.Resource, None, None, None, out var area, out var name, out var qualified));
        TssOutput.Drop(name, qualified);
        return Public(area);
    }

    public TpmHandle CreatePrimary(uint hierarchy, ReadOnlySpan<byte> template)
    {
        Begin("TPM2_CreatePrimary");
        using var sensitive = Sensitive([]);
        using var area = PublicArea(template);
        using var outside = TssMemory.Sized([], ExtraBytes, _tcti.Operation);
        using var creation = NoPcrs();
        Check(NativeEsys.Esys_CreatePrimary(
            _esys, hierarchy, Password, None, None, sensitive, area, outside, creation, out var resource,
            out var made, out var data, out var hash, out var ticket));
        TssOutput.Drop(made, data, hash, ticket);
        return new TpmHandle(this, resource, takesSlot: true);
    }

    /// <summary>Makes a key or seals data under a parent; the private part comes back encrypted to it.</summary>
    public (byte[] Public, byte[] Private) Create(
        TpmHandle parent, TpmHandle? encryption, ReadOnlySpan<byte> template, ReadOnlySpan<byte> secret)
    {
        Begin("TPM2_Create");
        using var sensitive = Sensitive(secret);
        using var area = PublicArea(template);
        using var outside = TssMemory.Sized([], ExtraBytes, _tcti.Operation);
        using var creation = NoPcrs();
        Check(NativeEsys.Esys_Create(
            _esys, parent.Resource, Password, encryption?.Resource ?? None, None, sensitive, area, outside, creation,
            out var hidden, out var made, out var data, out var hash, out var ticket));
        TssOutput.Drop(data, hash, ticket);
        return (Public(made), TssOutput.Sized(hidden));
    }

    /// <summary>Loads an object under its parent; a policy authorizes a parent that has no password.</summary>
    public TpmHandle Load(
        TpmHandle parent, ReadOnlySpan<byte> publicArea, ReadOnlySpan<byte> privatePart, TpmHandle? policy = null)
    {
        Begin("TPM2_Load");
        using var area = PublicArea(publicArea);
        using var hidden = TssMemory.Sized(privatePart, PrivateBytes, _tcti.Operation);
        Check(NativeEsys.Esys_Load(
            _esys, parent.Resource, policy?.Resource ?? Password, None, None, hidden, area, out var resource));
        return new TpmHandle(this, resource, takesSlot: true);
    }

    /// <summary>Loads a public key only, for checking a signature, in the owner's hierarchy so that tickets are valid.
    /// </summary>
    public TpmHandle LoadExternal(ReadOnlySpan<byte> publicArea)
    {
        Begin("TPM2_LoadExternal");
        using var area = PublicArea(publicArea);
        Check(NativeEsys.Esys_LoadExternal(
            _esys, None, None, None, TssMemory.Nothing, area, NativeEsys.Owner, out var resource));
        return new TpmHandle(this, resource, takesSlot: true);
    }

    /// <summary>Takes over an object that was wrapped for this parent; the private part for Load. A policy authorizes a
    /// parent that has no password.</summary>
    public byte[] Import(
        TpmHandle parent, ReadOnlySpan<byte> publicArea, ReadOnlySpan<byte> duplicate, ReadOnlySpan<byte> seed,
        TpmHandle? policy = null)
    {
        Begin("TPM2_Import");
        using var key = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        using var area = PublicArea(publicArea);
        using var wrapped = TssMemory.Sized(duplicate, PrivateBytes, _tcti.Operation);
        using var secret = TssMemory.Sized(seed, EncryptedSecretBytes, _tcti.Operation);
        using var symmetric = TssMemory.Structure(
            new WireWriter().U16(AlgorithmNull).ToArray(), NativeMu.Tss2_MU_TPMT_SYM_DEF_OBJECT_Unmarshal,
            _tcti.Operation);
        CheckForeign(NativeEsys.Esys_Import(
            _esys, parent.Resource, policy?.Resource ?? Password, None, None, key, area, wrapped, secret, symmetric,
            out var hidden));
        return TssOutput.Sized(hidden);
    }

    /// <summary>Makes a transient object persistent, in the owner's hierarchy.</summary>
    public void Persist(TpmHandle transient, uint handle)
    {
        Begin("TPM2_EvictControl");
        Check(NativeEsys.Esys_EvictControl(
            _esys, NativeEsys.Owner, transient.Resource, Password, None, None, handle, out var persistent));
        Release(persistent, takesSlot: false);
    }

    /// <summary>Lends what an object seals.</summary>
    public T Unseal<T>(TpmHandle item, TpmHandle policy, TpmHandle encryption, SecretUse<T> use)
    {
        Begin("TPM2_Unseal");
        Check(NativeEsys.Esys_Unseal(
            _esys, item.Resource, policy.Resource, encryption.Resource, None, out var data));
        Wash();
        return TssOutput.Sized(data, use);
    }

    /// <summary>Lends the secret of a credential that was made for this key and this endorsement key.</summary>
    public T ActivateCredential<T>(
        TpmHandle activated, (TpmHandle Key, TpmHandle Policy) endorsement, TpmHandle encryption,
        (ReadOnlyMemory<byte> Blob, ReadOnlyMemory<byte> Secret) credential, SecretUse<T> use)
    {
        Begin("TPM2_ActivateCredential");
        using var blob = TssMemory.Sized(credential.Blob.Span, IdObjectBytes, _tcti.Operation);
        using var secret = TssMemory.Sized(credential.Secret.Span, EncryptedSecretBytes, _tcti.Operation);
        CheckForeign(NativeEsys.Esys_ActivateCredential(
            _esys, activated.Resource, endorsement.Key.Resource, Password, endorsement.Policy.Resource,
            encryption.Resource, blob, secret, out var info));
        Wash();
        return TssOutput.Sized(info, use);
    }

    /// <summary>Flushes or forgets. A failure is not thrown, because this runs where another one may be on its way; a
    /// TPM that cannot flush shows it as <see cref="AccessFault.Full"/>.</summary>
    public void Release(uint resource, bool takesSlot)
    {
        _tcti.Operation = "TPM2_FlushContext";
        var code = takesSlot && _transport.Failure is null ? NativeEsys.Esys_FlushContext(_esys, resource) : 1;
        if (code != 0)
        {
            _ = NativeEsys.Esys_TR_Close(_esys, ref resource);
        }
    }

    private static byte[] Public(nint area) =>
        TssOutput.Structure(area, NativeMu.Tss2_MU_TPM2B_PUBLIC_Marshal, "a public area")[2..];

    private void Begin(string operation)
    {
        _transport.ThrowIfFailed(operation);
        _tcti.Operation = operation;
    }

    private void Check(uint code) => Check(code, _tcti.Operation);

    /// <summary>A check where a secret is decrypted with a private key of this TPM: what was encrypted to another key
    /// cannot be, which TPMs tell as a wrong value, and some (libtpms) as a failure, after which they still work.
    /// </summary>
    private void CheckForeign(uint code)
    {
        var operation = _tcti.Operation;
        var bare = code & 0x0bf;
        if (code != 0 && _transport.Failure is null && (code == Failure || (code < 0x1000 && bare == WrongValue)))
        {
            _ = ReadClock();
            throw new TpmException(
                AccessFault.NotForThisTpm, $"{operation}, {_address}",
                $"it cannot be decrypted here ({ResponseCode.Read(code).Words})", code);
        }

        Check(code, operation);
    }

    private void Check(uint code, string operation)
    {
        if (code == 0)
        {
            return;
        }

        if (_transport.Failure is { } failure)
        {
            throw failure;
        }

        var (fault, words) = ResponseCode.Read(code);
        throw new TpmException(fault, $"{operation}, {_address}", words, code);
    }

    /// <summary>The library keeps the last response, decrypted, until a longer one comes over it: let one come.
    /// </summary>
    private void Wash() => _ = GetCapability(CapabilityProperties, FirstProperty, MostProperties);
}
