using System.Reflection;
using Bailiwick.Attestation;
using Bailiwick.Channel.Wire;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Verification;
using Bailiwick.Domains.Volumes;
using Bailiwick.Ledger;
using Bailiwick.Tests.Attestation;

namespace Bailiwick.Tests.Fuzzing;

/// <summary>
/// No mutation of a good input makes any parser throw or cost much (I01): briefly each time, for a minute each in the
/// slow category. A parser that is not in the table fails a test of its own.
/// </summary>
public sealed class ParserTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200), Long = TimeSpan.FromSeconds(60);

    private static readonly string[] Readers = ["Read", "TryRead", "TryReadSized", "TryParse", "TryParseBase64",
        "ParseCanonical", "TryToFixed", "Claimed"];

    /// <summary>Readers of files that the reader's own operator wrote, and what throws by its contract.</summary>
    private static readonly string[] Own =
    [
        "BoardDesk.Read", "PeerCertificate.TryRead", "PrivateKeyFile.Read",
    ];

    public static TheoryData<string> Names => [.. Parsers.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void No_mutation_throws_or_costs_much(string name) => Run(name, Short);

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Slow")]
    public void No_mutation_throws_or_costs_much_for_a_minute(string name) => Run(name, Long);

    [Fact]
    public void Every_parser_is_in_the_table()
    {
        string[] found =
        [
            .. new[] { typeof(Digest32), typeof(EvidenceVerifier), typeof(StrictJson), typeof(EvidenceBundle) }
                .SelectMany(one => one.Assembly.GetExportedTypes())
                .Where(type => type.Assembly != typeof(EvidenceBundle).Assembly || type == typeof(EvidenceBundle)
                    || type.Namespace == typeof(DiskInspector).Namespace
                    || type.Namespace == typeof(RulesetReading).Namespace)
                .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
                .Where(IsParser).Select(method => $"{method.DeclaringType?.Name}.{method.Name}").Distinct(),
        ];
        Assert.Empty(found.Except(Own).Except(Parsers.All.Keys));
        Assert.True(found.Length > 20, "the search finds nothing");
    }

    private static bool IsParser(MethodInfo method) => ReadsDisk(method) || (Readers.Contains(method.Name)
        && method.GetParameters().Any(parameter => parameter.ParameterType == typeof(ReadOnlySpan<byte>)
            || parameter.ParameterType == typeof(ReadOnlyMemory<byte>) || parameter.ParameterType == typeof(byte[])
            || parameter.ParameterType == typeof(string)));

    /// <summary>All that is given a disk and no header that was accepted before.</summary>
    private static bool ReadsDisk(MethodInfo method) => method.DeclaringType != typeof(HeaderDigest)
        && method.GetParameters().Any(parameter => parameter.ParameterType == typeof(DiskBytes));

    private static void Run(string name, TimeSpan time)
    {
        Parser parser = Parsers.All[name];
        Assert.NotEmpty(parser.Corpus);
        parser.Corpus.ToList().ForEach(parser.Read);
        Assert.True(ParserFuzz.Run(parser.Corpus, time, parser.Read) > 0);
    }
}
