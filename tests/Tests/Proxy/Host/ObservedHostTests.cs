using System.Collections.Immutable;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Tests.Proxy.Host;

/// <summary>Who looks at all of a host lists each thing once, and never sees what was before a change.</summary>
public sealed class ObservedHostTests
{
    private readonly CountingHost _counting = new();
    private readonly ObservedHost _host;

    public ObservedHostTests() => _host = new ObservedHost(_counting);

    [Fact]
    public void Within_one_look_each_listing_is_made_once_and_outside_each_time()
    {
        ProgramCall[] listings =
        [
            new("nft", "-j", "list", "table", "bridge", "bw_1"), new("ip", "-j", "-d", "link", "show"),
            new("nft", "-j", "list", "table", "bridge", "bw_2"),
            new("ip", "-j", "-d", "link", "show") { NetworkNamespace = "bwg1" }, new("ip", "-j", "netns", "list"),
        ];

        for (int look = 0; look < 2; look++)
        {
            string[][] told = _host.Once(() => Enumerable.Range(0, 3).Select(_ => Texts()).ToArray());
            Assert.Equal(listings.Length * (look + 1), _counting.Runs);
            Assert.All(told, texts => Assert.Equal(told[0], texts));
        }

        int before = _counting.Runs;
        Assert.NotEqual(Texts(), Texts());
        Assert.Equal(before + (2 * listings.Length), _counting.Runs);

        string[] Texts() => [.. listings.Select(listing => _host.Run(listing).Text)];
    }

    [Theory]
    [InlineData("ip", "link", "set", "a", "group", "7")]
    [InlineData("nft", "-f", "-")]
    [InlineData("bridge", "fdb", "append", "02:00:00:00:00:01", "dev", "a")]
    public void Whatever_may_have_changed_something_ends_what_was_seen(params string[] argv)
    {
        ProgramCall listing = new("ip", "-j", "-d", "link", "show");
        _host.Once(() =>
        {
            string seen = _host.Run(listing).Text;
            Assert.Equal(seen, _host.Run(listing).Text);
            _host.Run(new ProgramCall(argv));
            Assert.NotEqual(seen, _host.Run(listing).Text);
            return 0;
        });
    }

    [Fact]
    public void What_cannot_be_listed_is_not_remembered_and_another_looks_for_himself()
    {
        ProgramCall listing = new("ip", "-j", "-d", "link", "show");
        _host.Once(() =>
        {
            _counting.Fails = true;
            Assert.Throws<WorldException>(() => _host.Run(listing));
            _counting.Fails = false;
            string seen = _host.Run(listing).Text;
            string? other = null;
            using (ExecutionContext.SuppressFlow())
            {
                Thread thread = new(() => other = _host.Run(listing).Text);
                thread.Start();
                thread.Join();
            }

            Assert.NotEqual(seen, other);
            Assert.Equal(seen, _host.Run(listing).Text);
            return 0;
        });
    }

    /// <summary>Answers with another number each time.</summary>
    private sealed class CountingHost : IHost
    {
        public int Runs { get; private set; }

        public bool Fails { get; set; }

        public ProgramResult Run(ProgramCall call) => Fails ? throw new WorldException(call.Argv, 1, "it fails")
            : new ProgramResult(0, System.Text.Encoding.UTF8.GetBytes($"{++Runs}"), "");

        public uint RulesGeneration() => 0;

        public ImmutableArray<AttachedPrograms> Programs(
            IReadOnlyCollection<int> devices, string? inNamespace = null) => [];
    }
}
