using System.Diagnostics;
using System.Text;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>Files made to cost their reader more than they cost their writer.</summary>
public sealed class HostileYamlTests
{
    private const string Head = "kind: Volume\nname: data\ndomain: ";

    // Generous, because other tests run beside this one; what is refused is refused in milliseconds.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    public static TheoryData<string, string, string> Bombs => new()
    {
        { "ten megabytes", Head + new string('a', 10 * 1024 * 1024), "file-too-large" },
        { "64 levels of lists", Head + new string('[', 64) + new string(']', 64), "too-deep" },
        { "64 levels of members", Head + Repeat("{a: ", 64) + "1" + new string('}', 64), "too-deep" },
        { "a hundred thousand open lists", Head + new string('[', 100_000), "too-deep" },
        { "nested block lists", Head + "\n  " + Repeat("- ", 50_000) + "a", "too-deep" },
        { "nested keys", Head + Repeat("? ", 50_000), "yaml-syntax" },
        { "a million entries", Head + "[" + Repeat("1,", 500_000) + "1]", "too-many-nodes" },
        { "many members", string.Concat(Enumerable.Range(0, 60_000).Select(i => $"a{i}: 1\n")), "too-many-nodes" },
        { "many documents", Repeat("a\n---\n", 100_000), "too-many-documents" },
        { "a long text", Head + new string('a', 65_536) + "\n", "text-too-long" },
        { "a long key", Head + "a\n? " + new string('k', 65_536) + "\n: 1\n", "key-not-text" },
        { "aliases of aliases", AliasBomb(), "yaml-alias" },
        { "a long anchor", Head + "&" + new string('a', 500_000) + " b", "yaml-anchor" },
        { "many tags", Head + "!!str a\n" + Repeat("x: !<tag:yaml.org,2002:python/object:os.system> a\n", 15_000),
            "yaml-tag" },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void Stops_at_a_limit_soon_and_cheaply(string what, string text, string code)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var names = PartyNames.Unsigned(["bank"]);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();

        var result = PolicyCheck.Run(PolicyDocuments.ReadYaml([("bank/bomb.yaml", bytes)], names));

        Assert.True(watch.Elapsed < Longest, $"{what} took {watch.Elapsed}.");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 * 1024 * 1024);
        Assert.Contains(code, result.Findings.Select(finding => WireText.Of(finding.Code)));
        Assert.Empty(result.Datacentre.Machinery.Volumes);
        Assert.InRange(result.Findings.Length, 1, 1_000);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x6B, 0x00 }, FindingCode.NotUtf8)]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, 0x61 }, FindingCode.NotUtf8)]
    [InlineData(new byte[] { 0x61, 0xC0, 0x80 }, FindingCode.NotUtf8)]
    [InlineData(new byte[] { 0x61, 0xED, 0xA0, 0x80 }, FindingCode.NotUtf8)]
    [InlineData(new byte[] { 0x61, 0x00, 0x62 }, FindingCode.ControlCharacter)]
    [InlineData(new byte[] { 0x61, 0x1B, 0x5B }, FindingCode.ControlCharacter)]
    [InlineData(new byte[] { 0x61, 0xC2, 0x85 }, FindingCode.ControlCharacter)]
    [InlineData(new byte[] { 0x61, 0xE2, 0x80, 0xA8 }, FindingCode.ControlCharacter)]
    public void Refuses_bytes_that_are_not_plain_text(byte[] bytes, FindingCode code)
    {
        var reading = PolicyDocuments.ReadYaml([("bank/a.yaml", bytes)], PartyNames.Unsigned(["bank"]));

        Assert.Equal(code, Assert.Single(reading.Findings).Code);
        Assert.Empty(reading.Documents);
    }

    [Fact]
    public void Reads_no_more_files_than_the_limit()
    {
        var files = Enumerable.Range(0, 1_100).Select(i => ($"bank/f{i:0000}.yaml", ReadOnlyMemory<byte>.Empty));

        var reading = PolicyDocuments.ReadYaml(files, PartyNames.Unsigned(["bank"]));

        Assert.Equal(FindingCode.TooManyFiles, Assert.Single(reading.Findings).Code);
    }

    [Fact]
    public void Every_truncation_and_every_flipped_bit_of_a_file_is_read_or_refused()
    {
        var whole = Encoding.UTF8.GetBytes(Example.ThreeTenants.Files["regulator/inspection.yaml"]);
        var names = PartyNames.Unsigned(["regulator", "bank", "alpine"]);
        for (var i = 0; i < whole.Length; i++)
        {
            PolicyCheck.Run(PolicyDocuments.ReadYaml([("regulator/a.yaml", whole.AsMemory(0, i))], names));
            var flipped = whole.ToArray();
            flipped[i] ^= (byte)(1 << (i % 8));
            PolicyCheck.Run(PolicyDocuments.ReadYaml([("regulator/a.yaml", flipped)], names));
        }
    }

    private static string Repeat(string text, int times) => new StringBuilder().Insert(0, text, times).ToString();

    private static string AliasBomb()
    {
        var text = new StringBuilder("kind: Volume\nname: data\na: &a [x, x, x, x, x, x, x, x, x]\n");
        for (var c = 'b'; c <= 'z'; c++)
        {
            var one = $"*{(char)(c - 1)}";
            text.Append(c).Append(": &").Append(c).Append(" [").AppendJoin(", ",
                Enumerable.Repeat(one, 9)).Append("]\n");
        }

        return text.ToString();
    }
}
