using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Storage;

/// <summary>A volume becomes as large as its newest statement says, at a start, and never smaller.</summary>
public sealed class VolumeGrowthTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24";
    private const int Header = 2_068_480, Before = 16, After = 24;
    private readonly GivingKeys _keys = new();
    private readonly ProxyBench _bench;

    public VolumeGrowthTests() => _bench = new ProxyBench(_keys);

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private string Place => Path.Combine(_bench.Pool, Machine.Disks.Single().FileName);

    private long Mib => (new FileInfo(Place).Length - (_keys.Encrypted ? Header : 0)) >> 20;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("required")]
    [InlineData("none")]
    public async Task A_larger_statement_makes_the_file_longer_at_the_next_start_and_changes_nothing_in_it(
        string storage)
    {
        await Start(storage);
        byte[] before = await File.ReadAllBytesAsync(Place, TestContext.Current.CancellationToken);
        State(After);
        await _bench.Turn(2);
        Assert.Equal(Before, Mib);

        await Restart();
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal(After, Mib);
        byte[] after = await File.ReadAllBytesAsync(Place, TestContext.Current.CancellationToken);
        Assert.True(before.AsSpan().SequenceEqual(after.AsSpan(0, before.Length)));
        Assert.Contains(_bench.Integrity.Read(0, 1000), line => line.Entry.Kind == IntegrityKind.VolumeOpened
            && line.Detail.Text.Contains("made larger from 16 to 24 MiB", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("required")]
    [InlineData("none")]
    public async Task A_smaller_statement_starts_no_machine_and_takes_nothing_away(string storage)
    {
        await Start(storage);
        State(8);
        await Restart();
        AssertLength(Before);
        State(Before);
        await Restart();
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
    }

    [Theory]
    [InlineData("required", 20)]
    [InlineData("none", 20)]
    [InlineData("required", 15)]
    [InlineData("required", 25)]
    public async Task A_length_that_no_revision_stated_is_refused_and_not_mended(string storage, int found)
    {
        await Start(storage);
        State(After);
        _bench.Hypervisor.Crash(Machine.MachineName);
        using (FileStream file = File.OpenWrite(Place))
        {
            file.SetLength(file.Length + ((long)(found - Before) << 20));
        }

        await Restart();
        AssertLength(found);
    }

    [Fact]
    public async Task A_file_that_a_program_has_open_keeps_its_length_until_a_later_start()
    {
        await Start("required");
        State(After);
        using (ImageLock.AgainstWriters(Place))
        {
            await Restart();
            Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
            Assert.Equal(Before, Mib);
        }

        await Restart();
        Assert.Equal(After, Mib);
    }

    [Fact]
    public async Task Nothing_grows_before_its_key_is_released_nor_for_a_machine_that_only_reads()
    {
        await Start("required");
        State(After);
        _keys.Refuses = true;
        await Restart();
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Equal(Before, Mib);

        _keys.Refuses = false;
        foreach ((string access, int mib) in new[] { ("read", Before), ("write", After) })
        {
            _bench.Datacentre.Use(_bench.Datacentre.Acme, "web", Subnet, access);
            _bench.Publish((_bench.Datacentre.Acme, "web-1"));
            await Restart();
            Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
            Assert.Equal(mib, Mib);
        }
    }

    [Fact]
    public void The_sizes_of_all_revisions_are_known_again_after_a_restart()
    {
        FakeDisk disk = new(1) { EffectiveUser = 0 };
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1);
        _bench.Datacentre.Resize(_bench.Datacentre.Acme, "web", After).Resize(_bench.Datacentre.Acme, "web", 40);
        VolumeRef volume = new(_bench.Datacentre.Acme.Id, StatementName.Parse("web-1-data"));
        StatementBook book = StatementBook.Empty;
        List<VerifiedStatement> all = [];
        foreach (byte[] envelope in _bench.Datacentre.Envelopes)
        {
            var verdict = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope));
            book = verdict.Next;
            all.Add(verdict.Statement);
        }

        using (AcceptedStatements accepted = AcceptedStatements.Open(PrivateDirectory.OpenOrCreate(disk, "/p")))
        {
            Assert.Empty(accepted.Sizes.Of(volume));
            accepted.Keep(all);
            Assert.Equal([Before, After, 40], accepted.Sizes.Of(volume));
        }

        disk.KillProcess();
        using AcceptedStatements again = AcceptedStatements.Open(PrivateDirectory.OpenOrCreate(disk, "/p"));
        Assert.Equal([Before, After, 40], again.Sizes.Of(volume));
    }

    private async Task Start(string storage)
    {
        _keys.Encrypted = storage == "required";
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1, storage: storage);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal(Before, Mib);
    }

    private void State(int sizeMib)
    {
        _bench.Datacentre.Resize(_bench.Datacentre.Acme, "web", sizeMib);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
    }

    private async Task Restart()
    {
        if (_bench.Hypervisor.Running.Any())
        {
            _bench.Hypervisor.Crash(Machine.MachineName);
        }

        _bench.Clock.Move(60);
        await _bench.Turn(3);
    }

    private void AssertLength(int mib)
    {
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains(
            _bench.Compartments.StateOf(Machine).Refusals,
            reason => reason.EndsWith("[volume-length]", StringComparison.Ordinal));
        Assert.Equal(mib, Mib);
    }

    private sealed class GivingKeys : IVolumeKeys
    {
        public bool Encrypted { get; set; }

        public bool Refuses { get; set; }

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
        {
            about("nonce");
            return Task.FromResult<VolumeKeyAnswer>(Refuses
                ? new VolumeKeyAnswer.Refused(["No. [no-lease]"])
                : new VolumeKeyAnswer.Released(SecretBytes.Random(32)));
        }

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
            Task.FromResult<ImmutableArray<string>>([]);

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) => Task.FromResult("");

        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;
    }
}
