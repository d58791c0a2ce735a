using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Provisioning;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Tests.Proxy.Provisioning;

/// <summary>
/// A machine whose volume is a copy of another starts after all of that was read and came back, and what is copied is
/// held no longer than that.
/// </summary>
public sealed class CopyStartTests : IDisposable
{
    private const int BaseMib = 8, VolumeMib = 16;

    // In a header of LUKS1, after the digest of its key: the fake host makes all headers alike.
    private const int DigestSalt = 132;
    private readonly KeptKeys _keys = new();
    private readonly ProxyBench _bench;
    private readonly byte[] _base = RandomNumberGenerator.GetBytes(BaseMib << 20);
    private readonly byte[] _copy = new byte[VolumeMib << 20];
    private readonly VolumeFiles _files;

    public CopyStartTests()
    {
        _bench = new ProxyBench(_keys);
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", "10.20.1.0/24", 1, storage: "required");
        _bench.Datacentre.Copy(_bench.Datacentre.Acme, "web", BaseMib);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
        _files = new VolumeFiles(_bench.Host, _bench.Pool);
        _bench.Host.Nbd.Contents[_files.PathOf(Base)] = _base;
        _bench.Host.Nbd.Content = _copy;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private DiskPlan Disk => Machine.Disks.Single();

    private DiskPlan Base => Disk.CopyOf ?? throw new InvalidOperationException("it is no copy");

    private CompartmentState State => _bench.Compartments.StateOf(Machine);

    public void Dispose()
    {
        _bench.Host.Nbd.Gate.Set();
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Open == 0, TimeSpan.FromSeconds(10)));
        _bench.Dispose();
    }

    [Fact]
    public async Task It_starts_with_the_same_bytes_and_the_source_was_given_back_before()
    {
        MakeBase();
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(2);
        Assert.Equal("provisioning", State.Word);
        Assert.Contains("MiB written and read back", Assert.Single(State.Refusals), StringComparison.Ordinal);
        HeldVolume source = Assert.Single(_bench.Storage.Held, one => one.CopiedInto.Length > 0);
        Assert.Equal((Base.Volume.ToString(), Disk.Volume.ToString()), (source.Volume, source.CopiedInto));
        Assert.Equal(Disk.Volume.ToString(), _keys.Copies.Single());

        // While it is read it is not given back, whatever asks.
        Assert.Equal("", await _bench.Storage.ReturnAsync(_bench.Plans.Current, source, Stop));
        Assert.Empty(_keys.Returned);

        _keys.Binding = () => Assert.Equal([Base.Volume.ToString()], _keys.Returned);
        _bench.Host.Nbd.Gate.Set();
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(_base, _copy[..(BaseMib << 20)]);
        Assert.IsType<VolumeHeaderMark.Bound>(_keys.MarkOf(Disk));
        Assert.DoesNotContain(_bench.Storage.Held, one => one.CopiedInto.Length > 0);
        Assert.Contains(_bench.Integrity.Read(0, 1000), line => line.Entry.Kind == IntegrityKind.VolumeReturned
            && line.Detail.Text.Contains("Nothing more of it is read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_somebody_writes_is_not_copied_until_its_key_service_says_so()
    {
        MakeBase();
        _keys.Busy = true;
        await RefusedFor("[held-by-another-host]");
        Assert.DoesNotContain(_bench.Storage.Held, one => one.CopiedInto.Length > 0);
        Assert.Equal(0, _bench.Host.Nbd.Opened);
        _keys.Busy = false;
        await StartsNow();
    }

    [Fact]
    public async Task What_was_never_made_or_is_not_there_is_not_copied()
    {
        await RefusedFor("[source-missing]");
        Assert.Empty(_keys.Copies);
        MakeBase();
        await StartsNow();
    }

    [Fact]
    public async Task A_source_whose_file_is_exchanged_while_it_is_read_is_not_copied()
    {
        MakeBase();
        _bench.Host.Nbd.Opening = readOnly =>
        {
            if (!readOnly)
            {
                RemakeBase();
            }
        };
        await RefusedFor("[header-exchanged]");
        _bench.Host.Nbd.Opening = _ => { };
        _keys.Forget(Base);
        _keys.Made(Base, Header(Base));
        await StartsNow();
    }

    [Fact]
    public async Task What_comes_back_must_be_what_was_read()
    {
        MakeBase();
        int opened = 0;
        _bench.Host.Nbd.Opening = _ => _copy[5] ^= (byte)(++opened == 3 ? 1 : 0);
        await RefusedFor("[content-differs]");
        Assert.Contains("What came back", State.Refusals[0], StringComparison.Ordinal);
        _bench.Host.Nbd.Opening = _ => { };
        await StartsNow();
    }

    [Fact]
    public async Task A_proxy_that_dies_while_it_copies_gives_the_source_back_or_goes_on()
    {
        MakeBase();
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(1);
        Assert.True(SpinWait.SpinUntil(() => _bench.Host.Nbd.Accepted == 2, TimeSpan.FromSeconds(10)));
        VolumeFillings dead = _bench.Storage.Fillings;
        _bench.Restart();
        HeldVolume source = Assert.Single(_bench.Storage.Held, one => one.CopiedInto.Length > 0);
        Assert.Equal("", await _bench.Storage.ReturnAsync(_bench.Plans.Current, source, Stop));
        Assert.Equal([Base.Volume.ToString()], _keys.Returned);
        _bench.Host.Nbd.Gate.Set();
        Assert.True(SpinWait.SpinUntil(() => dead.Look(Disk) is not FillState.Busy, TimeSpan.FromSeconds(10)));
        await StartsNow();
    }

    [Fact]
    public async Task A_copy_that_is_no_longer_wanted_gives_back_both()
    {
        MakeBase();
        _bench.Host.Nbd.Gate.Reset();
        await _bench.Turn(1);
        string[] both = [Base.Volume.ToString(), Disk.Volume.ToString()];
        _bench.Order(_bench.Datacentre.Acme, "web-1", running: false);
        for (int turn = 0; turn < 60 && _bench.Storage.Held.Length > 0; turn++)
        {
            foreach (HeldVolume held in _bench.Storage.Held)
            {
                await _bench.Storage.ReturnAsync(_bench.Plans.Current, held, Stop);
            }

            await Task.Delay(50, Stop);
        }

        Assert.Equal(both.Order(), _keys.Returned.Order());
    }

    private void MakeBase()
    {
        RemakeBase();
        _keys.Made(Base, Header(Base));
    }

    private void RemakeBase()
    {
        using SecretBytes key = SecretBytes.Random(32);
        File.Delete(_files.PathOf(Base));
        _files.CreateEncrypted(Base, key);
        using FileStream file = File.OpenWrite(_files.PathOf(Base));
        file.Position = DigestSalt;
        file.Write(RandomNumberGenerator.GetBytes(32));
    }

    private Digest32 Header(DiskPlan disk) =>
        _files.Inspect(disk).Header ?? throw new InvalidOperationException("no header");

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
        Assert.False(File.Exists(_files.PathOf(Disk)));
        Assert.Equal(new VolumeHeaderMark.Blank(), _keys.MarkOf(Disk));
    }

    private async Task StartsNow()
    {
        _bench.Clock.Move(60);
        await Until(() => _bench.Hypervisor.Running.Any());
        Assert.Equal(_base, _copy[..(BaseMib << 20)]);
        Assert.IsType<VolumeHeaderMark.Bound>(_keys.MarkOf(Disk));
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

    /// <summary>A key service's marks, kept as the real one keeps them; the rules of copies are tested there.</summary>
    private sealed class KeptKeys : IVolumeKeys
    {
        private readonly ConcurrentDictionary<string, VolumeHeaderMark> _marks = new(StringComparer.Ordinal);
        private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

        public Action Binding { get; set; } = () => { };

        /// <summary>Whether somebody writes what is to be copied.</summary>
        public bool Busy { get; set; }

        public List<string> Returned { get; } = [];

        /// <summary>For which copies a key was released.</summary>
        public List<string> Copies { get; } = [];

        public VolumeHeaderMark MarkOf(DiskPlan disk) =>
            _marks.GetValueOrDefault(disk.Volume.ToString(), new VolumeHeaderMark.New());

        public void Made(DiskPlan disk, Digest32 header) =>
            _marks[disk.Volume.ToString()] = MarkOf(disk).After(header, DateTimeOffset.UnixEpoch);

        public void Forget(DiskPlan disk) => _marks.TryRemove(disk.Volume.ToString(), out _);

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
        {
            about("nonce");
            VolumeHeaderMark mark = _marks.GetValueOrDefault(question.Key.ToString(), new VolumeHeaderMark.New());
            string? refusal = (mark, question.State) switch
            {
                _ when question.Copy is not null && Busy => "held-by-another-host",
                (VolumeHeaderMark.New or VolumeHeaderMark.Blank, _) when question.Copy is not null => "volume-blank",
                (VolumeHeaderMark.New, not null) => "header-unknown",
                (VolumeHeaderMark.Blank, not null) => "content-unfinished",
                (VolumeHeaderMark.Bound, null) => "header-missing",
                (VolumeHeaderMark.Bound bound, { } shown) when bound.Header != shown => "header-differs",
                _ => null,
            };
            if (refusal is not null)
            {
                return Task.FromResult<VolumeKeyAnswer>(new VolumeKeyAnswer.Refused([$"No. [{refusal}]"]));
            }

            _marks[question.Key.ToString()] = mark.After(question.State, DateTimeOffset.UnixEpoch);
            if (question.Copy is { } copy)
            {
                Copies.Add(copy.ToString());
            }

            return Task.FromResult<VolumeKeyAnswer>(
                new VolumeKeyAnswer.Released(SecretBytes.Create(32, target => _key.CopyTo(target))));
        }

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop)
        {
            Binding();
            _marks[volume.ToString()] = _marks[volume.ToString()].After(header, DateTimeOffset.UnixEpoch);
            return Task.FromResult<ImmutableArray<string>>([]);
        }

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop)
        {
            Returned.Add(volume.Volume);
            return Task.FromResult("");
        }

        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;
    }
}
