using System.Text.Json.Nodes;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;
using Bailiwick.Tests.Ledger.Checkpoints;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Cli;

/// <summary>A master key is made, shared out and restored at a desk; receipts are verified there.</summary>
public sealed class KeyVerbsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("bw-keyverbs-").FullName;

    public KeyVerbsTests()
    {
        Run("tenant", "init", "--name", "bank", "--legal-name", "Example Bank plc", "--out", "keys",
            "--signed", "signed", "--key-service", "10.0.0.1:7600");
        Place("passphrase", "a passphrase of the bank\n");
        Place("other", "a passphrase of nobody\n");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_master_key_is_made_shared_out_and_restored_exactly()
    {
        string id = Id(Done("key", "init", "--keys", "keys", "--passphrase-file", "passphrase", "--out", "m.sealed"));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(Path.Combine(_root, "m.sealed")));
        Done(Sharing("2/3", "passphrase"));
        string[] shares = [.. Directory.EnumerateFiles(Path.Combine(_root, "shares")).Order()];
        Assert.Equal(3, shares.Length);
        Assert.All(shares, share => Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(share)));
        Assert.Equal(id, Id(Done(Restoring("again.sealed", shares[0], shares[2]))));

        Assert.Equal(1, Run(Restoring("none.sealed", shares[0])).Code);
        Assert.Equal(1, Run(Restoring("none.sealed", shares[0], shares[0])).Code);
        File.WriteAllText(shares[1], File.ReadAllText(shares[1]).Replace("\"index\":2", "\"index\":1"));
        Ending changed = Run(Restoring("none.sealed", shares[0], shares[1]));
        Assert.Equal(1, changed.Code);
        Assert.Contains("a byte of it was changed", changed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_root, "none.sealed")));
    }

    [Fact]
    public void Refuses_another_passphrase_a_bad_quorum_and_to_overwrite()
    {
        string[] init = ["key", "init", "--keys", "keys", "--passphrase-file", "passphrase", "--out", "m.sealed"];
        Done(init);
        Assert.Equal(2, Run(init).Code);
        Assert.Equal(2, Run(Sharing("2/3", "other")).Code);
        Assert.Equal(2, Run(Sharing("1/3", "passphrase")).Code);
        Assert.Equal(2, Run(Sharing("three", "passphrase")).Code);
        Assert.False(Directory.Exists(Path.Combine(_root, "shares"))
            && Directory.EnumerateFiles(Path.Combine(_root, "shares")).Any());
        Done(Sharing("2/3", "passphrase"));
        Assert.Equal(2, Run(Sharing("2/3", "passphrase")).Code);
    }

    [Fact]
    public void A_token_seals_the_master_key_at_the_desk_instead_of_a_passphrase()
    {
        SoftToken token = SoftToken.Bank;
        string[] seal = ["--token", token.Key("master").Text, "--pin-file", SoftToken.PinFile];
        string made = Done(["key", "init", "--keys", "keys", "--out", "m.sealed", .. seal]);
        Assert.Equal(SoftToken.PinFile, JsonNode.Parse(made)?["masterKey"]?["pinFile"]?.GetValue<string>());
        Done(["key", "share", "--keys", "keys", "--master", "m.sealed", "--of", "2/3", "--out", "shares", .. seal]);
        string[] shares = [.. Directory.EnumerateFiles(Path.Combine(_root, "shares")).Order()];
        Assert.Equal(Id(made), Id(Done(Restoring("again.sealed", shares[0], shares[2]))));
        Assert.Equal(2, Run(Sharing("2/3", "passphrase")).Code);
        Assert.Equal(2, Run("key", "init", "--keys", "keys", "--out", "n.sealed", "--token", seal[1]).Code);
        Assert.Equal(2, Run("key", "init", "--keys", "keys", "--out", "n.sealed").Code);
        Assert.Equal(
            2, Run(["key", "init", "--keys", "keys", "--out", "n", "--passphrase-file", "passphrase", .. seal]).Code);
    }

    [Fact]
    public void Keys_are_prepared_without_a_network_and_open_under_the_master_key_alone()
    {
        Done("key", "init", "--keys", "keys", "--passphrase-file", "passphrase", "--out", "m.sealed");
        string[] prepare = ["key", "prepare", "data", "vault-1.tpm", "--domain", "web", "--keys", "keys", "--master",
            "m.sealed", "--passphrase-file", "passphrase", "--out"];
        string said = Done([.. prepare, "out.keys"]);
        string file = Path.Combine(_root, "out.keys");
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(file));
        PreparedKeys prepared = PreparedKeys.Read(File.ReadAllBytes(file)) ?? throw new InvalidOperationException();
        Assert.Equal([$"{prepared.Tenant}/data", $"{prepared.Tenant}/vault-1.tpm"], prepared.Keys);
        Assert.Equal(prepared.Master.Hex, JsonNode.Parse(said)?["master"]?.GetValue<string>());
        using MasterKeyFile master = MasterKeyFile.Open(
            LinuxDisk.Instance, Path.Combine(_root, "m.sealed"),
            PassphraseLock.Read(LinuxDisk.Instance, Path.Combine(_root, "passphrase")), prepared.Tenant);
        Assert.Equal(2, prepared.Open(master.Current)?.Count);

        Assert.Equal(2, Run([.. prepare, "out.keys"]).Code);
        Assert.Equal(2, Run([.. prepare, "more.keys", "--token", "x"]).Code);
        Assert.Equal(2, Run([.. prepare[..2], "No Name", .. prepare[4..], "more.keys"]).Code);
        Assert.Equal(2, Run([.. prepare[..2], "data", "data", .. prepare[4..], "more.keys"]).Code);
        Assert.Equal(2, Run([.. prepare[..^2], "other", "--out", "more.keys"]).Code);
        Assert.Equal(2, Run("key", "load", "passphrase").Code);
        Assert.False(File.Exists(Path.Combine(_root, "more.keys")));
    }

    [Fact]
    public void A_receipt_is_verified_offline_against_the_tenants_own_key_service()
    {
        using PartyDirectory party = PartyDirectory.Open(Path.Combine(_root, "keys"), null);
        PartyId tenant = party.Facts.Id ?? throw new InvalidOperationException();
        ErasedKeys erased = new(new DestroySubject.OfAll(tenant), 2, Digest32.Of("approval"u8))
        {
            Count = 3, Record = 7, LedgerSize = 9, LedgerRoot = Digest32.Of("root"u8),
        };
        var service = PartyKeys.Open(party.Files, "keyservice.pem", null);
        File.WriteAllBytes(Path.Combine(_root, "good"), ErasureReceipt.Write(erased, service));
        File.WriteAllBytes(Path.Combine(_root, "forged"), ErasureReceipt.Write(erased, Signatory.NewKey()));
        Assert.Contains(tenant.ToString(), Done("key", "receipt", "verify", "good", "--keys", "keys"));
        Done("key", "receipt", "verify", "good", "--service-key", service.PublicKey.Base64);
        Assert.Equal(1, Run("key", "receipt", "verify", "forged", "--keys", "keys").Code);
        Assert.Equal(
            1, Run("key", "receipt", "verify", "good", "--service-key", Signatory.NewKey().PublicKey.Base64).Code);
        Assert.Equal(2, Run("key", "receipt", "verify", "good").Code);
        Assert.Equal(2, Run("key", "receipt", "verify", "missing", "--keys", "keys").Code);
    }

    [Fact]
    public void A_receipt_with_its_proof_needs_no_ledger_and_says_so_only_for_the_log_that_is_named()
    {
        using PartyDirectory party = PartyDirectory.Open(Path.Combine(_root, "keys"), null);
        PartyId tenant = party.Facts.Id ?? throw new InvalidOperationException();
        ErasedKeys erased = new(new DestroySubject.OfAll(tenant), 2, Digest32.Of("approval"u8))
        {
            Count = 3, Record = 7, LedgerSize = 9, LedgerRoot = Digest32.Of("root"u8),
        };
        var service = PartyKeys.Open(party.Files, "keyservice.pem", null);
        byte[] receipt = ErasureReceipt.Write(erased, service);
        byte[] change = new KeyChangeNotice(7, 3, ErasureReceipt.DigestOf(erased))
            .Write(tenant, 1, null, DateTimeOffset.UnixEpoch, service);
        LogUnderTest log = new();
        log.Append(change);
        File.WriteAllBytes(Path.Combine(_root, "plain"), receipt);
        File.WriteAllBytes(Path.Combine(_root, "proven"), ProvenReceipt.Write(
            receipt, change, LogUnderTest.Salt(0), System.Text.Encoding.UTF8.GetString(log.Note()),
            InclusionProof.Make(0, 1, log.Nodes)));
        string[] verify = ["key", "receipt", "verify", "proven", "--keys", "keys"];
        Assert.Contains(LogUnderTest.Origin, Done([.. verify, "--log", log.Key.Text]));
        Assert.Equal(1, Run([.. verify, "--log", new LogUnderTest().Key.Text]).Code);
        Assert.Equal(2, Run(verify).Code);
        Assert.Equal(2, Run([.. verify, "--log", "none"]).Code);
        Assert.Equal(1, Run("key", "receipt", "verify", "plain", "--keys", "keys", "--log", log.Key.Text).Code);
        Done("key", "receipt", "verify", "plain", "--keys", "keys");
    }

    private static string[] Sharing(string of, string passphrase) =>
        ["key", "share", "--keys", "keys", "--master", "m.sealed", "--passphrase-file", passphrase, "--of", of, "--out",
            "shares"];

    private static string[] Restoring(string output, params string[] shares) =>
        ["key", "restore", .. shares, "--keys", "keys", "--passphrase-file", "passphrase", "--out", output];

    private static string Id(string output) =>
        JsonNode.Parse(output)?["id"]?.GetValue<string>() ?? throw new InvalidOperationException(output);

    private string Done(params string[] arguments)
    {
        Ending ended = Run([.. arguments, "--json"]);
        Assert.Equal((0, ""), (ended.Code, ended.Error));
        return ended.Output;
    }

    private Ending Run(params string[] arguments) => CommandLine.Run(_root, arguments);

    private void Place(string name, string content)
    {
        string path = Path.Combine(_root, name);
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
