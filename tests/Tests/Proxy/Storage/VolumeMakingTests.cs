using System.Collections.Immutable;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Storage;

/// <summary>
/// QEMU 9.1 and older measure how fast they derive keys by the processor time of 32768 rounds, and fail where that
/// clock did not move meanwhile.
/// </summary>
public sealed class VolumeMakingTests : IDisposable
{
    private const string ClockStoodStill = "qemu-img: a.luks.new: Unable to get accurate CPU usage\n";
    private readonly string _pool = Directory.CreateTempSubdirectory("bw-making-").FullName;
    private readonly DiskPlan _disk = new(
        new VolumeRef(PartyId.Unsigned("bank"), StatementName.Parse("data")), "data.luks", 16, true, VolumeAccess.Write,
        "vda", Guid.Empty, new Reason("a test", []))
    {
        Sharing = VolumeSharing.Exclusive,
    };


    public void Dispose() => Directory.Delete(_pool, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    public void A_volume_is_made_though_QEMU_could_not_read_its_clock_at_first(int failures)
    {
        FailingImages host = new(failures, ClockStoodStill);
        VolumeFiles files = Make(host);
        Assert.True(files.Inspect(_disk).Exists);
        Assert.Equal(failures + 1, host.Asked);
        Assert.Equal(files.PathOf(_disk), Assert.Single(Directory.GetFiles(_pool)));
    }

    [Theory]
    [InlineData(64, ClockStoodStill, 64)]
    [InlineData(1, "qemu-img: a.luks.new: No space left on device\n", 1)]
    public void A_volume_is_not_made_while_QEMU_never_can_or_for_another_reason(int failures, string said, int asked)
    {
        FailingImages host = new(failures, said);
        var error = Assert.Throws<WorldException>(() => Make(host));
        Assert.Equal(said, error.Stderr);
        Assert.Equal(asked, host.Asked);
        Assert.False(File.Exists(new VolumeFiles(host, _pool).PathOf(_disk)));
    }

    private VolumeFiles Make(IHost host)
    {
        VolumeFiles files = new(host, _pool);
        using SecretBytes key = SecretBytes.Random(32);
        files.CreateEncrypted(_disk, key);
        return files;
    }

    private sealed class FailingImages(int failures, string said) : IHost
    {
        private readonly FakeHost _host = new();

        public int Asked { get; private set; }

        public ProgramResult Run(ProgramCall call) =>
            call.Argv[0] == "qemu-img" && Asked++ < failures
                ? throw new WorldException(call.Argv, 1, said)
                : _host.Run(call);

        public uint RulesGeneration() => _host.RulesGeneration();

        public ImmutableArray<AttachedPrograms> Programs(
            IReadOnlyCollection<int> devices, string? inNamespace = null) => _host.Programs(devices, inNamespace);
    }
}
