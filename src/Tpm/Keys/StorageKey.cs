using Bailiwick.Attestation.Tpm;
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

    private const TpmAttributes Parent = TpmAttributes.FixedTpm | TpmAttributes.FixedParent
        | TpmAttributes.SensitiveDataOrigin | TpmAttributes.UserWithAuth | TpmAttributes.Restricted
        | TpmAttributes.Decrypt;

    private StorageKey(TpmConnection tpm, TpmPublic area)
    {
        Tpm = tpm;
        Public = area;
        Name = area.Name;
    }

    /// <summary>The TPM it is in.</summary>
    public TpmConnection Tpm { get; }

    /// <summary>Its public area; what is to be imported is wrapped for it.</summary>
    public TpmPublic Public { get; }

    /// <summary>Its name.</summary>
    public TpmName Name { get; }

    /// <summary>Finds it, or makes it on P-256 and keeps it.</summary>
    /// <exception cref="TpmException">What lies at the handle is no storage parent (Occupied), or the TPM refused.
    /// </exception>
    public static StorageKey OpenOrCreate(TpmConnection tpm)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        var area = tpm.Use(static commands => PersistentKey.FindOrMake(
            commands, Handle, () => commands.CreatePrimary(NativeEsys.Owner, KeyTemplates.Storage())));
        return (area.Attributes & (Parent | TpmAttributes.Sign)) == Parent
            ? new StorageKey(tpm, area)
            : throw PersistentKey.Other(Handle);
    }

    internal TpmHandle Open(TpmCommands commands) => PersistentKey.Open(commands, Handle, Name);
}
