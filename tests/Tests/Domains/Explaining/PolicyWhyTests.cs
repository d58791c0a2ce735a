using Bailiwick.Domains.Explaining;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Explaining;

/// <summary>Why something may be is told by the chain of statements that says so, or by the missing one.</summary>
public sealed class PolicyWhyTests
{
    private const string Archive = "bank/ledger-archive";
    private const string Inspector = "regulator/inspector-1";
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspection = "regulator/inspection.yaml";
    private const string Records = "hospital/records.yaml";
    private const string Data = "  - {volume: records-1-data, access: write}";
    private const string Loan = "volume: {name: ledger-archive, access: read}";
    private const string LentBy = $"    - {{to: regulator/inspection, {Loan}}}\n";

    [Fact]
    public void An_open_flow_is_told_by_its_two_members_and_its_two_terms()
    {
        Explanation told = Flow("bank/web-1", "bank/ledger-1", "tcp/5432");

        Assert.True(told.Yes);
        Assert.Equal(
            [
                "Compartment bank/web-1 (unsigned)", "Compartment bank/ledger-1 (unsigned)",
                "Domain bank/web (unsigned)", "Domain bank/ledger (unsigned)",
            ],
            told.Chain.Select(link => link.Statement));
        Assert.Contains("grants (/flows/grants/0): {to: bank/ledger", told.Chain[2].Sentence, StringComparison.Ordinal);
        Assert.Equal(("bank/ledger.yaml", 2), (told.Chain[3].File, told.Chain[3].Line));
    }

    [Theory]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp/5433", new[] { "Domain bank/web", "Domain bank/ledger" })]
    [InlineData("bank/ledger-1", "bank/web-1", "tcp/5432", new[] { "Domain bank/ledger", "Domain bank/web" })]
    [InlineData("bank/web-1", "bank/ledger-1", "icmp", new[] { "Domain bank/web", "Domain bank/ledger" })]
    public void A_closed_flow_names_whose_statement_is_missing_which_term(
        string from, string to, string service, string[] silent)
    {
        Explanation told = Flow(from, to, service);

        Assert.False(told.Yes);
        ExplainedLink[] missing = [.. told.Chain.Where(link => !link.Holds)];
        Assert.Equal(silent.Select(one => $"{one} (unsigned)"), missing.Select(link => link.Statement));
        Assert.All(missing, link => Assert.Contains("would need this among", link.Sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_members_of_one_domain_need_no_term_and_an_expired_policy_is_a_link_that_does_not_hold()
    {
        Explanation told = Flow("bank/web-1", "bank/web-2", "tcp/1");
        Assert.True(told.Yes);
        Assert.Contains("inside a domain every member", told.Chain[2].Sentence, StringComparison.Ordinal);

        Explanation late = Answer(
            new WhyQuestion.Flow(TracerTests.Question("bank/web-1", "bank/web-2", "tcp/1")),
            at: new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.False(late.Yes);
        Assert.Contains(
            "has expired", Assert.Single(late.Chain, link => !link.Holds).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pair_of_domains_that_is_closed_all_the_same_says_why()
    {
        Example example = Example.ThreeTenants
            .With(Inspection, "10.30.0", "10.20.1").With(Inspection, "fd30:", "fd20:1:");

        Explanation told = Flow(Inspector, "bank/ledger-1", "tcp/8443", example);

        Assert.False(told.Yes);
        Assert.Contains(
            "in one reach", Assert.Single(told.Chain, link => !link.Holds).Sentence, StringComparison.Ordinal);
        Assert.True(Flow(Inspector, "bank/ledger-1", "tcp/8443").Yes);
    }

    [Fact]
    public void A_lent_volume_is_told_by_its_owner_its_loan_and_its_borrower()
    {
        Explanation told = Disk(Archive, Inspector);

        Assert.True(told.Yes);
        Assert.Contains(told.Chain, link => link.Sentence.Contains(
            "bank/ledger grants (/flows/grants/0): {to: regulator/inspection, volume: {name: ledger-archive, "
            + "access: read}}", StringComparison.Ordinal));
        Assert.Contains(told.Chain, link => link.Sentence.Contains(
            "regulator/inspection accepts", StringComparison.Ordinal));
    }

    public static TheoryData<string, string, string, string, string> Obstacles => new()
    {
        { Ledger, LentBy, "    []\n", "would need this among its grants", "Domain bank/ledger (unsigned)" },
        {
            Ledger, "sharing: readers", "sharing: exclusive", "bank/ledger-1 names it too",
            "Compartment bank/ledger-1 (unsigned)"
        },
        {
            Ledger, "sharing: readers", "sharing: readers\nmount: {images: [guest]}", "starts from",
            "Volume bank/ledger-archive (unsigned)"
        },
        {
            Ledger, "sharing: readers", "sharing: readers\nmount: {hosts: [host-9]}", "is opened on host-9",
            "Volume bank/ledger-archive (unsigned)"
        },
    };

    [Theory]
    [MemberData(nameof(Obstacles))]
    public void What_keeps_a_machine_from_a_volume_is_the_one_link_that_does_not_hold(
        string file, string old, string changed, string sentence, string statement)
    {
        Explanation told = Disk(Archive, Inspector, Example.ThreeTenants.With(file, old, changed));

        Assert.False(told.Yes);
        ExplainedLink link = Assert.Single(told.Chain, link => !link.Holds);
        Assert.Contains(sentence, link.Sentence, StringComparison.Ordinal);
        Assert.Equal(statement, link.Statement);
        Assert.True(Disk(Archive, Inspector).Yes);
    }

    [Fact]
    public void A_place_is_told_by_what_admission_control_rests_on_or_by_its_refusals()
    {
        Explanation may = Answer(new WhyQuestion.Place(Machine("bank/web-1"), Host("host-1")));
        Explanation mayNot = Answer(new WhyQuestion.Place(Machine("bank/web-1"), Host("host-3")));

        Assert.True(may.Yes);
        Assert.Equal(
            ["Compartment", "Domain", "Image", "Host", "Datacentre"],
            may.Chain.Select(link => link.Statement.Split(' ')[0]));
        Assert.False(mayNot.Yes);
        Assert.Contains("may run on host-1, not on", mayNot.Chain[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stranger_is_told_of_as_one_that_does_not_exist()
    {
        foreach ((WhyQuestion real, WhyQuestion none) in new (WhyQuestion, WhyQuestion)[]
        {
            (AskedFlow("hospital/records-1", "bank/web-1"), AskedFlow("hospital/nobody-1", "bank/web-1")),
            (AskedFlow("bank/web-1", "hospital/records-1"), AskedFlow("bank/web-1", "hospital/nobody-1")),
            (Asked("hospital/records-1-data"), Asked("hospital/nobody-1-data")),
        })
        {
            string told = Text(real, "bank"), nobody = Text(none, "bank");
            Assert.Equal(told.Replace("records", "nobody", StringComparison.Ordinal), nobody);
            Assert.DoesNotContain("hospital", told, StringComparison.Ordinal);
            // Who may see all of it is told whose it is.
            Assert.Contains("hospital", Text(real, null), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_borrower_reads_no_other_borrowers_name()
    {
        // The hospital borrows the same volume: it sees the bank's part of it, and nothing of the regulator.
        Example example = Example.ThreeTenants
            .With(Ledger, LentBy, LentBy + $"    - {{to: hospital/records, {Loan}}}\n")
            .With(Records, "  accepts: []\n", $"  accepts:\n    - {{from: bank/ledger, {Loan}}}\n")
            .With(Records, Data, $"{Data}\n  - {{volume: bank/ledger-archive, access: read}}");
        WhyQuestion asked = Asked(Archive, "hospital/records-1");

        string told = Text(asked, "hospital", example);

        Assert.Contains("bank/ledger grants", told, StringComparison.Ordinal);
        Assert.DoesNotContain("regulator", told, StringComparison.Ordinal);
        Assert.Contains("not yours to see", told, StringComparison.Ordinal);
        Assert.Contains("regulator/inspector-1 names it too", Text(asked, null, example), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("regulator", false)]
    [InlineData("bank", true)]
    public void Who_has_no_part_in_a_question_gets_no_answer(string reader, bool gets) => Assert.Equal(
        gets,
        PolicyWhy.Answer(
            Datacentre(), AskedFlow("bank/web-1", "bank/ledger-1"), All, PartyId.Unsigned(reader), Now) is not null);

    [Theory]
    [InlineData("flow", "tcp/443", true)]
    [InlineData("flow", "", false)]
    [InlineData("volume", "", true)]
    [InlineData("volume", "tcp/443", false)]
    [InlineData("place", "", true)]
    [InlineData("place", "icmp", false)]
    [InlineData("route", "", false)]
    public void A_question_is_read_in_its_form_only(string form, string service, bool isOne)
    {
        string one = Machine("bank/web-1").ToString();
        Assert.Equal(isOne, new AskedWhy(form, one, one, service).Read() is not null);
        Assert.Null(new AskedWhy(form, "web-1", one, service).Read());
        Assert.Null(new AskedWhy(form, one, one + "/x", service).Read());
    }

    private static WhyQuestion.Disk Asked(string volume, string machine = "bank/web-1") => new(
        new VolumeRef(PartyId.Unsigned(volume.Split('/')[0]), StatementName.Parse(volume.Split('/')[1])),
        Machine(machine));

    private static WhyQuestion.Flow AskedFlow(string from, string to) =>
        new WhyQuestion.Flow(TracerTests.Question(from, to, "tcp/80"));

    private static Explanation Flow(string from, string to, string service, Example? example = null) =>
        Answer(new WhyQuestion.Flow(TracerTests.Question(from, to, service)), example);

    private static Explanation Disk(string volume, string machine, Example? example = null) =>
        Answer(Asked(volume, machine), example);

    private static Explanation Answer(WhyQuestion question, Example? example = null, DateTimeOffset? at = null) =>
        PolicyWhy.Answer(Datacentre(example), question, All, null, at ?? Now)
        ?? throw new InvalidOperationException("whoever sees all gets an answer");

    private static string Text(WhyQuestion question, string? reader, Example? example = null)
    {
        Explanation told = PolicyWhy.Answer(
            Datacentre(example), question, All, reader is null ? null : PartyId.Unsigned(reader), Now)
            ?? throw new InvalidOperationException("no answer");
        return string.Join('\n', told.Chain
            .Select(link => $"{link.Holds} {link.Sentence} {link.Statement} {link.File}")
            .Prepend(told.Question).Concat(told.Aside));
    }
}
