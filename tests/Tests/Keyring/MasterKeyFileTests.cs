using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Keyring;

/// <summary>A sealed master key opens for its tenant and its passphrase, unchanged, and otherwise not.</summary>
public sealed class MasterKeyFileTests : IDisposable
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private readonly string _path = Directory.CreateTempSubdirectory("bw-master-").FullName;

    private string File => Path.Combine(_path, Masters.Name);

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Opens_with_its_passphrase_and_is_the_same_key()
    {
        using MasterKey made = MasterKey.Make(Bank, 3);
        MasterKeyFile.Create(LinuxDisk.Instance, File, Masters.Lock, made);
        using MasterKeyFile opened = Masters.In(_path, Bank);
        Assert.Equal(made.Id, opened.Current.Id);
        Assert.Equal(3, opened.Current.Generation);
        Assert.True(made.Secret.HasSameBytesAs(opened.Current.Secret));
        Assert.Null(opened.Next);
    }

    [Fact]
    public void Does_not_open_with_another_passphrase()
    {
        Masters.InNew(_path, Bank).Dispose();
        using PassphraseLock other = PassphraseLock.Of(Masters.Secret("a passphrase that no test shares"u8));
        var refused = Assert.Throws<KeyringException>(
            () => MasterKeyFile.Open(LinuxDisk.Instance, File, other, Bank));
        Assert.Contains("passphrase or the token is another", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Does_not_open_as_another_tenants() => AssertRefused(() =>
    {
        Masters.InNew(_path, Bank).Dispose();
        Masters.In(_path, PartyId.Unsigned("hospital")).Dispose();
    });

    [Theory]
    [InlineData("bailiwick", "sealed-master-key/v2")]
    [InlineData("generation", 2)]
    [InlineData("generation", 0)]
    [InlineData("tenant", "other")]
    [InlineData("id", "other")]
    [InlineData("nonce", "AAAAAAAAAAAAAAAA")]
    [InlineData("nonce", "AAAA")]
    [InlineData("extra", 1)]
    public void Refuses_a_changed_member(string member, object value)
    {
        Masters.InNew(_path, Bank).Dispose();
        Change(document => document[member] = value switch
        {
            "other" => PartyId.Unsigned("hospital").ToString(),
            string text => text,
            _ => JsonValue.Create((int)value),
        });
        AssertRefused(() => Masters.In(_path, Bank).Dispose());
    }

    [Theory]
    [InlineData("iterations", 1)]
    [InlineData("iterations", 599_999)]
    [InlineData("iterations", 10_000_001)]
    [InlineData("method", "none")]
    [InlineData("method", "token")]
    [InlineData("salt", "")]
    public void Refuses_a_seal_that_is_weaker_or_of_another_kind(string member, object value)
    {
        Masters.InNew(_path, Bank).Dispose();
        Change(document => Assert.IsType<JsonObject>(document["seal"])[member] = value is string text
            ? text : JsonValue.Create((int)value));
        AssertRefused(() => Masters.In(_path, Bank).Dispose());
    }

    [Fact]
    public void Refuses_the_file_with_any_byte_changed_or_cut()
    {
        Masters.InNew(_path, Bank).Dispose();
        byte[] good = System.IO.File.ReadAllBytes(File);
        SealedMasterKey.Read(good, Masters.Lock, Bank, "it").Dispose();
        int from = good.AsSpan().IndexOf("\"seal\""u8);
        int end = good.AsSpan(from).IndexOf((byte)'}') + from;
        for (int at = 0; at < good.Length; at++)
        {
            // A changed salt or count would only make each of these take a derivation; see the theory above.
            if (at < from || at > end)
            {
                byte[] changed = [.. good];
                changed[at] ^= 1;
                Assert.Throws<KeyringException>(() => SealedMasterKey.Read(changed, Masters.Lock, Bank, "it"));
            }

            Assert.Throws<KeyringException>(() => SealedMasterKey.Read(good.AsSpan(0, at), Masters.Lock, Bank, "it"));
        }
    }

    [Fact]
    public void Refuses_to_overwrite_a_sealed_key()
    {
        using MasterKeyFile first = Masters.InNew(_path, Bank);
        using MasterKey second = MasterKey.Make(Bank, 1);
        AssertRefused(() => MasterKeyFile.Create(LinuxDisk.Instance, File, Masters.Lock, second));
        using MasterKeyFile still = Masters.In(_path, Bank);
        Assert.Equal(first.Current.Id, still.Current.Id);
    }

    [Fact]
    public void Refuses_to_seal_with_a_short_passphrase()
    {
        using PassphraseLock brief = PassphraseLock.Of(Masters.Secret("elevenbytes"u8));
        using MasterKey key = MasterKey.Make(Bank, 1);
        AssertRefused(() => MasterKeyFile.Create(LinuxDisk.Instance, File, brief, key));
        using PassphraseLock enough = PassphraseLock.Of(Masters.Secret("twelve bytes"u8));
        MasterKeyFile.Create(LinuxDisk.Instance, File, enough, key);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    public void Refuses_a_passphrase_or_a_key_that_others_may_read(UnixFileMode others)
    {
        Masters.InNew(_path, Bank).Dispose();
        Masters.In(_path, Bank).Dispose();
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | others);
        Assert.Throws<DurableException>(() => Masters.In(_path, Bank));

        string passphrase = Path.Combine(_path, "passphrase");
        System.IO.File.WriteAllText(passphrase, "a passphrase of ours\n");
        System.IO.File.SetUnixFileMode(passphrase, UnixFileMode.UserRead);
        PassphraseLock.Read(LinuxDisk.Instance, passphrase).Dispose();
        System.IO.File.SetUnixFileMode(passphrase, UnixFileMode.UserRead | others);
        Assert.Throws<DurableException>(() => PassphraseLock.Read(LinuxDisk.Instance, passphrase));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("\nsecond line", false)]
    [InlineData("a passphrase of ours", true)]
    [InlineData("a passphrase of ours\r\nnotes", true)]
    public void A_passphrase_is_the_first_line_of_its_file(string content, bool isGood)
    {
        string passphrase = Path.Combine(_path, "passphrase");
        System.IO.File.WriteAllText(passphrase, content);
        System.IO.File.SetUnixFileMode(passphrase, UnixFileMode.UserRead);
        if (!isGood)
        {
            AssertRefused(() => PassphraseLock.Read(LinuxDisk.Instance, passphrase).Dispose());
            return;
        }

        using PassphraseLock read = PassphraseLock.Read(LinuxDisk.Instance, passphrase);
        using PassphraseLock same = PassphraseLock.Of(Masters.Secret("a passphrase of ours"u8));
        using MasterKey key = MasterKey.Make(Bank, 1);
        using MasterKey opened = SealedMasterKey.Read(SealedMasterKey.Write(key, read), same, Bank, "it");
        Assert.Equal(key.Id, opened.Id);
    }

    [Fact]
    public void The_next_key_is_kept_beside_until_it_is_promoted_or_dropped()
    {
        using (MasterKeyFile file = Masters.InNew(_path, Bank))
        {
            using MasterKey skipped = MasterKey.Make(Bank, 3), foreign = MasterKey.Make(PartyId.Unsigned("x"), 2);
            Assert.Throws<InvalidOperationException>(() => file.Prepare(skipped));
            Assert.Throws<InvalidOperationException>(() => file.Prepare(foreign));
            file.Prepare(MasterKey.Make(Bank, 2));
            using MasterKey another = MasterKey.Make(Bank, 2);
            Assert.Throws<InvalidOperationException>(() => file.Prepare(another));
        }

        using (MasterKeyFile file = Masters.In(_path, Bank))
        {
            Assert.Equal((1, 2), (file.Current.Generation, file.Next?.Generation));
            file.Drop();
        }

        using (MasterKeyFile file = Masters.In(_path, Bank))
        {
            Assert.Null(file.Next);
            MasterKey next = MasterKey.Make(Bank, 2);
            string id = next.Id.Hex;
            file.Prepare(next);
            file.Promote();
            Assert.Equal((2, id), (file.Current.Generation, file.Current.Id.Hex));
        }

        using MasterKeyFile last = Masters.In(_path, Bank);
        Assert.Equal((2, null), (last.Current.Generation, last.Next?.Generation));
        Assert.Single(Directory.EnumerateFiles(_path));
    }

    [Fact]
    public void The_sealed_file_holds_neither_the_key_nor_what_is_derived_of_it()
    {
        using MasterKeyFile file = Masters.InNew(_path, Bank);
        byte[] content = System.IO.File.ReadAllBytes(File);
        foreach (SecretBytes secret in new[] { file.Current.Secret, file.Current.Wrapping })
        {
            byte[] bytes = Masters.Bytes(secret);
            Assert.Equal(-1, content.AsSpan().IndexOf(bytes));
            Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)[..40])));
            Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes))));
            Assert.DoesNotContain(Convert.ToHexStringLower(bytes), file.Current.Id.Hex, StringComparison.Ordinal);
        }
    }

    private static void AssertRefused(Action act) => Assert.Throws<KeyringException>(act);

    private void Change(Action<JsonObject> edit)
    {
        JsonObject document = Assert.IsType<JsonObject>(JsonNode.Parse(System.IO.File.ReadAllBytes(File)));
        edit(document);
        System.IO.File.WriteAllBytes(File, CanonicalJson.Write(JsonSerializer.SerializeToElement(document)));
    }
}
