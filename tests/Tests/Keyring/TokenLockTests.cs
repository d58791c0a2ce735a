using System.Text.Json.Nodes;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Keyring;

/// <summary>A master key that is sealed by a key in a token opens by that token alone.</summary>
public sealed class TokenLockTests : IDisposable
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private readonly string _path = Directory.CreateTempSubdirectory("bw-tokenlock-").FullName;

    private string Sealed => Path.Combine(_path, Masters.Name);

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Opens_with_its_token_and_is_the_same_key()
    {
        using MasterKey made = Make("master");
        using MasterKeyFile opened = Open(By("master"));
        Assert.Equal(made.Id, opened.Current.Id);
        Assert.True(made.Secret.HasSameBytesAs(opened.Current.Secret));
    }

    [Fact]
    public void Is_sealed_anew_by_the_token_when_it_is_rotated()
    {
        using MasterKey made = Make("master");
        using (MasterKeyFile opened = Open(By("master")))
        {
            opened.Prepare(MasterKey.Make(Bank, 2));
            opened.Promote();
        }

        using MasterKeyFile after = Open(By("master"));
        Assert.Equal(2, after.Current.Generation);
    }

    [Fact]
    public void Does_not_open_by_another_key_of_the_token_or_by_a_passphrase()
    {
        Make("master").Dispose();
        Assert.Contains("Name the right one", Refused(By("other")), StringComparison.Ordinal);
        Assert.Contains("not sealed by a passphrase", Refused(Masters.Lock), StringComparison.Ordinal);
        Open(By("master")).Dispose();

        File.Delete(Sealed);
        Masters.InNew(_path, Bank).Dispose();
        Assert.Contains("not sealed by a token", Refused(By("master")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", "does not open")]
    [InlineData("root", "right kind")]
    [InlineData("small", "at least 2048")]
    public void Does_not_seal_with_a_key_that_is_not_there_of_another_kind_or_short(string key, string because)
    {
        using MasterKey made = MasterKey.Make(Bank, 1);
        var refused = Assert.Throws<KeyringException>(
            () => MasterKeyFile.Create(LinuxDisk.Instance, Sealed, By(key), made));
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Sealed));
    }

    [Fact]
    public void Does_not_seal_with_a_wrong_PIN_and_says_nothing_of_it()
    {
        using MasterKey made = MasterKey.Make(Bank, 1);
        SoftToken token = SoftToken.Locked;
        var refused = Assert.Throws<KeyringException>(() => MasterKeyFile.Create(
            LinuxDisk.Instance, Sealed, new TokenLock(token.Key("master"), SoftToken.WrongPinFile), made));
        Assert.DoesNotContain("wrong-one", refused.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(Sealed));
    }

    [Theory]
    [InlineData("wrapped")]
    [InlineData("key")]
    [InlineData("method")]
    [InlineData("more")]
    public void Refuses_a_changed_seal(string member)
    {
        Make("master").Dispose();
        JsonObject document = JsonNode.Parse(File.ReadAllText(Sealed))?.AsObject() ?? [];
        JsonObject seal = document["seal"]?.AsObject() ?? [];
        string value = seal[member]?.GetValue<string>() ?? "";
        seal[member] = (value.StartsWith('0') ? "1" : "0") + value[Math.Min(1, value.Length)..];
        File.WriteAllText(Sealed, document.ToJsonString());
        Assert.NotEmpty(Refused(By("master")));
    }

    [Theory]
    [InlineData("56785678\n", "line's end")]
    [InlineData("", "4 to 255")]
    public void A_PIN_file_that_would_cost_a_try_is_refused_before_the_token_is_asked(string content, string because)
    {
        string path = Path.Combine(_path, "pin");
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using MasterKey made = MasterKey.Make(Bank, 1);
        var refused = Assert.Throws<KeyringException>(() => MasterKeyFile.Create(
            LinuxDisk.Instance, Sealed, new TokenLock(SoftToken.Bank.Key("master"), path), made));
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loose_PIN_file_is_refused()
    {
        string path = Path.Combine(_path, "pin");
        File.WriteAllText(path, SoftToken.Pin);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        using MasterKey made = MasterKey.Make(Bank, 1);
        Assert.Throws<DurableException>(() => MasterKeyFile.Create(
            LinuxDisk.Instance, Sealed, new TokenLock(SoftToken.Bank.Key("master"), path), made));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        MasterKeyFile.Create(LinuxDisk.Instance, Sealed, new TokenLock(SoftToken.Bank.Key("master"), path), made);
    }

    [Theory]
    [InlineData("pkcs11:token=bank;object=master", true)]
    [InlineData("pkcs11:serial=01%20f;id=%01", true)]
    [InlineData("pkcs11:token=bank;object=master;model=v2;manufacturer=x", true)]
    [InlineData("", false)]
    [InlineData("pkcs11:", false)]
    [InlineData("pkcs11:token=bank", false)]
    [InlineData("pkcs11:object=master", false)]
    [InlineData("pkcs11:token=;object=master", false)]
    [InlineData("pkcs11:token=bank;token=b;object=master", false)]
    [InlineData("pkcs11:token=bank;object=master;pin-value=5678", false)]
    [InlineData("pkcs11:token=bank;object=master?pin-value=5678", false)]
    [InlineData("pkcs11:token=bank;object=master;pin-source=file:x", false)]
    [InlineData("pkcs11:token=bank;object=master?module-path=/tmp/x.so", false)]
    [InlineData("pkcs11:token=bank;object=master;type=cert", false)]
    [InlineData("pkcs11:token=ba%2;object=master", false)]
    [InlineData("pkcs11:token=ba nk;object=master", false)]
    [InlineData("PKCS11:token=bank;object=master", false)]
    [InlineData("file:/etc/key", false)]
    public void A_name_says_which_token_and_key_and_nothing_else(string text, bool isName)
    {
        if (isName)
        {
            Assert.Equal(text, TokenUri.Read(text).Text);
        }
        else
        {
            Assert.Throws<KeyringException>(() => TokenUri.Read(text));
        }
    }

    private static TokenLock By(string key) => new(SoftToken.Bank.Key(key), SoftToken.PinFile);

    private MasterKey Make(string by)
    {
        MasterKey key = MasterKey.Make(Bank, 1);
        MasterKeyFile.Create(LinuxDisk.Instance, Sealed, By(by), key);
        return key;
    }

    private MasterKeyFile Open(MasterLock by) => MasterKeyFile.Open(LinuxDisk.Instance, Sealed, by, Bank);

    private string Refused(MasterLock by) => Assert.Throws<KeyringException>(() => Open(by).Dispose()).Message;
}
