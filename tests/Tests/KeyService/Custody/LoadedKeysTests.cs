using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>
/// Keys that were carried in are the keys that are released later, over a death at any step, all of one document or
/// none; a store that was put back from before is refused.
/// </summary>
public sealed class LoadedKeysTests : IDisposable
{
    private const string Web = "t/web";
    private static readonly PartyId Tenant = PartyId.Unsigned("t");
    private static readonly string[] Names = ["t/web-1-data", "t/web-1.tpm"];
    private static readonly VaultHolder Host = new("o/host-1", "nonce-1") { Compartment = "t/web-1" };
    private readonly string _root = Directory.CreateTempSubdirectory("bw-load-").FullName;
    private readonly string _path;

    public LoadedKeysTests()
    {
        _path = Path.Combine(_root, "live");
        Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Masters.InNew(_path, Tenant).Dispose();
    }

    public static TheoryData<CustodyStep, bool> Deaths => new()
    {
        { CustodyStep.IntentWritten, false }, { CustodyStep.HierarchyStored, false },
        { CustodyStep.CompletionWritten, false }, { CustodyStep.IntentWritten, true },
        { CustodyStep.HierarchyStored, true }, { CustodyStep.CompletionWritten, true },
    };

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_carried_in_is_what_is_released(bool domainHasKey)
    {
        using OpenVault vault = new(_path, Tenant);
        if (domainHasKey)
        {
            vault.Keys.Release(new KeyGrant("t/other", Web, Host), Masters.Bytes);
        }

        var (load, keys) = Prepared(vault);
        Assert.NotNull(vault.Keys.Load(load));
        foreach (string name in Names)
        {
            Assert.Equal(("new", Web), (vault.Keys.MarkOf(name), vault.Keys.DomainOf(name)));
            Assert.Empty(vault.Keys.HoldersOf(name));
        }

        Assert.Equal(keys, Names.Select(name => Released(vault, name)));
        ReleaseLogRow row = vault.Keys.Log(long.MaxValue, 10).Single(one => one.What == "load keys");
        Assert.Equal((Web, "done"), (row.Subject, row.Outcome));
        Assert.Throws<InvalidOperationException>(() => vault.Keys.Load(load));
    }

    [Theory]
    [MemberData(nameof(Deaths))]
    public void A_load_that_is_killed_at_a_step_happened_as_a_whole_or_not_at_all(CustodyStep step, bool domainHasKey)
    {
        string killed = Path.Combine(_root, "killed");
        KeyLoad load;
        string[] keys;
        using (OpenVault before = new(_path, Tenant))
        {
            if (domainHasKey)
            {
                before.Keys.Release(new KeyGrant("t/other", Web, Host), Masters.Bytes);
            }

            (load, keys) = Prepared(before);
        }

        using (OpenVault vault = new(_path, Tenant, reached =>
        {
            if (reached == step)
            {
                VaultFiles.Copy(_path, killed);
                throw new MachineDied();
            }
        }))
        {
            Assert.Throws<MachineDied>(() => vault.Keys.Load(load));
            Assert.Throws<CustodyException>(() => vault.Keys.Tree());
        }

        bool happened = step != CustodyStep.IntentWritten;
        for (int start = 0; start < 2; start++)
        {
            using OpenVault vault = new(killed, Tenant);
            Assert.Equal(
                happened ? Names : [],
                vault.Keys.Volumes().Keys.Except(["t/other"]).Order(StringComparer.Ordinal));
            Assert.Equal(happened ? "done" : "abandoned", vault.Keys.Log(long.MaxValue, 1)[0].Outcome);
            if (!happened)
            {
                Assert.NotNull(vault.Keys.Load(load));
                happened = true;
            }
        }

        using OpenVault last = new(killed, Tenant);
        Assert.Equal(keys, Names.Select(name => Released(last, name)));
    }

    [Fact]
    public void Does_not_open_under_the_next_master_key_and_the_vault_goes_on()
    {
        using OpenVault vault = new(_path, Tenant);
        var (load, _) = Prepared(vault);
        vault.Keys.RotateMaster();
        Assert.Null(vault.Keys.Load(load));
        Assert.Empty(vault.Keys.Volumes());
        Assert.Equal("rotate master", vault.Keys.Log(long.MaxValue, 1)[0].What);
        var (anew, keys) = Prepared(vault);
        Assert.NotNull(vault.Keys.Load(anew));
        Assert.Equal(keys, Names.Select(name => Released(vault, name)));
    }

    [Fact]
    public void A_loaded_key_is_released_held_returned_rotated_and_destroyed_like_any_other()
    {
        using OpenVault vault = new(_path, Tenant);
        var (load, keys) = Prepared(vault);
        vault.Keys.Load(load);
        vault.Keys.RotateDomain(Web);
        vault.Keys.RotateMaster();
        Assert.Equal(keys[0], Released(vault, Names[0]));
        vault.Keys.Clear(Names[0], Host, ClearCause.Returned, "d", "blank");
        vault.Keys.Destroy(
            new Destruction("key", Names[0], "d") { LedgerSize = 1, LedgerRoot = "r" },
            new DestructionFacts((_, _) => 0, _ => null));

        // The revision of the statement that the load was decided by.
        Assert.Equal((3, 1), (
            (int)(vault.Keys.TombstoneOf(Names[0])?.Revision ?? 0), vault.Keys.TombstoneOf(Names[0])?.Generation));
        Assert.Equal(keys[1], Released(vault, Names[1]));
        var (again, other) = Prepared(vault, Names[0]);
        vault.Keys.Load(again);
        Assert.Equal(2, vault.Keys.Tree().Domains[0].Keys[0].Epoch);
        Assert.Equal(other[0], Released(vault, Names[0]));
        Assert.NotEqual(keys[0], other[0]);
        vault.Dispose();
        using OpenVault after = new(_path, Tenant);
        Assert.Equal(other[0], Released(after, Names[0]));
    }

    [Fact]
    public void A_store_that_was_put_back_from_before_a_load_is_refused()
    {
        string old = Path.Combine(_root, "old");
        VaultFiles.Copy(_path, old);
        using (OpenVault vault = new(_path, Tenant))
        {
            vault.Keys.Load(Prepared(vault).Load);
        }

        File.Copy(Path.Combine(_path, "releases.log"), Path.Combine(old, "releases.log"), overwrite: true);
        Assert.Throws<CustodyException>(() => new OpenVault(old, Tenant));
        using OpenVault newest = new(_path, Tenant);
        Assert.Equal(2, newest.Keys.Volumes().Count);
    }

    [Fact]
    public void No_file_holds_a_loaded_key_in_any_form()
    {
        string[] keys;
        using (OpenVault vault = new(_path, Tenant))
        {
            (KeyLoad load, keys) = Prepared(vault);
            vault.Keys.Load(load);
            Released(vault, Names[0]);
        }

        foreach (byte[] key in keys.Select(Convert.FromBase64String))
        {
            Assert.False(VaultFiles.Holds(_path, key));
            Assert.False(VaultFiles.Holds(_path, System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key))));
            Assert.False(VaultFiles.Holds(
                _path, System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(key)[..40])));
        }

        string planted = Path.Combine(_path, "planted");
        File.WriteAllBytes(planted, Convert.FromBase64String(keys[0]));
        File.SetUnixFileMode(planted, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.True(VaultFiles.Holds(_path, Convert.FromBase64String(keys[0])));
    }

    private static string Released(OpenVault vault, string name) => Convert.ToBase64String(vault.Keys.Release(
        new KeyGrant(name, Web, Host) { Mark = "blank", Revision = 3 }, Masters.Bytes).Sealed);

    /// <summary>Keys as they were prepared, and what they are.</summary>
    private static (KeyLoad Load, string[] Keys) Prepared(OpenVault vault, params string[] names)
    {
        string[] of = names.Length == 0 ? Names : names;
        PreparedKeys prepared = PreparedKeys.Read(PreparedKeys.Make(vault.Master.Current, Web, of))
            ?? throw new InvalidOperationException();
        return (
            new KeyLoad(prepared, "digest", [.. of.Select(_ => 3L)]),
            [
                .. (prepared.Open(vault.Master.Current) ?? throw new InvalidOperationException())
                    .Select(key => Convert.ToBase64String(Masters.Bytes(key))),
            ]);
    }

    private sealed class MachineDied : Exception;
}
