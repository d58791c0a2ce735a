using System.Diagnostics;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Custody;

namespace Bailiwick.KeyService.Releasing;

/// <summary>What the vault keeps of a key, in the words in which it is decided on.</summary>
/// <remarks>What cannot be read is damage: <see cref="CustodyException"/>.</remarks>
internal sealed class KeptRecords(KeyVault vault)
{
    public KeyHolders HoldersOf(KeySubject key) => KeyHolders.Of(
        [
            .. vault.HoldersOf(key.ToString()).Select(held =>
                KeyHolder.Read(held.Host, held.Compartment, AccessOf(key, held), held.Nonce)
                ?? throw new CustodyException($"A stored holder of {key} cannot be read; restore the store.")),
        ]);

    // What was released before volumes were shared may be written.
    private static string AccessOf(KeySubject key, VaultHolder held) =>
        key is KeySubject.Volume && held.Access.Length == 0 ? WireText.Of(VolumeAccess.Write) : held.Access;

    public TpmStateMark MarkOf(KeySubject key) => key switch
    {
        KeySubject.MachineTpm when vault.MarkOf(key.ToString()) is { } text => TpmStateMark.Read(text)
            ?? throw new CustodyException($"What is stored of the state of {key} cannot be read; restore the store."),
        KeySubject.MachineTpm or KeySubject.Volume => new TpmStateMark.New(),
        _ => throw new UnreachableException(),
    };

    public VolumeMark VolumeOf(KeySubject key) => key switch
    {
        KeySubject.Volume when vault.MarkOf(key.ToString()) is { } text => VolumeMark.Read(text)
            ?? throw new CustodyException($"What is stored of the volume {key} cannot be read; restore the store."),
        KeySubject.Volume or KeySubject.MachineTpm => VolumeMark.New,
        _ => throw new UnreachableException(),
    };

    public DomainRef? ColourOf(KeySubject key)
    {
        if (vault.DomainOf(key.ToString()) is not { } stored)
        {
            return null;
        }

        return DomainRef.Read(stored) is { } colour && colour.Tenant == key.Tenant
            ? colour
            : throw new CustodyException($"The stored domain of {key} cannot be read; restore the store.");
    }
}
