using System.Text.Json;
using Bailiwick.Benchmarks;
using Bailiwick.Benchmarks.Appending;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Benchmarks.Policies;
using Bailiwick.Benchmarks.Proving;
using Bailiwick.Benchmarks.Starting;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Benchmarks;

public sealed class BenchTests
{
    private static readonly string[] Members =
        ["name", "value", "unit", "peer", "peerValue", "ratio", "goal", "met"];

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ledger", "Start")]
    [InlineData("")]
    [InlineData("ledger", "--jsno")]
    [InlineData("-h")]
    public async Task Refuses_what_it_does_not_know_and_lists_the_names(params string[] words)
    {
        using StringWriter output = new(), people = new();
        Assert.Equal(2, await BenchRun.Of(words, output, people, TestContext.Current.CancellationToken));
        Assert.Empty(output.ToString());
        Assert.Contains("names: ledger, start", people.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_everything_wrong_at_once()
    {
        var (arguments, refusals) = BenchArguments.Read(["one", "--two", "ledger"]);
        Assert.Null(arguments);
        Assert.Equal(["There is no bench 'one'.", "There is no option '--two'."], refusals);
    }

    [Fact]
    public void Reads_names_and_options_in_any_order()
    {
        var (arguments, refusals) = BenchArguments.Read(["--json", "ledger", "--save"]);
        Assert.Empty(refusals);
        Assert.NotNull(arguments);
        Assert.True(arguments is { Json: true, Save: true });
        Assert.Equal("ledger", Assert.Single(arguments.Benches).Name);
    }

    [Fact]
    public async Task Lists_that_are_otherwise_written_are_proven_alike_and_one_odd_packet_is_found()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var lists = new AccessLists(60, seed);
            Assert.Null(ListFigures.Difference(lists.One, lists.Same));
            Assert.Equal(lists.Odd, ListFigures.Difference(lists.One, lists.Other));
            // They are not the same rules, and order matters in them.
            Assert.NotEqual(lists.One, lists.Same);
            Assert.NotNull(ListFigures.Difference(lists.One, [.. lists.One.Reverse()]));
        }

        if (LabPrograms.Find("z3") is not null)
        {
            var lists = new AccessLists(60, 7);
            var alike = await Asked(lists.Same);
            var differing = await Asked(lists.Other);
            Assert.True(alike is { IsEnded: true, Packet: null });
            Assert.Equal(lists.Odd, differing.Packet);

            Task<SolverAnswer> Asked(IReadOnlyList<AccessRule> other) => SolverRun.Ask(
                SolverRun.Question(lists.One, other), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void Quick_measures_less_and_saves_nothing()
    {
        var (quick, _) = BenchArguments.Read(["ledger", "--quick"]);
        var (full, _) = BenchArguments.Read(["ledger"]);
        Assert.NotNull(quick);
        Assert.NotNull(full);
        Assert.True(quick.Effort.All < full.Effort.All && quick.Effort.Share < full.Effort.Share);
        var (arguments, refusals) = BenchArguments.Read(["ledger", "--save", "--quick"]);
        Assert.Null(arguments);
        Assert.Contains("not saved", Assert.Single(refusals), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_figure_has_the_agreed_members_and_leaves_nothing_behind()
    {
        var directory = Directory.CreateTempSubdirectory("bw-bench-").FullName;
        try
        {
            var figures = await new LedgerBench().Run(
                directory, Effort.Glance, _ => { }, TestContext.Current.CancellationToken);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
            foreach (var figure in (Figure[])[.. figures, .. StartBench.Figures(3, 2)])
            {
                using var line = JsonDocument.Parse(figure.ToJson());
                Assert.Equal(Members, line.RootElement.EnumerateObject().Select(one => one.Name));
                Assert.DoesNotContain('\n', figure.ToJson());
                Assert.Equal(figure.Met, line.RootElement.GetProperty("met").GetBoolean());
                Assert.True(line.RootElement.GetProperty("peerValue").GetDouble() > 0);
                Assert.NotEmpty(figure.Goal.Because);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_ratio_is_our_time_over_the_peers_for_rates_and_for_times()
    {
        Goal half = new(1.5, "for this test");
        Assert.Equal(2, Figure.Rate("x", 0.2, "peer", 0.1, half).Ratio, 6);
        Assert.Equal(2, Figure.Time("x", 0.2, "peer", 0.1, half).Ratio, 6);
        Assert.False(Figure.Rate("x", 0.2, "peer", 0.1, half).Met);
        Assert.True(Figure.Rate("x", 0.1, "peer", 0.1, half).Met);
    }

    [Fact]
    public void A_file_of_results_is_one_JSON_document()
    {
        var text = ResultFile.Text(
            "abc1234", "2026-11-21", Machine.Read(), 0.5, StartBench.Figures(3, 2));
        using var document = JsonDocument.Parse(text);
        Assert.Equal("abc1234", document.RootElement.GetProperty("commit").GetString());
        Assert.Equal(2, document.RootElement.GetProperty("figures").GetArrayLength());
        Assert.True(document.RootElement.GetProperty("machine").GetProperty("cores").GetInt32() > 0);
    }

    /// <summary>The peer of the proofs is only fair if it hashes neither more nor less than is needed.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(8, 3)]
    public void Counts_the_hashes_of_complete_trees(long size, long expected)
    {
        for (var index = 0L; index < size; index++)
        {
            Assert.Equal(expected, HashCount.Inclusion(index, size));
        }
    }

    [Theory]
    [InlineData(4, 8)]
    [InlineData(3, 7)]
    [InlineData(6, 8)]
    [InlineData(5, 13)]
    public void Counts_at_least_one_hash_for_each_step_of_a_proof(long first, long second)
    {
        var nodes = new NodeTable();
        for (var i = 0; i < second; i++)
        {
            nodes.Append(MerkleTree.LeafHash([(byte)i]));
        }

        var steps = ConsistencyProof.Make(first, second, nodes).Path.Length - (long.IsPow2(first) ? 0 : 1);
        Assert.InRange(HashCount.Consistency(first, second), steps, 3 * steps);
    }
}
