using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>
/// The storage root key (SRK): the parent of everything of the host's owner, at the TCG's handle for it. One that a
/// distribution has put there, RSA or P-256, is used as it is.
/// </summary>
public sealed class StorageKey
{
    /// <summary>Where it lies (TCG TPM v2.0 Provisioning Guidance 1.0, 7.8).</summary>
    public const uint Handle = 0x81000001;

    private StorageKey(TpmConnection tpm, byte[] area, byte[] name)
    {
        Tpm = tpm;
        Public = area;
        Name = name;
    }

    /// <summary>The TPM it is in.</summary>
    public TpmConnection Tpm { get; }

    /// <summary>Its public area, a TPMT_PUBLIC; what is to be imported is wrapped for it.</summary>
    public ReadOnlyMemory<byte> Public { get; }

    /// <summary>Its name.</summary>
    public ReadOnlyMemory<byte> Name { get; }

    /// <summary>Finds it, or makes it on P-256 and keeps it.</summary>
    /// <exception cref="TpmException">What lies at the handle is no storage parent (Occupied), or the TPM refused.
    /// </exception>
    public static StorageKey OpenOrCreate(TpmConnection tpm)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        var (area, name) = tpm.Use(static commands =>
        {
            if (PersistentKey.Find(commands, Handle) is { } found)
            {
                return found;
            }

            using var made = commands.CreatePrimary(NativeEsys.Owner, KeyTemplates.Storage());
            commands.Persist(made, Handle);
            return (commands.ReadPublic(made), commands.Name(made));
        });
        return KeyTemplates.IsStorageParent(area)
            ? new StorageKey(tpm, area, name)
            : throw PersistentKey.Other(Handle);
    }

    internal TpmHandle Open(TpmCommands commands) => PersistentKey.Open(commands, Handle, Name);
}
