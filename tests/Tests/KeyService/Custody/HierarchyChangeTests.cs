using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>
/// A rotation or a destruction happens as a whole or not at all, whatever step the process is killed at; and of what it
/// replaced or destroyed nothing is left in the store.
/// </summary>
public sealed class HierarchyChangeTests : IDisposable
{
    private const string Web = "t/web";
    private const string Ledger = "t/ledger";
    private static readonly PartyId Tenant = PartyId.Unsigned("t");
    private static readonly VaultHolder Host = new("o/host-1", "nonce-1") { Compartment = "t/web-1" };
    private static readonly (string Key, string Domain)[] All =
        [("t/web-1-data", Web), ("t/web-1.tpm", Web), ("t/ledger-data", Ledger)];

    private readonly string _root = Directory.CreateTempSubdirectory("bw-change-").FullName;
    private readonly string _path;

    public HierarchyChangeTests()
    {
        _path = Path.Combine(_root, "live");
        Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Masters.InNew(_path, Tenant).Dispose();
    }

    public static TheoryData<ChangeKind, CustodyStep> Deaths
    {
        get
        {
            CustodyStep[] withMaster =
            [
                CustodyStep.IntentWritten, CustodyStep.NextMasterSealed, CustodyStep.HierarchyStored,
                CustodyStep.MasterPromoted, CustodyStep.StoreScrubbed, CustodyStep.CompletionWritten,
            ];
            TheoryData<ChangeKind, CustodyStep> data = new();
            foreach (ChangeKind kind in Enum.GetValues<ChangeKind>().Except([ChangeKind.LoadKeys]))
            {
                foreach (CustodyStep step in withMaster.Where(step => kind != ChangeKind.RotateDomain
                    || step is not (CustodyStep.NextMasterSealed or CustodyStep.MasterPromoted)))
                {
                    data.Add(kind, step);
                }
            }

            return data;
        }
    }

    // What a load does is in LoadedKeysTests: it replaces nothing.
    public static TheoryData<ChangeKind> Kinds => [.. Enum.GetValues<ChangeKind>().Except([ChangeKind.LoadKeys])];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Deaths))]
    public void A_change_that_is_killed_at_a_step_happened_as_a_whole_or_not_at_all(ChangeKind kind, CustodyStep step)
    {
        Dictionary<string, byte[]> keys = Release(_path);
        byte[][] before = Wrapped(_path, Replaced(kind));
        string killed = Path.Combine(_root, "killed");
        using (OpenVault vault = new(_path, Tenant, reached =>
        {
            if (reached == step)
            {
                VaultFiles.Copy(_path, killed);
                throw new MachineDied();
            }
        }))
        {
            Assert.Throws<MachineDied>(() => Do(vault.Keys, kind));
            Assert.Throws<CustodyException>(() => vault.Keys.Tree());
        }

        bool happened = step is not (CustodyStep.IntentWritten or CustodyStep.NextMasterSealed);
        for (int start = 0; start < 2; start++)
        {
            using OpenVault vault = new(killed, Tenant);
            Assert.Null(vault.Master.Next);
            Assert.Equal(
                happened && kind != ChangeKind.RotateDomain ? 2 : 1, vault.Master.Current.Generation);
            string[] gone = happened ? Gone(kind) : [];
            Assert.Equal(
                All.Select(one => one.Key).Except(gone).Order(StringComparer.Ordinal),
                vault.Keys.Volumes().Keys.Order(StringComparer.Ordinal));
            Assert.All(gone, name => Assert.NotNull(vault.Keys.TombstoneOf(name)));
            Assert.Equal(happened ? "done" : "abandoned", vault.Keys.Log(long.MaxValue, 1)[0].Outcome);
            foreach (var (name, domain) in All.Where(one => !gone.Contains(one.Key)))
            {
                Assert.Equal(keys[name], vault.Keys.Release(Grant(name, domain), Masters.Bytes).Sealed);
                vault.Keys.Clear(name, Host, ClearCause.Returned, "d");
                vault.Keys.Release(Grant(name, domain), Masters.Bytes);
            }

            Assert.Equal(happened, before.All(bytes => !VaultFiles.Holds(killed, bytes)));
            happened = happened || Repeat(vault, kind, before, killed);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_was_replaced_or_destroyed_is_in_no_file_of_the_store(ChangeKind kind)
    {
        Release(_path);
        byte[][] before = Wrapped(_path, Replaced(kind));
        Assert.NotEmpty(before);
        Assert.All(before, bytes => Assert.True(VaultFiles.Holds(_path, bytes)));
        using OpenVault vault = new(_path, Tenant);
        Do(vault.Keys, kind);
        Assert.All(before, bytes => Assert.False(VaultFiles.Holds(_path, bytes)));
        Assert.False(File.Exists(Path.Combine(_path, Masters.Name + MasterKeyFile.NextSuffix)));
    }

    [Fact]
    public void An_old_row_opens_nothing_with_the_keys_of_now()
    {
        Release(_path);
        byte[] key = Wrapped(_path, "SELECT wrapped FROM keys WHERE key = 't/web-1-data'")[0];
        byte[] domain = Wrapped(_path, "SELECT wrapped FROM domains WHERE domain = 't/web'")[0];
        using (OpenVault vault = new(_path, Tenant))
        {
            Assert.Equal(0, Opens(vault.Master, domain, key, 0) ? 0 : 1);
            Do(vault.Keys, ChangeKind.DestroyKey);
            for (long generation = 1; generation <= 3; generation++)
            {
                Assert.False(Opens(vault.Master, domain, key, generation));
            }
        }
    }

    [Fact]
    public void A_store_that_was_put_back_is_refused()
    {
        Release(_path);
        string old = Path.Combine(_root, "old");
        VaultFiles.Copy(_path, old);
        using (OpenVault vault = new(_path, Tenant))
        {
            Do(vault.Keys, ChangeKind.DestroyKey);
        }

        // Store and sealed key of yesterday, journal of today.
        File.Copy(Path.Combine(_path, "releases.log"), Path.Combine(old, "releases.log"), overwrite: true);
        var refused = Assert.Throws<CustodyException>(() => new OpenVault(old, Tenant));
        Assert.Contains("put back", refused.Message, StringComparison.Ordinal);

        // The store of yesterday alone is under a master key that is no more.
        File.Copy(Path.Combine(old, "keys.db"), Path.Combine(_path, "keys.db"), overwrite: true);
        Assert.Throws<CustodyException>(() => new OpenVault(_path, Tenant));
    }

    [Fact]
    public void A_key_after_a_destruction_is_another_of_the_next_epoch()
    {
        byte[] destroyed = Release(_path)["t/web-1-data"];
        using OpenVault vault = new(_path, Tenant);
        Do(vault.Keys, ChangeKind.DestroyDomain);
        Tombstone tombstone = Assert.IsType<Tombstone>(vault.Keys.TombstoneOf("t/web-1-data"));
        Assert.Equal((7, 1), (tombstone.Revision, tombstone.Generation));
        Assert.Equal(5, vault.Keys.TombstoneOfDomain(Web)?.Revision);
        Assert.Null(vault.Keys.TombstoneOf("t/ledger-data"));
        Assert.NotEqual(destroyed, vault.Keys.Release(Grant("t/web-1-data", Web), Masters.Bytes).Sealed);
        DomainKeys domain = vault.Keys.Tree().Domains.Single(one => one.Domain == Web);
        Assert.Equal((2, 2), (domain.Generation, domain.Keys.Single().Epoch));
    }

    [Fact]
    public void The_tree_names_what_there_is_and_the_log_what_was_done()
    {
        Release(_path);
        using OpenVault vault = new(_path, Tenant);
        vault.Keys.RotateDomain(Web);
        vault.Keys.RotateMaster();
        KeyTree tree = vault.Keys.Tree();
        Assert.Equal(2, tree.Generation);
        Assert.Equal([(Ledger, 1), (Web, 2)], tree.Domains.Select(one => (one.Domain, (int)one.Generation)));
        Assert.All(tree.Domains.SelectMany(one => one.Keys), key => Assert.Equal([Host], key.Holders));
        Assert.Equal(
            ["release", "release", "release", "rotate domain", "rotate master"],
            vault.Keys.Log(long.MaxValue, 10).Select(row => row.What));
        Assert.All(vault.Keys.Log(long.MaxValue, 10), row => Assert.Equal("done", row.Outcome));
        IReadOnlyList<ReleaseLogRow> page = vault.Keys.Log(vault.Keys.Log(long.MaxValue, 2)[0].Index, 2);
        Assert.Equal(["release", "release"], page.Select(row => row.What));
    }

    [Fact]
    public void No_file_of_a_changed_hierarchy_holds_a_key_in_any_form()
    {
        Dictionary<string, byte[]> keys = Release(_path);
        using OpenVault vault = new(_path, Tenant);
        byte[] old = Masters.Bytes(vault.Master.Current.Secret);
        vault.Keys.RotateMaster();
        Do(vault.Keys, ChangeKind.DestroyKey);
        byte[] now = Masters.Bytes(vault.Master.Current.Secret);
        Assert.NotEqual(old, now);
        foreach (byte[] secret in keys.Values.Append(old).Append(now))
        {
            Assert.False(VaultFiles.Holds(_path, secret));
            Assert.False(VaultFiles.Holds(_path, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret))));
            Assert.False(VaultFiles.Holds(_path, Encoding.ASCII.GetBytes(Convert.ToBase64String(secret)[..40])));
        }
    }

    private static bool Repeat(OpenVault vault, ChangeKind kind, byte[][] before, string path)
    {
        Do(vault.Keys, kind);
        Assert.All(before, bytes => Assert.False(VaultFiles.Holds(path, bytes)));
        return true;
    }

    private static bool Opens(MasterKeyFile master, byte[] domain, byte[] key, long generation)
    {
        long masterGeneration = generation == 0 ? 1 : generation;
        try
        {
            using SecretBytes parent = new KeyWrap(master.Current.Wrapping, Tenant.ToString())
                .Unwrap(WrapPlace.OfDomain(Web, 1, masterGeneration), domain);
            using SecretBytes opened = new KeyWrap(parent, Tenant.ToString())
                .Unwrap(WrapPlace.OfKey("t/web-1-data", 1, Web, 1), key);
            return true;
        }
        catch (CustodyException)
        {
            return false;
        }
    }

    private static void Do(KeyVault vault, ChangeKind kind)
    {
        Destruction Asked(string what, string subject) =>
            new(what, subject, $"digest of {what}") { LedgerSize = 9, LedgerRoot = "root" };
        DestructionFacts facts = new(
            (what, name) => what == "domain" ? 5 : name == "t/web-1-data" ? 7 : 1,
            gone => new KeptScrub(gone.Serial, gone.Key, gone.Domain)
            {
                Host = gone.LastHost, Header = "", Wipe = "overwrite", Seed = "seed",
            });
        switch (kind)
        {
            case ChangeKind.RotateMaster:
                vault.RotateMaster();
                break;
            case ChangeKind.RotateDomain:
                vault.RotateDomain(Web);
                break;
            case ChangeKind.DestroyKey:
                vault.Destroy(Asked("key", "t/web-1-data"), facts);
                break;
            case ChangeKind.DestroyDomain:
                vault.Destroy(Asked("domain", Web), facts);
                break;
            case ChangeKind.DestroyAll:
                vault.Destroy(Asked("all", Tenant.ToString()), facts);
                break;
            default:
                throw new InvalidOperationException();
        }
    }

    private static string[] Gone(ChangeKind kind) => kind switch
    {
        ChangeKind.DestroyKey => ["t/web-1-data"],
        ChangeKind.DestroyDomain => ["t/web-1-data", "t/web-1.tpm"],
        ChangeKind.DestroyAll => [.. All.Select(one => one.Key)],
        _ => [],
    };

    private static string Replaced(ChangeKind kind) => kind switch
    {
        ChangeKind.RotateMaster => "SELECT wrapped FROM domains",
        ChangeKind.RotateDomain => "SELECT wrapped FROM domains WHERE domain = 't/web' UNION ALL "
            + "SELECT wrapped FROM keys WHERE domain = 't/web'",
        ChangeKind.DestroyKey or ChangeKind.DestroyDomain => "SELECT wrapped FROM domains UNION ALL "
            + "SELECT wrapped FROM keys WHERE domain = 't/web'",
        _ => "SELECT wrapped FROM domains UNION ALL SELECT wrapped FROM keys",
    };

    private static KeyGrant Grant(string key, string domain) => new(key, domain, Host) { Revision = 1 };

    private static Dictionary<string, byte[]> Release(string path)
    {
        using OpenVault vault = new(path, Tenant);
        return All.ToDictionary(
            one => one.Key, one => vault.Keys.Release(Grant(one.Key, one.Domain), Masters.Bytes).Sealed);
    }

    private static byte[][] Wrapped(string path, string sql)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, path);
        using SqliteDatabase database = SqliteDatabase.Open(
            directory, "keys.db", new SqliteSchema(0x42574b54, ["", "", "", ""]));
        List<byte[]> rows = [];
        // CA1857: the text is a constant of this class; this is a look from outside.
#pragma warning disable CA1857
        using SqliteStatement select = database.Prepare(sql);
#pragma warning restore CA1857
        while (select.Step())
        {
            rows.Add(select.Blob(0));
        }

        return [.. rows];
    }

    private sealed class MachineDied : Exception;
}
