using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Durable;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Custody;

/// <summary>A party's keys as files.</summary>
public sealed class PartyDirectoryTests : IDisposable
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerDirectory = OwnerFile | UnixFileMode.UserExecute;
    private readonly SigningScene _scene = new();

    [Fact]
    public void Makes_every_key_for_its_owner_alone()
    {
        using PartyDirectory made = _scene.Create("bank");

        Assert.Equal(OwnerDirectory, File.GetUnixFileMode(_scene.Keys("bank")));
        string[] names = [.. Directory.EnumerateFiles(_scene.Keys("bank")).Select(f => Path.GetFileName(f)).Order()];
        Assert.Equal(
            ["admin.pem", "auditor.pem", "keyservice.pem", "party.json", "root-1.pem", "root-2.pem", "root-3.pem"],
            names);
        Assert.All(names, n => Assert.Equal(OwnerFile, File.GetUnixFileMode(Path.Combine(_scene.Keys("bank"), n))));
        Assert.Null(made.Facts.Id);
    }

    [Fact]
    public void Opens_what_it_made()
    {
        PartyFacts made;
        using (PartyDirectory directory = _scene.Create("bank"))
        {
            made = directory.Facts;
        }

        using PartyDirectory opened = _scene.Open("bank");

        Assert.Equal(made.Write().ToJsonString(), opened.Facts.Write().ToJsonString());
        Assert.Equal(made.Roots, opened.OpenRoots(3).Select(k => k.PublicKey));
    }

    [Fact]
    public void Takes_a_path_relative_to_where_one_stands_and_a_last_slash()
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, _scene.Keys("bank")) + "/";
        using PartyDirectory made = PartyDirectory.Create(relative, Request(1, 1));

        using PartyDirectory opened = PartyDirectory.Open(relative, null);

        Assert.Equal(_scene.Keys("bank"), opened.Files.Path);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 3)]
    [InlineData(17, 2)]
    [InlineData(-1, -1)]
    public void Refuses_numbers_that_make_no_quorum(int keys, int threshold)
    {
        var refused = Assert.Throws<CustodyException>(() => _scene.Create("bank", keys, threshold));

        Assert.Contains("no quorum", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_scene.Keys("bank")));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(16, 2)]
    public void Accepts_numbers_that_make_one(int keys, int threshold)
    {
        using PartyDirectory made = _scene.Create("bank", keys, threshold);

        Assert.Equal(keys, made.Facts.Roots.Length);
    }

    [Fact]
    public void Refuses_a_directory_that_holds_a_party()
    {
        _scene.Create("bank").Dispose();
        string before = File.ReadAllText(Path.Combine(_scene.Keys("bank"), "root-1.pem"));

        var refused = Assert.Throws<CustodyException>(() => _scene.Create("bank"));

        Assert.Contains("already", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(_scene.Keys("bank"), "root-1.pem")));
    }

    [Fact]
    public void Never_overwrites_a_key_that_a_dead_predecessor_made()
    {
        _scene.Create("bank").Dispose();
        File.Delete(Path.Combine(_scene.Keys("bank"), PartyDirectory.FactsFile));

        var refused = Assert.Throws<CustodyException>(() => _scene.Create("bank"));

        Assert.Contains("root-1.pem exists", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_directory_others_may_read()
    {
        _scene.Create("bank").Dispose();
        File.SetUnixFileMode(_scene.Keys("bank"), OwnerDirectory | UnixFileMode.GroupRead);

        Assert.Throws<DurableException>(() => _scene.Open("bank"));

        File.SetUnixFileMode(_scene.Keys("bank"), OwnerDirectory);
        _scene.Open("bank").Dispose();
    }

    [Fact]
    public void Opens_root_keys_only_with_their_passphrase()
    {
        _scene.Create("bank", 1, 1, "correct horse").Dispose();
        Assert.Contains("ENCRYPTED", File.ReadAllText(Path.Combine(_scene.Keys("bank"), "root-1.pem")),
            StringComparison.Ordinal);

        using PartyDirectory right = PartyDirectory.Open(_scene.Keys("bank"), "correct horse");
        using PartyDirectory wrong = PartyDirectory.Open(_scene.Keys("bank"), "correct house");
        using PartyDirectory none = PartyDirectory.Open(_scene.Keys("bank"), null);

        Assert.Equal(right.Facts.Roots, right.OpenRoots(1).Select(k => k.PublicKey));
        Assert.Contains("passphrase is wrong", Assert.Throws<CustodyException>(() => wrong.OpenRoots(1)).Message,
            StringComparison.Ordinal);
        Assert.Contains("--passphrase-file", Assert.Throws<CustodyException>(() => none.OpenRoots(1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Says_how_many_root_keys_are_missing()
    {
        using PartyDirectory made = _scene.Create("bank");
        File.Delete(Path.Combine(_scene.Keys("bank"), "root-1.pem"));

        Assert.Equal(2, made.OpenRoots(2).Count);
        Assert.Contains("3 root keys of bank must sign, and 2 are in",
            Assert.Throws<CustodyException>(() => made.OpenRoots(3)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"threshold\": 2", "\"threshold\": \"2\"")]
    [InlineData("\"threshold\": 2", "\"threshold\": 4")]
    [InlineData("\"threshold\": 2", "\"threshold\": 0")]
    [InlineData("\"roots\": [", "\"roots\": [7, ")]
    [InlineData("\"roots\": [", "\"rots\": [")]
    [InlineData("\"kind\": \"Tenant\"", "\"kind\": \"Domain\"")]
    [InlineData("\"name\": \"bank\"", "\"name\": \"Bank\"")]
    [InlineData("\"id\": null", "\"id\": \"12ab\"")]
    [InlineData("\"id\": null", "\"id\": null, \"id\": null")]
    [InlineData("{", "[")]
    public void Refuses_damaged_facts_by_name(string old, string damaged)
    {
        _scene.Create("bank").Dispose();
        string file = Path.Combine(_scene.Keys("bank"), PartyDirectory.FactsFile);
        string text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        _scene.Open("bank").Dispose();

        File.WriteAllText(file, text.Replace(old, damaged, StringComparison.Ordinal));

        var refused = Assert.Throws<CustodyException>(() => _scene.Open("bank"));
        Assert.Contains("party.json is not a party's facts", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_where_there_is_no_party()
    {
        Assert.Contains("There is no key directory", Assert.Throws<CustodyException>(() => _scene.Open("bank")).Message,
            StringComparison.Ordinal);
        Directory.CreateDirectory(_scene.Keys("bank"), OwnerDirectory);
        Assert.Contains("holds no party", Assert.Throws<CustodyException>(() => _scene.Open("bank")).Message,
            StringComparison.Ordinal);
        Assert.Contains("is empty", Assert.Throws<CustodyException>(() => PartyDirectory.Create("", Request(1, 1)))
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_key_is_named()
    {
        using PartyDirectory made = _scene.Create("bank", 1, 1);
        string file = Path.Combine(_scene.Keys("bank"), "root-1.pem");
        Assert.IsType<EcdsaSigner>(Assert.Single(made.OpenRoots(1)));

        File.WriteAllText(file, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");

        Assert.Contains("root-1.pem in", Assert.Throws<CustodyException>(() => made.OpenRoots(1)).Message,
            StringComparison.Ordinal);
    }

    public void Dispose() => _scene.Dispose();

    private static PartyRequest Request(int keys, int threshold) => new(
        StatementKind.Tenant, StatementName.Parse("bank"),
        keys, threshold, "10.99.0.3:7600", null);
}
