using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>No key is lost, and none has two holders, whatever step the process dies at.</summary>
public sealed class KeyVaultTests : IDisposable
{
    private const string Volume = "t/web-1-data";
    private const string Machine = "t/web-1";
    private static readonly VaultHolder One = new("o/host-1", "nonce-1");
    private static readonly VaultHolder Two = new("o/host-2", "nonce-2");
    private readonly string _path = Directory.CreateTempSubdirectory("bw-vault-").FullName;
    private readonly SecretBytes _kek = SecretBytes.Random(32);

    public static TheoryData<CustodyStep> Steps => [.. Enum.GetValues<CustodyStep>()];

    public void Dispose()
    {
        _kek.Dispose();
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
        using (KeyVault vault = KeyVault.Open(directory, Wrap(), Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Release(Volume, Machine, One, key => left = Bytes(key)));
            Assert.Throws<CustodyException>(() => vault.HolderOf(Volume));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
        {
            // Before the holder is stored the key cannot have left; from then on it counts as gone out.
            Assert.Equal(dying == CustodyStep.IntentWritten ? null : One, vault.HolderOf(Volume));
            if (dying != CustodyStep.IntentWritten)
            {
                Assert.Throws<InvalidOperationException>(() => vault.Release(Volume, Machine, Two, Bytes));
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
        using (KeyVault vault = KeyVault.Open(directory, Wrap(), Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Clear(Volume, One, ClearCause.Returned, "digest"));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
        {
            Assert.Null(vault.HolderOf(Volume));
        }

        Assert.Equal(first, Released(Two));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void What_is_known_of_a_TPMs_state_is_that_of_its_holder_whatever_step_a_release_dies_at(CustodyStep dying)
    {
        Returned("returned 1");
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap(), Die(dying)))
        {
            Assert.Throws<MachineDied>(() => vault.Release(Volume, Machine, Two, Bytes, "out"));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
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
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
        {
            vault.Release(Volume, Machine, Two, Bytes, "out");
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap(), Die(dying)))
        {
            Assert.Throws<MachineDied>(
                () => vault.Clear(Volume, Two, ClearCause.Returned, "digest", "returned 2"));
        }

        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
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
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
        {
            Assert.Equal("returned 1", vault.MarkOf(Volume));
            vault.Release(Volume, Machine, Two, Bytes, "out");
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
            Assert.Throws<CustodyException>(() => KeyVault.Open(directory, Wrap()));
        }

        Edit("UPDATE volumes SET mark = 'returned 2'");
        using (PrivateDirectory directory = Open())
        using (KeyVault vault = KeyVault.Open(directory, Wrap()))
        {
            Assert.Equal("returned 2", vault.MarkOf(Volume));
        }

        Edit("UPDATE volumes SET mark = 'open'");
        using (PrivateDirectory directory = Open())
        {
            Assert.Throws<CustodyException>(() => KeyVault.Open(directory, Wrap()));
        }
    }

    [Fact]
    public void Refuses_a_store_whose_holder_was_edited()
    {
        Released(One);
        Edit("UPDATE holders SET host = 'o/host-9'");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, Wrap()));
    }

    [Fact]
    public void Refuses_a_store_whose_holder_was_removed()
    {
        Released(One);
        Edit("DELETE FROM holders");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, Wrap()));
    }

    [Fact]
    public void Refuses_a_store_that_lost_a_released_key()
    {
        Released(One);
        Edit("DELETE FROM holders");
        Edit("DELETE FROM volumes");
        using PrivateDirectory directory = Open();
        Assert.Throws<CustodyException>(() => KeyVault.Open(directory, Wrap()));
    }

    [Fact]
    public void Does_not_open_a_key_moved_to_another_volume_or_tenant()
    {
        using SecretBytes key = SecretBytes.Random(32);
        byte[] wrapped = Wrap().Wrap(Volume, 1, key);
        using SecretBytes opened = Wrap().Unwrap(Volume, 1, wrapped);
        Assert.True(opened.HasSameBytesAs(key));
        Assert.Throws<CustodyException>(() => Wrap().Unwrap("t/other", 1, wrapped));
        Assert.Throws<CustodyException>(() => Wrap().Unwrap(Volume, 2, wrapped));
        Assert.Throws<CustodyException>(() => new KeyWrap(_kek, "u").Unwrap(Volume, 1, wrapped));
        Assert.Throws<CustodyException>(() => Wrap().Unwrap(Volume, 1, wrapped[..^1]));
    }

    [Fact]
    public void No_file_holds_a_key_in_any_form()
    {
        byte[] key = Released(One);
        byte[] kek = Bytes(_kek);
        foreach (string file in Directory.EnumerateFiles(_path))
        {
            byte[] content = File.ReadAllBytes(file);
            foreach (byte[] secret in new[] { key, kek })
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

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, 32)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, 32)]
    public void Refuses_a_key_file_that_others_may_read(UnixFileMode mode, int length) =>
        Assert.Throws<DurableException>(() => KeyFile.Read(LinuxDisk.Instance, Placed(mode, length)));

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(0)]
    public void Refuses_a_key_file_of_another_length(int length) =>
        Assert.Throws<CustodyException>(() => KeyFile.Read(LinuxDisk.Instance, Placed(UnixFileMode.UserRead, length)));

    [Fact]
    public void Reads_a_key_file_of_ours()
    {
        using SecretBytes kek = KeyFile.Read(LinuxDisk.Instance, Placed(UnixFileMode.UserRead, 32));
        Assert.Equal(32, kek.Length);
        Assert.Throws<CustodyException>(() => KeyFile.Read(LinuxDisk.Instance, Path.Combine(_path, "none")));
    }

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

    private string Placed(UnixFileMode mode, int length)
    {
        string path = Path.Combine(_path, "kek");
        File.WriteAllBytes(path, new byte[length]);
        File.SetUnixFileMode(path, mode);
        return path;
    }

    private void Returned(string mark)
    {
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, Wrap());
        vault.Release(Volume, Machine, One, Bytes, "out");
        vault.Clear(Volume, One, ClearCause.Returned, "digest", mark);
    }

    private byte[] Released(VaultHolder holder)
    {
        using PrivateDirectory directory = Open();
        using KeyVault vault = KeyVault.Open(directory, Wrap());
        return vault.Release(Volume, Machine, holder, Bytes).Sealed;
    }

    private void Edit(string sql)
    {
        using PrivateDirectory directory = Open();
        using var database = Bailiwick.Durable.Sqlite.SqliteDatabase.Open(
            directory, "keys.db", new Bailiwick.Durable.Sqlite.SqliteSchema(0x42574b53, ["", ""]));
        // CA1857: the text is a constant at each caller; this is the intruder.
#pragma warning disable CA1857
        database.Execute(sql);
#pragma warning restore CA1857
    }

    private KeyWrap Wrap() => new(_kek, "t");

    private PrivateDirectory Open() => PrivateDirectory.Open(LinuxDisk.Instance, _path);

    private sealed class MachineDied : Exception;
}
