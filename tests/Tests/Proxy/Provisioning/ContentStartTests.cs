using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Provisioning;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Tests.Proxy.Provisioning;

/// <summary>
/// A machine whose volume begins with an image's disk starts after all of it is there and its key service knows, and
/// never before.
/// </summary>
public sealed class ContentStartTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24";
    private const int ImageMib = 8, VolumeMib = 16;
    private readonly KeptMarks _keys = new();
    private readonly ProxyBench _bench;
    private readonly byte[] _image = RandomNumberGenerator.GetBytes(ImageMib << 20);

    public ContentStartTests()
    {
        _bench = new ProxyBench(_keys);
        _bench.Host.Nbd.Content = new byte[VolumeMib << 20];
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1, storage: "required");
        _bench.Datacentre.Fill(_bench.Datacentre.Acme, "web", Stated, ImageMib);
        File.WriteAllBytes(ImageFile, _image);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Stated => Convert.ToHexStringLower(SHA256.HashData(_image));

    private string ImageFile => Path.Combine(_bench.Images, Stated);

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private string Place => Path.Combine(_bench.Pool, Machine.Disks.Single().FileName);

    private string Filling => Place + ".filling";

    private CompartmentState State => _bench.Compartments.StateOf(Machine);

    public void Dispose()
    {
        _bench.Host.Nbd.Gate.Set();
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Open == 0, TimeSpan.FromSeconds(10)));
        _bench.Dispose();
    }

    [Fact]
    public async Task The_content_is_written_and_read_back_before_the_header_is_bound_and_the_machine_starts()
    {
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(2);
        Assert.Equal("provisioning", State.Word);
        Assert.Contains("MiB written and read back", Assert.Single(State.Refusals), StringComparison.Ordinal);
        Assert.Equal(new VolumeHeaderMark.Blank(), _keys.Mark);
        Assert.False(File.Exists(Place));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Filling), TimeSpan.FromSeconds(10)));
        Assert.Single(_keys.Shown);

        _keys.Binding = () => Assert.False(File.Exists(Place));
        _bench.Host.Nbd.Gate.Set();
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(_image, _bench.Host.Nbd.Content[..(ImageMib << 20)]);
        Assert.IsType<VolumeHeaderMark.Bound>(_keys.Mark);
        Assert.True(File.Exists(Place));
        Assert.False(File.Exists(Filling));
        Assert.Contains(_bench.Integrity.Read(0, 1000), line => line.Entry.Kind == IntegrityKind.VolumeOpened
            && line.Detail.Text.Contains($"filled with {Stated}", StringComparison.Ordinal));

        // Made once, it is a volume like any other.
        long written = _bench.Host.Nbd.Written;
        _bench.Hypervisor.Crash(Machine.MachineName);
        File.Delete(ImageFile);
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(written, _bench.Host.Nbd.Written);
    }

    [Fact]
    public async Task Another_content_than_the_tenant_states_is_refused_and_nothing_of_it_stays()
    {
        _image[^1] ^= 1;
        string stated = Machine.Disks.Single().Content?.Sha256 ?? "";
        await File.WriteAllBytesAsync(
            Path.Combine(_bench.Images, stated), _image, Stop);
        await RefusedFor("[content-differs]");
        _image[^1] ^= 1;
        await File.WriteAllBytesAsync(ImageFile, _image, Stop);
        await StartsNow();
    }

    [Fact]
    public async Task An_image_that_is_not_there_or_of_another_length_is_refused()
    {
        File.Delete(ImageFile);
        await RefusedFor("[content-missing]");
        await File.WriteAllBytesAsync(ImageFile, _image[..^512], Stop);
        _bench.Clock.Move(60);
        await RefusedFor("[content-differs]");
        await File.WriteAllBytesAsync(ImageFile, _image, Stop);
        await StartsNow();
    }

    [Fact]
    public async Task What_comes_back_from_the_pool_is_compared_and_not_only_what_was_sent()
    {
        _bench.Host.Nbd.Opening = readOnly => _bench.Host.Nbd.Content[5] ^= (byte)(readOnly ? 1 : 0);
        await RefusedFor("[content-differs]");
        Assert.Contains("What came back", State.Refusals[0], StringComparison.Ordinal);
        _bench.Host.Nbd.Opening = _ => { };
        await StartsNow();
    }

    [Fact]
    public async Task A_part_of_the_content_under_the_volumes_own_name_starts_nothing()
    {
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(1);

        // Whoever writes to the pool gives the half of it its name, and the host dies.
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Accepted == 1, TimeSpan.FromSeconds(10)));
        File.Move(Filling, Place);
        _bench.Host.Nbd.Gate.Set();
        VolumeFillings dead = _bench.Storage.Fillings;
        _bench.Restart();
        await _bench.Turn(3);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains(State.Refusals, reason =>
            reason.EndsWith("[content-unfinished]", StringComparison.Ordinal));
        File.Delete(Place);

        // What the dead one had begun goes on here in the background, on the same socket, until it is out of the way.
        Assert.True(SpinWait.SpinUntil(
            () => dead.Look(Machine.Disks.Single()) is not FillState.Busy, TimeSpan.FromSeconds(10)));
        await StartsNow();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_death_around_the_binding_costs_nothing_but_time(bool afterwards)
    {
        _keys.Binding = () => throw new WorldException(["tell"], -1, "no answer");
        _keys.BindsFirst = afterwards;
        for (int turn = 0; turn < 60 && State.Word != "failed"; turn++)
        {
            await _bench.Turn();
            await Task.Delay(50, Stop);
        }

        Assert.Equal("failed", State.Word);
        Assert.False(File.Exists(Place));
        _keys.Binding = () => { };
        _bench.Restart();
        await StartsNow();
        Assert.Equal(afterwards ? 1 : 2, _keys.Bound);
    }

    [Fact]
    public async Task A_volume_that_is_being_filled_is_not_given_back_until_the_start_is_no_longer_wanted()
    {
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(1);
        HeldVolume held = Assert.Single(_bench.Storage.Held);
        Assert.Equal("", await _bench.Storage.ReturnAsync(_bench.Plans.Current, held, Stop));
        Assert.Equal(0, _keys.Returned);
        _bench.Order(_bench.Datacentre.Acme, "web-1", running: false);
        for (int turn = 0; turn < 40 && _keys.Returned == 0; turn++)
        {
            await _bench.Storage.ReturnAsync(_bench.Plans.Current, held, Stop);
            await Task.Delay(50, Stop);
        }

        Assert.Equal(1, _keys.Returned);
        Assert.Equal(0, _bench.Host.Nbd.Open);
    }

    private async Task RefusedFor(string code)
    {
        for (int turn = 0; turn < 60 && !State.Refusals.Any(one => one.EndsWith(code, StringComparison.Ordinal));
            turn++)
        {
            await _bench.Turn();
            await Task.Delay(50, Stop);
        }

        Assert.EndsWith(code, Assert.Single(State.Refusals), StringComparison.Ordinal);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.False(File.Exists(Place));
        Assert.False(File.Exists(Filling));
        Assert.Equal(new VolumeHeaderMark.Blank(), _keys.Mark);
    }

    private async Task StartsNow()
    {
        _bench.Clock.Move(60);
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(_image, _bench.Host.Nbd.Content[..(ImageMib << 20)]);
        Assert.IsType<VolumeHeaderMark.Bound>(_keys.Mark);
    }

    private async Task Until(Func<bool> holds)
    {
        for (int turn = 0; turn < 60 && !holds(); turn++)
        {
            await _bench.Turn();
            await Task.Delay(50, Stop);
        }

        Assert.True(holds(), string.Join(" ", State.Refusals));
    }

    /// <summary>A key service's mark of one volume that is to be filled, kept as the real one keeps it.</summary>
    private sealed class KeptMarks : IVolumeKeys
    {
        private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

        public VolumeHeaderMark Mark { get; private set; } = new VolumeHeaderMark.New();

        public List<Digest32?> Shown { get; } = [];

        /// <summary>Happens when a header is bound; what it throws is a lost answer.</summary>
        public Action Binding { get; set; } = () => { };

        /// <summary>Whether the answer is lost after it was bound, and not the question.</summary>
        public bool BindsFirst { get; set; }

        public int Bound { get; private set; }

        public int Returned { get; private set; }

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
        {
            about("nonce");
            Shown.Add(question.State);
            string? refusal = (Mark, question.State) switch
            {
                (VolumeHeaderMark.New, not null) => "header-unknown",
                (VolumeHeaderMark.Blank, not null) => "content-unfinished",
                (VolumeHeaderMark.Bound, null) => "header-missing",
                (VolumeHeaderMark.Bound bound, { } shown) when bound.Header != shown => "header-differs",
                _ => null,
            };
            if (refusal is null)
            {
                Mark = Mark.After(question.State, DateTimeOffset.UnixEpoch);
            }

            return Task.FromResult<VolumeKeyAnswer>(refusal is null
                ? new VolumeKeyAnswer.Released(SecretBytes.Create(32, target => _key.CopyTo(target)))
                : new VolumeKeyAnswer.Refused([$"No. [{refusal}]"]));
        }

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop)
        {
            Bound++;
            Mark = BindsFirst ? Mark.After(header, DateTimeOffset.UnixEpoch) : Mark;
            Binding();
            Mark = Mark.After(header, DateTimeOffset.UnixEpoch);
            return Task.FromResult<ImmutableArray<string>>([]);
        }

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop)
        {
            Returned++;
            return Task.FromResult("");
        }

        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;
    }
}
