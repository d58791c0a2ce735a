using Bailiwick.Lab.Demonstration;
using Bailiwick.Tests.Tidy;

namespace Bailiwick.HostTests.Lab;

/// <summary>The demonstration is itself a test: everything real, measured with packets.</summary>
public sealed class DemonstrationTests : IDisposable
{
    /// <summary>Every check, by its name: none can be lost without somebody noticing.</summary>
    private static readonly string[] Promised =
    [
        "the measured matrix is the promised one",
        "the untrusted wire carries no name, no MAC and no IP address of any machine",
        "a machine of another tenant reads the owner's volume as both policies say, and no third one does",
        "the owner's withdrawal takes the disk away at once",
        "a volume without its key is noise",
        "a guessed key opens nothing",
        "an admitted machine finds its volume again",
        "a machine is restarted while its key service is silent, as its owner allowed",
        "after its owner withdrew the key the next restart is refused, until it is allowed again",
        "a genuine quote over the genuine boot gets the key (the positive control)",
        "a replayed quote gets no key",
        "a quote by another key of the same TPM gets no key",
        "another machine's genuine TPM does not enrol",
        "a host that changed while it ran gets no key, and the entry that shows it is named",
        "the other hosts cut a host off that changed, within 10 s",
        "the changed host's machines are paused or stopped within 10 s, as their domains say",
        "started anew as it should be, the host is trusted again",
        "trusted again, it lets the paused machine go on and starts the others anew",
        "the other hosts speak with it again",
        "virsh cannot start an unadmitted machine",
        "the other hosts drop a silent host after a minute, in both directions",
        "the key service of a silent host's tenant refuses it a key, however good the quote",
        "a silent host that proves itself again has its key and its network again",
        "a wire that loses its trust carries ciphertext within seconds, and the machines go on",
        "a withdrawn flow closes within seconds",
        "a volume is erased with a receipt that its owner checks offline",
        "the board does not take the operator's forged policy",
        "every Proxy refuses the forged policy of a lying Master",
    ];

    // A unix socket's path has at most 107 bytes, so this is short.
    private readonly string _directory = Directory.CreateTempSubdirectory("bwd").FullName;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Three_tenants_get_exactly_what_their_policies_promise()
    {
        var audience = new SilentAudience();
        DemoReport report = await new DemoRun(
            new DemoOptions(_directory, Path.Combine(Checkout.Root, "examples/three-tenants"), Keep: false), audience)
            .Play(TestContext.Current.CancellationToken);
        Assert.Empty(report.Cells.Where(c => !c.Matches)
            .Select(c => $"{c.From} to {c.To} by {c.Way.Name}: {c.Evidence}"));
        Assert.Empty(report.Checks.Where(c => !c.Passed).Select(c => $"{c.Name}: {c.Evidence}"));
        Assert.Equal((3, 7, 4), (report.Hosts, report.Machines, report.Domains));
        Assert.Equal(504, report.Cells.Count);
        Assert.Contains(report.Cells, c => c.Passed);
        Assert.Contains(report.Cells, c => !c.Passed);
        Assert.Equal(Promised, report.Checks.Select(c => c.Name));
        Assert.NotEmpty(audience.Acts);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private sealed class SilentAudience : IDemoAudience
    {
        public List<string> Acts { get; } = [];

        public void Act(string title) => Acts.Add(title);

        public void Progress(string sentence, double done)
        {
        }

        public void Tell(string sentence)
        {
        }

        public void Matrix(IReadOnlyList<string> machines, IReadOnlyList<Cell> cells)
        {
        }

        public void Check(DemoCheck check)
        {
        }
    }
}
