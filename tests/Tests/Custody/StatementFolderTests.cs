using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Durable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Custody;

/// <summary>A folder of signed statements that somebody or something changed.</summary>
public sealed class StatementFolderTests : IDisposable
{
    private readonly SigningScene _scene = new();

    public StatementFolderTests()
    {
        _scene.SignRoots();
        _scene.Sign("hospital");
        _scene.Edit("hospital/records.yaml", "machines: 4", "machines: 5");
        _scene.Sign("hospital");
        // The control of every refusal below: as it was signed, it replays.
        Assert.Equal(2, Domain().Revision);
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused_by_the_files_name()
    {
        string file = File("0002-*");
        byte[] whole = System.IO.File.ReadAllBytes(file);
        for (int i = 0; i < whole.Length; i += 37)
        {
            byte[] flipped = [.. whole];
            flipped[i] ^= 1;
            System.IO.File.WriteAllBytes(file, flipped);
            Assert.Contains(Path.GetFileName(file), Refused(), StringComparison.Ordinal);
        }

        System.IO.File.WriteAllBytes(file, whole);
        Assert.Equal(2, Domain().Revision);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public void A_cut_file_is_refused_by_its_name(int length)
    {
        string file = File("0002-*");
        System.IO.File.WriteAllBytes(file, System.IO.File.ReadAllBytes(file)[..length]);

        Assert.Contains("0002-", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_noticed_at_the_next()
    {
        System.IO.File.Delete(File("0003-*"));

        Assert.Contains("0004-", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_revisions_in_the_wrong_order_are_refused()
    {
        string first = File("*-Domain-records-1*"), second = File("*-Domain-records-2*");
        byte[] one = System.IO.File.ReadAllBytes(first), two = System.IO.File.ReadAllBytes(second);
        System.IO.File.WriteAllBytes(first, two);
        System.IO.File.WriteAllBytes(second, one);

        Assert.Contains($"{Path.GetFileName(first)} is refused (Gap)", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_older_revision_after_a_newer_is_a_rollback()
    {
        string older = File("*-Domain-records-1*");
        System.IO.File.Copy(older, Path.Combine(Path.GetDirectoryName(older) ?? "", "0009-Domain-records-1.dsse.json"));

        Assert.Contains("0009-Domain-records-1.dsse.json is refused (Rollback)", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_statement_of_the_same_revision_is_a_fork()
    {
        string newest = File("*-Domain-records-2*");
        string held = Path.Combine(_scene.Root, "held");
        System.IO.File.Move(newest, held);
        _scene.Edit("hospital/records.yaml", "machines: 5", "machines: 6");
        _scene.Sign("hospital");
        System.IO.File.Move(held, newest.Replace("0008-", "0009-", StringComparison.Ordinal));

        Assert.Contains("0009-Domain-records-2.dsse.json is refused (Fork)", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_statement_of_another_tenants_key_is_refused()
    {
        string file = File("*-Domain-records-2*");
        string theirs = Directory.EnumerateFiles(_scene.Signed("bank")).Single();
        System.IO.File.Copy(theirs, Path.Combine(_scene.Signed("hospital"), "0009-Tenant-bank-1.dsse.json"));
        // Another party's root is no fault; what it signs for the hospital is.
        Assert.Equal(2, Domain().Revision);
        using StatementFolder folder = _scene.Folder("hospital");
        using Bailiwick.Custody.Parties.PartyDirectory bank = _scene.Open("bank");
        var domain = Domain();
        byte[] forged = EnvelopeWriter.Sign(
            StatementPayload.Compose(
                domain.Kind, domain.Owner, domain.Name, 3, domain.Digest, DateTimeOffset.UnixEpoch, domain.Body),
            [.. bank.OpenRoots(2)]);

        Assert.Contains("is refused", Assert.Throws<CustodyException>(() => folder.Add(forged)).Message,
            StringComparison.Ordinal);
        Assert.True(System.IO.File.Exists(file));
    }

    [Fact]
    public void A_file_that_others_may_read_is_refused()
    {
        string file = File("0002-*");
        System.IO.File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains("0002-", Assert.Throws<DurableException>(() => _scene.Folder("hospital")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_another_kind_are_none_of_its_business()
    {
        System.IO.File.WriteAllText(Path.Combine(_scene.Signed("hospital"), "README"), "carry these to the board");

        Assert.Equal(2, Domain().Revision);
    }

    public void Dispose() => _scene.Dispose();

    private string File(string pattern) =>
        Directory.EnumerateFiles(_scene.Signed("hospital"), pattern).Order(StringComparer.Ordinal).First();

    private string Refused() => Assert.Throws<CustodyException>(() => _scene.Folder("hospital")).Message;

    private VerifiedStatement Domain() => _scene.Replay("hospital")
        .Current(StatementKind.Domain).Single();
}
