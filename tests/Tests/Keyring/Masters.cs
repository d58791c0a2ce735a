using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Keyring;

/// <summary>Sealed master keys of tests, all by one passphrase, whose derivation is made once.</summary>
internal static class Masters
{
    public const string Name = "master.sealed";

    public static PassphraseLock Lock { get; } = PassphraseLock.Of(Secret("a passphrase that all tests share"u8));

    /// <summary>Makes a tenant's first key in a private directory, and unlocks it.</summary>
    public static MasterKeyFile InNew(string directory, PartyId tenant)
    {
        using MasterKey key = MasterKey.Make(tenant, 1);
        MasterKeyFile.Create(LinuxDisk.Instance, Path.Combine(directory, Name), Lock, key);
        return In(directory, tenant);
    }

    public static MasterKeyFile In(string directory, PartyId tenant) =>
        MasterKeyFile.Open(LinuxDisk.Instance, Path.Combine(directory, Name), Lock, tenant);

    public static SecretBytes Secret(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        return SecretBytes.Take(copy);
    }

    public static byte[] Bytes(SecretBytes secret)
    {
        using SecretLoan loan = secret.Borrow();
        return loan.Bytes.ToArray();
    }
}
