using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>A key that several machines have: none is forgotten and none invented, whatever step the process dies at.
/// </summary>
public sealed class SharedHolderTests : IDisposable
{
    private const string Volume = "t/archive";
    private static readonly VaultHolder Writer = Holder("o/host-1", "t/ledger-1", "write", "nonce-1");
    private static readonly VaultHolder Reader = Holder("o/host-2", "u/inspector-1", "read", "nonce-2");
    private static readonly VaultHolder Beside = Holder("o/host-2", "u/inspector-2", "read", "nonce-3");
    private readonly string _path = Directory.CreateTempSubdirectory("bw-shared-").FullName;
    private readonly MasterKeyFile _master;

    public SharedHolderTests() => _master = Masters.InNew(_path, PartyId.Unsigned("t"));

    public static TheoryData<CustodyStep> Steps => [
        CustodyStep.IntentWritten, CustodyStep.HolderStored, CustodyStep.KeyOpened, CustodyStep.CompletionWritten,
    ];

    public void Dispose()
    {
        _master.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Each_holder_is_kept_over_a_restart_and_ends_by_its_own_release_alone()
    {
        Release(Writer, Reader, Beside);
        Assert.Equal([Writer, Reader, Beside], Kept());
        Assert.Throws<InvalidOperationException>(
            () => With(vault => vault.Clear(Volume, Reader with { Nonce = "nonce-9" }, ClearCause.Returned, "digest")));
        With(vault => vault.Clear(Volume, Reader, ClearCause.Returned, "digest"));
        Assert.Equal([Writer, Beside], Kept());
    }

    [Fact]
    public void A_machines_newer_release_takes_the_place_of_its_older_one_and_of_no_other()
    {
        Release(Writer, Reader);
        Release(Reader with { Nonce = "nonce-4" });
        Assert.Equal([Writer, Reader with { Nonce = "nonce-4" }], Kept());
    }

    [Fact]
    public void The_vault_itself_holds_the_rule_that_the_decision_should_have_held()
    {
        Release(Writer, Reader);
        VaultHolder second = Holder("o/host-3", "t/ledger-2", "write", "nonce-5");
        Assert.Throws<InvalidOperationException>(() => Release(second));
        Assert.Throws<InvalidOperationException>(
            () => With(vault => vault.Release(Grant(Beside) with { Sharing = VolumeSharing.Exclusive }, Bytes)));
        Assert.Equal([Writer, Reader], Kept());
        With(vault => vault.Release(Grant(second) with { Sharing = VolumeSharing.Writers }, Bytes));
        Assert.Equal([Writer, Reader, second], Kept());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_release_that_dies_at_a_step_leaves_the_other_holders(CustodyStep dying)
    {
        Release(Writer, Beside);
        Die(dying, vault => vault.Release(Grant(Reader), Bytes));
        Assert.Equal(dying == CustodyStep.IntentWritten ? [Writer, Beside] : [Writer, Reader, Beside], Kept());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_repeated_release_that_dies_at_a_step_is_the_older_or_the_newer(CustodyStep dying)
    {
        Release(Writer, Reader);
        VaultHolder again = Reader with { Nonce = "nonce-4" };
        Die(dying, vault => vault.Release(Grant(again), Bytes));
        Assert.Equal([Writer, dying == CustodyStep.IntentWritten ? Reader : again], Kept());
    }

    [Theory]
    [InlineData(CustodyStep.IntentWritten)]
    [InlineData(CustodyStep.HolderStored)]
    public void A_return_that_dies_at_a_step_is_completed_and_ends_no_other(CustodyStep dying)
    {
        Release(Writer, Reader, Beside);
        Die(dying, vault => vault.Clear(Volume, Reader, ClearCause.Returned, "digest", "mark"));
        Assert.Equal([Writer, Beside], Kept());
        Assert.Equal([Writer, Beside], Kept());
    }

    [Theory]
    [InlineData("DELETE FROM held WHERE compartment = 'u/inspector-1'")]
    [InlineData("UPDATE held SET access = 'write' WHERE compartment = 'u/inspector-1'")]
    [InlineData("UPDATE held SET compartment = 'u/inspector-7' WHERE compartment = 'u/inspector-1'")]
    [InlineData("INSERT INTO held VALUES ('t/archive', 'o/host-3', 't/ledger-2', 'read', 'nonce-9')")]
    public void Refuses_a_store_whose_holders_were_edited(string sql)
    {
        Release(Writer, Reader);
        Edit(4, sql);
        Assert.Throws<CustodyException>(() => Kept());
    }

    [Fact]
    public void A_store_of_before_volumes_were_shared_gets_its_machines_from_the_journal()
    {
        Release(Writer);
        Edit(
            4, "CREATE TABLE holders (key TEXT PRIMARY KEY REFERENCES keys (key), host TEXT NOT NULL, "
            + "nonce TEXT NOT NULL) STRICT");
        Edit(4, "INSERT INTO holders SELECT key, host, nonce FROM held");
        Edit(4, "DROP TABLE held");
        Edit(4, "DROP TABLE scrubs");
        Edit(4, "PRAGMA user_version = 2");
        Assert.Equal([Writer], Kept());
    }

    [Fact]
    public void Says_since_when_each_has_it()
    {
        Release(Writer, Reader);
        With(vault =>
        {
            Assert.NotEmpty(vault.HeldSince(Volume, Reader));
            vault.Clear(Volume, Reader, ClearCause.Returned, "digest");
            Assert.Empty(vault.HeldSince(Volume, Reader));
            Assert.NotEmpty(vault.HeldSince(Volume, Writer));
        });
    }

    private static VaultHolder Holder(string host, string machine, string access, string nonce) =>
        new(host, nonce) { Compartment = machine, Access = access };

    private static KeyGrant Grant(VaultHolder holder) =>
        new(Volume, "t/ledger", holder) { Sharing = VolumeSharing.Readers, Revision = 1 };

    private static byte[] Bytes(SecretBytes secret)
    {
        using SecretLoan loan = secret.Borrow();
        return loan.Bytes.ToArray();
    }

    private void Release(params VaultHolder[] holders) => With(vault =>
    {
        foreach (VaultHolder holder in holders)
        {
            vault.Release(Grant(holder), Bytes);
        }
    });

    private VaultHolder[] Kept()
    {
        VaultHolder[] kept = [];
        With(vault => kept = [.. vault.HoldersOf(Volume)]);
        return kept;
    }

    private void Die(CustodyStep at, Action<KeyVault> act) => Assert.Throws<MachineDied>(() => With(act, step =>
    {
        if (step == at)
        {
            throw new MachineDied();
        }
    }));

    private void With(Action<KeyVault> act, Action<CustodyStep>? trace = null)
    {
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, _path);
        using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, trace);
        act(vault);
    }

    private void Edit(int steps, string sql)
    {
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, _path);
        using var database = Bailiwick.Durable.Sqlite.SqliteDatabase.Open(
            directory, "keys.db",
            new Bailiwick.Durable.Sqlite.SqliteSchema(0x42574b54, [.. Enumerable.Repeat("", steps)]));
        // CA1857: the text is a constant at each caller; this is the intruder.
#pragma warning disable CA1857
        database.Execute(sql);
#pragma warning restore CA1857
    }

    private sealed class MachineDied : Exception;
}
