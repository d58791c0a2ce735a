using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>No key is lost, and none has two holders, whatever step the process dies at.</summary>
public sealed class KeyVaultTests : IDisposable
{
    private const string Volume = "t/web-1-data";
    private const string Machine = "t/web-1";
    private const string Web = "t/web";
    private const string Shop = "t/shop";
    private static readonly PartyId Tenant = PartyId.Unsigned("t");
    private static readonly VaultHolder One = new("o/host-1", "nonce-1") { Compartment = Machine };
    private static readonly VaultHolder Two = new("o/host-2", "nonce-2") { Compartment = Machine };
    private readonly string _path = Directory.CreateTempSubdirectory("bw-vault-").FullName;
    private readonly MasterKeyFile _master;

    public KeyVaultTests() => _master = Masters.InNew(_path, Tenant);

    public static TheoryData<CustodyStep> Steps => [
        CustodyStep.IntentWritten, CustodyStep.HolderStored, CustodyStep.KeyOpened, CustodyStep.CompletionWritten,
    ];

    public void Dispose()
    {
        _master.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Gives_the_same_key_after_a_restart()
    {
        byte[] first = Released(One), again = Released(One with { Nonce = "nonce-3" });
        Assert.Equal(first, again);
        Assert.NotEqual(new byte[32], first);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_release_that_dies_at_a_step_loses_no_key_and_makes_no_second_holder(CustodyStep dying)
    {
        byte[]? left = null;
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Release(Grant(One), key => left = Bytes(key)));
            Assert.Throws<CustodyException>(() => vault.HoldersOf(Volume));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            // Before the holder is stored the key cannot have left; from then on it counts as gone out.
            Assert.Equal(dying == CustodyStep.IntentWritten ? null : One, vault.HoldersOf(Volume).SingleOrDefault());
            if (dying != CustodyStep.IntentWritten)
            {
                Assert.Throws<InvalidOperationException>(() => vault.Release(Grant(Two), Bytes));
            }
        }

        byte[] again = Released(One with { Nonce = "nonce-3" });
        Assert.True(left is null || left.SequenceEqual(again));
    }

    [Theory]
    [InlineData(CustodyStep.IntentWritten)]
    [InlineData(CustodyStep.HolderStored)]
    public void A_return_that_dies_at_a_step_is_completed(CustodyStep dying)
    {
        byte[] first = Released(One);
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Clear(Volume, One, ClearCause.Returned, "digest"));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Null(vault.HoldersOf(Volume).SingleOrDefault());
        }

        Assert.Equal(first, Released(Two));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void What_is_known_of_a_TPMs_state_is_that_of_its_holder_whatever_step_a_release_dies_at(CustodyStep dying)
    {
        Returned("returned 1");
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Release(Grant(Two, "out"), Bytes));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Equal(dying == CustodyStep.IntentWritten ? "returned 1" : "out", vault.MarkOf(Volume));
        }
    }

    [Theory]
    [InlineData(CustodyStep.IntentWritten)]
    [InlineData(CustodyStep.HolderStored)]
    public void The_state_of_a_return_that_dies_at_a_step_is_kept(CustodyStep dying)
    {
        Returned("returned 1");
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            vault.Release(Grant(Two, "out"), Bytes);
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(
                () => vault.Clear(Volume, Two, ClearCause.Returned, "digest", "returned 2"));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Equal("returned 2", vault.MarkOf(Volume));
        }
    }

    [Fact]
    public void Refuses_a_store_whose_state_of_a_TPM_was_edited_or_put_back()
    {
        Returned("returned 1");
        string older = Path.Combine(_path, "keys.db");
        byte[] kept = File.ReadAllBytes(older);
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Equal("returned 1", vault.MarkOf(Volume));
            vault.Release(Grant(Two, "out"), Bytes);
            vault.Clear(Volume, Two, ClearCause.Returned, "digest", "returned 2");
        }

        foreach (string left in Directory.EnumerateFiles(_path, "keys.db*"))
        {
            File.Delete(left);
        }

        File.WriteAllBytes(older, kept);
        File.SetUnixFileMode(older, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (PrivateDirectory directory = Open())
        {
            Assert.Throws<CustodyException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
        }

        Edit("UPDATE keys SET mark = 'returned 2'");
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Equal("returned 2", vault.MarkOf(Volume));
        }

        Edit("UPDATE keys SET mark = 'open'");
        using (PrivateDirectory directory = Open())
        {
            Assert.Throws<CustodyException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
        }
    }

    [Theory]
    [InlineData(CustodyStep.IntentWritten)]
    [InlineData(CustodyStep.HolderStored)]
    public void A_header_whose_binding_dies_at_a_step_is_bound(CustodyStep dying)
    {
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            vault.Release(Grant(One, "blank"), Bytes);
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Bind(Volume, One, "digest", "header 1"));
            Assert.Throws<CustodyException>(() => vault.MarkOf(Volume));
        }

        for (int start = 0; start < 2; start++)
        {
            using PrivateDirectory directory = Open();
            using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System);
            Assert.Equal("header 1", vault.MarkOf(Volume));
            Assert.Equal(One, vault.HoldersOf(Volume).SingleOrDefault());
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_header_stays_bound_whatever_step_a_later_release_dies_at(CustodyStep dying)
    {
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            vault.Release(Grant(One, "blank"), Bytes);
            vault.Bind(Volume, One, "digest", "header 1");
            vault.Clear(Volume, One, ClearCause.Returned, "digest", "header 1");
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System, Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Release(Grant(Two, "header 1"), Bytes));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            Assert.Equal("header 1", vault.MarkOf(Volume));
        }
    }

    [Fact]
    public void Binds_no_header_for_who_does_not_hold_the_key()
    {
        Released(One);
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System);
        Assert.Throws<InvalidOperationException>(() => vault.Bind(Volume, Two, "digest", "header 1"));
    }

    [Theory]
    [InlineData("UPDATE keys SET mark = 'header 2'", false)]
    [InlineData("UPDATE keys SET mark = 'blank'", false)]
    [InlineData("UPDATE keys SET mark = 'header 1'", true)]
    public void Refuses_a_store_whose_header_was_edited(string edit, bool opens)
    {
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            vault.Release(Grant(One, "blank"), Bytes);
            vault.Bind(Volume, One, "digest", "header 1");
            vault.Release(Grant(One, "header 1"), Bytes);
        }

        Edit(edit);
        using PrivateDirectory again = Open();
        if (opens)
        {
            using KeyVault vault = KeyVault.Open(again, _master, TimeProvider.System);
            Assert.Equal("header 1", vault.MarkOf(Volume));
        }
        else
        {
            Assert.Throws<CustodyException>(() => KeyVault.Open(again, _master, TimeProvider.System));
        }
    }

    [Fact]
    public void Refuses_a_store_whose_holder_was_edited()
    {
        Released(One);
        Edit("UPDATE held SET host = 'o/host-9'");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
    }

    [Fact]
    public void Refuses_a_store_whose_holder_was_removed()
    {
        Released(One);
        Edit("DELETE FROM held");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
    }

    [Fact]
    public void Refuses_a_store_that_lost_a_released_key()
    {
        Released(One);
        Edit("DELETE FROM held");
        Edit("DELETE FROM keys");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
    }

    [Fact]
    public void Does_not_open_a_key_moved_to_another_place_in_the_hierarchy()
    {
        WrapPlace place = new("key", Volume, 1, Web, 1);
        using SecretBytes parent = SecretBytes.Random(32), key = SecretBytes.Random(32), other = SecretBytes.Random(32);
        KeyWrap wrap = new(parent, "t");
        byte[] wrapped = wrap.Wrap(place, key);
        using SecretBytes opened = wrap.Unwrap(place, wrapped);
        Assert.True(opened.HasSameBytesAs(key));
        foreach (WrapPlace elsewhere in new[]
        {
            place with { What = "domain" }, place with { Name = "t/other" }, place with { Generation = 2 },
            place with { Parent = Shop }, place with { ParentGeneration = 2 },
        })
        {
            Assert.Throws<CustodyException>(() => wrap.Unwrap(elsewhere, wrapped));
        }

        Assert.Throws<CustodyException>(() => new KeyWrap(parent, "u").Unwrap(place, wrapped));
        Assert.Throws<CustodyException>(() => new KeyWrap(other, "t").Unwrap(place, wrapped));
        Assert.Throws<CustodyException>(() => wrap.Unwrap(place, wrapped[..^1]));
    }

    [Theory]
    [InlineData("UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE key = 't/other')")]
    [InlineData("UPDATE keys SET domain = 't/shop'")]
    [InlineData("UPDATE keys SET epoch = 2")]
    [InlineData("UPDATE domains SET generation = 2")]
    [InlineData("UPDATE domains SET wrapped = (SELECT wrapped FROM domains WHERE domain = 't/shop')")]
    public void A_row_that_was_moved_in_the_store_does_not_open(string edit)
    {
        Released(One);
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            vault.Release(Grant(One) with { Key = "t/other" }, Bytes);
            vault.Release(Grant(One) with { Key = "t/till", Domain = Shop }, Bytes);
            vault.Release(Grant(One), Bytes);
        }

        Edit(edit);
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System))
        {
            string domain = vault.DomainOf(Volume) ?? "";
            Assert.Throws<CustodyException>(() => vault.Release(Grant(One) with { Domain = domain }, Bytes));
        }
    }

    [Fact]
    public void A_key_keeps_the_domain_of_its_first_release()
    {
        Released(One);
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System);
        Assert.Equal(Web, vault.DomainOf(Volume));
        Assert.Null(vault.DomainOf("t/blank"));
        Assert.Throws<InvalidOperationException>(() => vault.Release(Grant(One) with { Domain = Shop }, Bytes));
    }

    [Fact]
    public void Refuses_a_store_that_is_under_another_master_key()
    {
        Released(One);
        File.Delete(Path.Combine(_path, Masters.Name));
        using MasterKeyFile other = Masters.InNew(_path, Tenant);
        using PrivateDirectory directory = Open();
        var refused = Assert.Throws<CustodyException>(() => KeyVault.Open(directory, other, TimeProvider.System));
        Assert.Contains(other.Current.Id.Hex[..16], refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_store_of_before_the_hierarchy_with_a_sentence()
    {
        using PrivateDirectory directory = Open();
        Bailiwick.Durable.Sqlite.SqliteDatabase.Open(
            directory, "keys.db", new Bailiwick.Durable.Sqlite.SqliteSchema(0x42574b53, ["CREATE TABLE volumes (v)"]))
            .Dispose();
        var refused = Assert.Throws<DurableException>(() => KeyVault.Open(directory, _master, TimeProvider.System));
        Assert.Contains("this version has a hierarchy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_file_holds_a_key_in_any_form()
    {
        byte[] key = Released(One);
        byte[] master = Masters.Bytes(_master.Current.Secret), wrapping = Masters.Bytes(_master.Current.Wrapping);
        foreach (string file in Directory.EnumerateFiles(_path))
        {
            byte[] content = File.ReadAllBytes(file);
            foreach (byte[] secret in new[] { key, master, wrapping })
            {
                Assert.Equal(-1, content.AsSpan().IndexOf(secret));
                Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret))));
                Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToHexString(secret))));
                Assert.Equal(
                    -1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(secret)[..40])));
            }
        }
    }

    [Fact]
    public void Every_file_is_ours_alone()
    {
        Released(One);
        Assert.NotEmpty(Directory.EnumerateFiles(_path));
        Assert.All(
            Directory.EnumerateFiles(_path),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    private static KeyGrant Grant(VaultHolder holder, string mark = "") =>
        new(Volume, Web, holder) { Mark = mark, Revision = 1 };

    private static Action<CustodyStep> Die(CustodyStep at) => step =>
    {
        if (step == at)
        {
            throw new MachineDied();
        }
    };

    private static byte[] Bytes(SecretBytes secret)
    {
        using SecretLoan loan = secret.Borrow();
        return loan.Bytes.ToArray();
    }

    private void Returned(string mark)
    {
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System);
        vault.Release(Grant(One, "out"), Bytes);
        vault.Clear(Volume, One, ClearCause.Returned, "digest", mark);
    }

    private byte[] Released(VaultHolder holder)
    {
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, _master, TimeProvider.System);
        return vault.Release(Grant(holder), Bytes).Sealed;
    }

    private void Edit(string sql)
    {
        using PrivateDirectory directory = Open();
        using var database = Bailiwick.Durable.Sqlite.SqliteDatabase.Open(
            directory, "keys.db", new Bailiwick.Durable.Sqlite.SqliteSchema(0x42574b54, ["", "", "", ""]));
        // CA1857: the text is a constant at each caller; this is the intruder.
#pragma warning disable CA1857
        database.Execute(sql);
#pragma warning restore CA1857
    }

    private PrivateDirectory Open() => PrivateDirectory.Open(LinuxDisk.Instance, _path);

    private sealed class MachineDied : Exception;
}
