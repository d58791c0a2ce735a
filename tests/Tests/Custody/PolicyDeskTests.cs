using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Custody;

/// <summary>Signing what a party wrote.</summary>
public sealed class PolicyDeskTests : IDisposable
{
    private static readonly string[] Parties = ["bank", "hospital", "regulator", "alpine"];
    private readonly SigningScene _scene = new();

    [Fact]
    public void Signs_everything_once_and_then_nothing()
    {
        _scene.SignRoots();

        Assert.All(Parties, p => Assert.NotEmpty(_scene.Sign(p)));
        Assert.All(Parties, p => Assert.Empty(_scene.Sign(p)));
    }

    [Fact]
    public void A_change_is_the_next_revision_and_names_its_predecessor_and_nothing_else_is_signed()
    {
        _scene.SignRoots();
        VerifiedStatement first = Assert.Single(_scene.Sign("hospital"), s => s.Kind == StatementKind.Domain);
        _scene.Edit("hospital/records.yaml", "machines: 4", "machines: 5");

        VerifiedStatement second = Assert.Single(_scene.Sign("hospital"));

        Assert.Equal((StatementKind.Domain, 2L, first.Digest), (second.Kind, second.Revision, second.Previous));
        Assert.Empty(_scene.Sign("hospital"));
    }

    [Fact]
    public void Comments_and_order_are_no_change()
    {
        _scene.SignRoots();
        _scene.Sign("hospital");
        _scene.Edit("hospital/records.yaml", "kind: Domain\nname: records", "# said anew\nname: records\nkind: Domain");

        Assert.Empty(_scene.Sign("hospital"));
    }

    [Fact]
    public void Roots_come_first_and_their_ids_stay()
    {
        _scene.SignRoots();
        var ids = Parties.ToDictionary(p => p, p => Id(p));

        Assert.All(Parties, p => Assert.DoesNotContain(_scene.Sign(p), s => s.Kind.IsRoot()));

        Assert.All(Parties, p => Assert.Equal(ids[p], Id(p)));
        Assert.All(Parties, p => Assert.Equal(ids[p], _scene.Desk.Names().Find(p)));
        Assert.Equal(
            ids["bank"], PartyId.OfFirstRoot(_scene.Replay("bank").Roots(ids["bank"])[0].Statement.Payload.Span));
        string tenants = _scene.Replay("alpine").Current(StatementKind.Datacentre).Single().Body
            .GetProperty("tenants").GetRawText();
        Assert.All(Parties.Take(3), p => Assert.Contains(ids[p].ToString(), tenants, StringComparison.Ordinal));
    }

    [Fact]
    public void A_datacentre_is_not_signed_before_the_tenants_it_names_have_ids()
    {
        using PartyDirectory keys = _scene.Create("alpine");
        using StatementFolder folder = _scene.Folder("alpine");

        var refused = Assert.Throws<CustodyException>(
            () => _scene.Desk.SignRoot(keys, folder, _scene.Facts, DateTimeOffset.UnixEpoch));

        Assert.Contains("parties.json", refused.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Envelopes);
    }

    [Fact]
    public void Names_that_only_stand_in_for_ids_are_never_signed()
    {
        _scene.SignRoots();
        string file = Path.Combine(_scene.Policies, PolicyDesk.PartiesFile);
        string known = File.ReadAllText(file);
        File.Delete(file);

        var refused = Assert.Throws<CustodyException>(() => _scene.Sign("bank"));

        Assert.Contains("There is no party 'alpine'", refused.Message, StringComparison.Ordinal);
        File.WriteAllText(file, known);
        VerifiedStatement web = Assert.Single(
            _scene.Sign("bank"), s => s.Kind == StatementKind.Domain && s.Name.Text == "web");
        string body = web.Body.GetRawText();
        Assert.Contains($"{Id("bank")}/ledger", body, StringComparison.Ordinal);
        Assert.DoesNotContain(PartyId.Unsigned("bank").ToString(), body, StringComparison.Ordinal);
    }

    [Fact]
    public void A_desk_that_died_before_it_noted_its_id_finds_it_again()
    {
        byte[] unbound;
        using (PartyDirectory keys = _scene.Create("bank"))
        {
            unbound = File.ReadAllBytes(FactsFile("bank"));
            using StatementFolder folder = _scene.Folder("bank");
            _scene.Desk.SignRoot(keys, folder, _scene.Facts, DateTimeOffset.UnixEpoch);
        }

        PartyId id = Id("bank");
        File.WriteAllBytes(FactsFile("bank"), unbound);

        using PartyDirectory again = _scene.Open("bank");
        Assert.Null(again.Facts.Id);
        using StatementFolder same = _scene.Folder("bank");
        Assert.Null(_scene.Desk.SignRoot(again, same, _scene.Facts, DateTimeOffset.UnixEpoch.AddDays(1)));

        Assert.Equal(id, again.Facts.Id);
        Assert.Equal(id, Id("bank"));
        Assert.Single(same.Envelopes);
    }

    [Fact]
    public void New_keys_do_not_take_the_id_of_another_party_of_their_name()
    {
        _scene.SignRoots();
        Directory.Delete(_scene.Keys("bank"), recursive: true);
        using PartyDirectory other = _scene.Create("bank");
        using StatementFolder folder = _scene.Folder("bank");

        var refused = Assert.Throws<CustodyException>(
            () => _scene.Desk.SignRoot(other, folder, _scene.Facts, DateTimeOffset.UnixEpoch));

        Assert.Contains("belongs to another bank", refused.Message, StringComparison.Ordinal);
        Assert.Null(other.Facts.Id);
    }

    [Fact]
    public void An_empty_folder_is_not_the_folder_of_a_party_that_signed()
    {
        _scene.SignRoots();
        Directory.Delete(_scene.Signed("bank"), recursive: true);

        var refused = Assert.Throws<CustodyException>(() => _scene.Sign("bank"));

        Assert.Contains("has no root of bank", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\nkind: Image", "\nkind: Imag", "bank/images.yaml:2")]
    [InlineData("{file: vmlinuz}", "{file: missing}", "bank/images.yaml:4")]
    [InlineData("name: guest", "name: guest\nname: guest", "bank/images.yaml:4")]
    public void What_cannot_be_signed_is_named_with_its_place(string old, string wrong, string place)
    {
        _scene.SignRoots();
        _scene.Edit("bank/images.yaml", old, wrong);

        Assert.Contains(place, Assert.Throws<CustodyException>(() => _scene.Sign("bank")).Message,
            StringComparison.Ordinal);

        _scene.Edit("bank/images.yaml", wrong, old);
        Assert.NotEmpty(_scene.Sign("bank"));
    }

    [Fact]
    public void A_statement_written_twice_is_refused_with_both_places()
    {
        _scene.SignRoots();
        string copy = Path.Combine(_scene.Policies, "bank", "copy.yaml");
        File.Copy(Path.Combine(_scene.Policies, "bank", "images.yaml"), copy);

        string refused = Assert.Throws<CustodyException>(() => _scene.Sign("bank")).Message;

        Assert.Contains("bank/copy.yaml:2 and bank/images.yaml:2", refused, StringComparison.Ordinal);
        File.Delete(copy);
        Assert.NotEmpty(_scene.Sign("bank"));
    }

    [Fact]
    public void A_link_is_refused_and_what_an_editor_hides_is_passed_over()
    {
        string bank = Path.Combine(_scene.Policies, "bank");
        File.CreateSymbolicLink(Path.Combine(bank, ".#web.yaml"), "somebody@desk.1");
        Assert.Equal(12, _scene.Desk.Files().Count);
        string link = Path.Combine(bank, "link.yaml");
        File.CreateSymbolicLink(link, "/dev/zero");

        Assert.Contains("link.yaml is a symbolic link",
            Assert.Throws<CustodyException>(() => _scene.Desk.Files()).Message, StringComparison.Ordinal);

        File.Delete(link);
        File.CreateSymbolicLink(Path.Combine(_scene.Policies, "loop"), _scene.Policies);
        Assert.Throws<CustodyException>(() => _scene.Desk.Files());
    }

    [Theory]
    [InlineData("{\"parties\":")]
    [InlineData("{\"parties\":{\"bank\":\"12\"}}")]
    [InlineData("[]")]
    public void A_broken_list_of_parties_is_named(string text)
    {
        Assert.NotNull(_scene.Desk.Names().Find("bank"));
        File.WriteAllText(Path.Combine(_scene.Policies, PolicyDesk.PartiesFile), text);

        Assert.Contains("parties.json is not",
            Assert.Throws<CustodyException>(() => _scene.Desk.Names()).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scene.Dispose();

    private string FactsFile(string party) => Path.Combine(_scene.Keys(party), PartyDirectory.FactsFile);

    private PartyId Id(string party)
    {
        using PartyDirectory opened = _scene.Open(party);
        return Assert.IsType<PartyId>(opened.Facts.Id);
    }
}
