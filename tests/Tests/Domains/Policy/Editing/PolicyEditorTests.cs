using System.Text;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy.Editing;

/// <summary>Changes to what people wrote leave everything else as they wrote it.</summary>
public sealed class PolicyEditorTests
{
    private const string Two = """
        # The machine at the front.
        kind: Compartment
        name: web-1
        boot: {image: guest}   # signed elsewhere
        disks:
          # the books
          - {volume: a, access: write}   # ours
          - volume: b
            access: read
        nics: [{domain: web}]
        # behind it
        ---
        kind: Volume
        name: a
        domain: web
        sizeMiB: 16
        wipe: crypto-erase

        """;

    private static readonly PolicyNode.Members Disk = Members(("volume", Text("x/c")), ("access", Text("read")));

    [Fact]
    public void An_entry_goes_behind_the_last_of_a_list_in_the_form_it_has()
    {
        Assert.Equal(
            Two.Replace("    access: read\n", "    access: read\n  - {volume: x/c, access: read}\n",
                StringComparison.Ordinal),
            Done(Two, Add("disks", Disk)));
        Assert.Equal(
            Two.Replace("[{domain: web}]", "[{domain: web}, {volume: x/c, access: read}]", StringComparison.Ordinal),
            Done(Two, Add("nics", Disk)));
    }

    [Fact]
    public void A_missing_list_is_made_behind_the_last_member()
    {
        Assert.Equal(
            Two.Replace("nics: [{domain: web}]\n",
                "nics: [{domain: web}]\nmore:\n  - {volume: x/c, access: read}\n", StringComparison.Ordinal),
            Done(Two, Add("more", Disk)));
    }

    [Fact]
    public void An_entry_is_taken_out_with_its_lines_only()
    {
        Assert.Equal(
            Two.Replace("  - volume: b\n    access: read\n", "", StringComparison.Ordinal),
            Done(Two, Remove("disks", 1)));
        Assert.Equal(
            Two.Replace("  - {volume: a, access: write}   # ours\n", "", StringComparison.Ordinal),
            Done(Two, Remove("disks", 0)));
        Assert.Equal(
            Two.Replace("nics: [{domain: web}]", "nics: []", StringComparison.Ordinal), Done(Two, Remove("nics", 0)));
    }

    [Theory]
    [InlineData("[1, 2, 3]", 0, "[2, 3]")]
    [InlineData("[1, 2, 3]", 1, "[1, 3]")]
    [InlineData("[1, 2, 3]", 2, "[1, 2]")]
    [InlineData("[ 1 ,2 ]", 1, "[ 1 ]")]
    public void Entries_leave_a_list_in_one_line(string list, int index, string left)
    {
        string before = $"kind: Compartment\nname: web-1\ncpus: {list} # how many\n";

        Assert.Equal(
            $"kind: Compartment\nname: web-1\ncpus: {left} # how many\n", Done(before, Remove("cpus", index)));
    }

    [Fact]
    public void A_member_changes_in_its_line_or_comes_behind_the_last()
    {
        var set = new PolicyEdit.SetMember(
            StatementKind.Volume, StatementName.Parse("a"), "sharing", Text("readers"));

        string once = Done(Two, set), twice = Done(once, set with { Value = Text("writers") });

        Assert.Equal(Two + "sharing: readers\n", once);
        Assert.Equal(Two + "sharing: writers\n", twice);
        Assert.Equal(
            Two.Replace("boot: {image: guest}   #", "boot: {image: other}   #", StringComparison.Ordinal),
            Done(Two, new PolicyEdit.SetMember(StatementKind.Compartment, StatementName.Parse("web-1"), "boot",
                Members(("image", Text("other"))))));
    }

    [Fact]
    public void A_nested_list_gets_its_entry()
    {
        const string Domain = "kind: Domain\nname: web\nflows:\n  grants:\n    - {to: a/b}\n  accepts: []\nlast: 1\n";
        PolicyEdit Half(string list) => new PolicyEdit.AddItem(
            StatementKind.Domain, StatementName.Parse("web"), ["flows", list], Members(("to", Text("c/d"))));

        Assert.Equal(
            Domain.Replace("{to: a/b}\n", "{to: a/b}\n    - {to: c/d}\n", StringComparison.Ordinal),
            Done(Domain, Half("grants")));
        Assert.Equal(
            Domain.Replace("accepts: []\n", "accepts:\n    - {to: c/d}\n", StringComparison.Ordinal),
            Done(Domain, Half("accepts")));
    }

    [Fact]
    public void A_document_goes_behind_the_last()
    {
        var append = new PolicyEdit.Append(StatementKind.Volume, StatementName.Parse("new"),
            Members(("sizeMiB", new PolicyNode.Integer(4, 0)), ("note", Text("yes"))));

        Assert.Equal(Two + "---\nkind: Volume\nname: new\nsizeMiB: 4\nnote: \"yes\"\n", Done(Two, append));
        Assert.Equal("kind: Volume\nname: new\nsizeMiB: 4\nnote: \"yes\"\n", Done("", append));
    }

    [Theory]
    [InlineData("kind: Volume\nname: a\nname: b\n")]
    [InlineData("kind: Compartment\nname: web-1\ndisks: &a []\n")]
    [InlineData("kind: Compartment\nname: web-2\ndisks: []\n")]
    [InlineData("kind: Compartment\nname: web-1\ndisks: {}\n")]
    [InlineData("kind: Compartment\nname: web-1\ndisks: none\n")]
    [InlineData("kind: Compartment\nname: web-1\n? disks\n: []\n")]
    [InlineData("kind: Compartment\nname: web-1\ndisks: [1,\n2 # ]\n, ]\n")]
    [InlineData("kind: Compartment\nname: web-1\nlast:\n")]
    [InlineData("kind: Compartment\nname: web-1\nlast: |\n  text\n  more\n...\n")]
    [InlineData("{kind: Compartment, name: web-1, disks: 1}")]
    public void What_cannot_be_changed_alone_is_refused_or_says_exactly_the_change(string text)
    {
        // Whatever the form is: a refusal, or a text that reads as the old one with the change.
        switch (PolicyEditor.Apply(text, Add("disks", Disk)))
        {
            case EditedText.Refused refused:
                Assert.Matches("^.{20,}[.]$", refused.Sentence);
                break;
            case EditedText.Done done:
                Assert.Equal(1, Read(done.Text).Split("x/c").Length - 1);
                break;
        }
    }

    [Fact]
    public void Refuses_a_document_that_is_there_and_one_that_is_not()
    {
        Assert.IsType<EditedText.Refused>(PolicyEditor.Apply(Two, new PolicyEdit.Append(
            StatementKind.Volume, StatementName.Parse("a"), Members())));
        Assert.IsType<EditedText.Refused>(PolicyEditor.Apply(Two, new PolicyEdit.SetMember(
            StatementKind.Volume, StatementName.Parse("c"), "sharing", Text("readers"))));
        Assert.IsType<EditedText.Refused>(PolicyEditor.Apply(Two, Remove("disks", 2)));
        // The control: the same acts on what is there.
        Assert.IsType<EditedText.Done>(PolicyEditor.Apply(Two, Remove("disks", 1)));
    }

    private static PolicyEdit.AddItem Add(string list, PolicyNode item) =>
        new(StatementKind.Compartment, StatementName.Parse("web-1"), [list], item);

    private static PolicyEdit.RemoveItem Remove(string list, int index) =>
        new(StatementKind.Compartment, StatementName.Parse("web-1"), list, index);

    private static string Done(string text, PolicyEdit edit)
    {
        EditedText edited = PolicyEditor.Apply(text, edit);
        return edited is EditedText.Done done ? done.Text : throw new InvalidOperationException($"{edited}");
    }

    private static string Read(string text)
    {
        PolicyReading reading = PolicyDocuments.ReadYaml(
            [("bank/x.yaml", Encoding.UTF8.GetBytes(text))], PartyNames.Unsigned(["bank"]));
        Assert.DoesNotContain(reading.Findings, one => one.Code is FindingCode.YamlSyntax or FindingCode.BadPath);
        return text;
    }

    private static PolicyNode.Members Members(params (string Name, PolicyNode Value)[] members) =>
        new([.. members.Select(one => new PolicyMember(one.Name, one.Value, 0))], 0);

    private static PolicyNode.Text Text(string value) => new(value, 0);
}
