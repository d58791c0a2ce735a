using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Domains.Volumes;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Storage;

/// <summary>
/// What lies in the pool in a volume's place is looked at before a key is asked for and before any tool sees it.
/// </summary>
public sealed partial class VolumeInspectionTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24", Size = "16M";
    private readonly CountingKeys _keys = new();
    private readonly ProxyBench _bench;

    public VolumeInspectionTests() => _bench = new ProxyBench(_keys);

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private DiskPlan Disk => Machine.Disks.Single();

    private string Place => Path.Combine(_bench.Pool, Disk.FileName);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task An_encrypted_volume_that_is_ours_is_opened_and_its_header_is_in_the_log()
    {
        Publish("required");
        FakeImages.Luks(Place, Size);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal(1, _keys.Asked);
        var opened = Assert.Single(
            _bench.Integrity.Read(0, 1000), line => line.Entry.Kind == IntegrityKind.VolumeOpened);
        Assert.Matches("existing, its header is [0-9a-f]{64}", opened.Detail.Text);
    }

    [Fact]
    public async Task A_volume_that_is_not_there_is_made()
    {
        Publish("required");
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal(2_068_480 + (16 << 20), new FileInfo(Place).Length);
        Assert.Null(Assert.Single(_keys.Shown));
        var (nonce, told) = Assert.Single(_keys.Told);
        Assert.Equal(("nonce", Seen), (nonce, told));
    }

    [Fact]
    public async Task A_volume_that_is_there_is_shown_by_its_header_and_nothing_is_told_of_it()
    {
        Publish("required");
        FakeImages.Luks(Place, Size);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal([Seen], _keys.Shown);
        Assert.Empty(_keys.Told);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_machine_starts_on_a_volume_that_was_made_before_its_header_is_bound(bool silent)
    {
        Publish("required");
        _keys.Binding = () => silent ? throw new WorldException(["tell"], -1, "no answer") : ["no [header-differs]"];
        await _bench.Turn(2);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains(
            _bench.Compartments.StateOf(Machine).Refusals,
            reason => reason.Contains(silent ? "no answer" : "[header-differs]", StringComparison.Ordinal));

        // What was made stays, is shown the next time, and is never made again.
        Digest32 made = Seen;
        _keys.Binding = () => [];
        _bench.Clock.Move(60);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
        Assert.Equal([null, made], _keys.Shown);
        Assert.Single(_keys.Told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refuses_a_file_that_is_exchanged_after_it_was_looked_at(bool whileTheKeyIsAskedFor)
    {
        Publish("required");
        FakeImages.Luks(Place, Size);
        if (whileTheKeyIsAskedFor)
        {
            _keys.Asking = Exchange;
        }
        else
        {
            // Between the key's coming to libvirt and the hook.
            _bench.Hypervisor.Starting = Exchange;
        }

        await _bench.Turn(2);
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Equal(1, _keys.Asked);
        Assert.Contains(
            _bench.Compartments.StateOf(Machine).Refusals,
            reason => reason.Contains("[header-exchanged]", StringComparison.Ordinal));
        Assert.True(_bench.Integrity.Has(IntegrityKind.Drift, Disk.Volume.ToString()));
        (_keys.Asking, _bench.Hypervisor.Starting) = (() => { }, () => { });
        await AssertStartsOnceItIsOurs();
    }

    /// <summary>One bit of the key material.</summary>
    private void Exchange()
    {
        using FileStream file = File.Open(Place, FileMode.Open);
        file.Position = 8192;
        int before = file.ReadByte();
        file.Position = 8192;
        file.WriteByte((byte)(before ^ 1));
    }

    private Digest32 Seen => new VolumeFiles(_bench.Host, _bench.Pool).Inspect(Disk).Header
        ?? throw new InvalidOperationException("no header");

    public static TheoryData<string> Contents => ["qcow2-backing", "vmdk-flat", "qcow2-data-file", "luks1-two-keys",
        "luks1-sha1", "luks2", "optical", "raw"];

    [Theory]
    [MemberData(nameof(Contents))]
    public async Task Refuses_an_encrypted_volume_with_another_content_before_a_key_is_asked_for(string name)
    {
        Publish("required");
        File.WriteAllBytes(Place, DiskImage.Vector(name).Content);
        await _bench.Turn(2);
        AssertRefused("[luks-");
        await AssertStartsOnceItIsOurs();
    }

    [Theory]
    [InlineData("longer", "[volume-length]")]
    [InlineData("link", "[volume-link]")]
    [InlineData("two names", "[volume-links]")]
    [InlineData("loose", "[volume-mode]")]
    [InlineData("directory", "[volume-kind]")]
    [InlineData("pipe", "[volume-kind]")]
    [InlineData("foreign", "[volume-owner]")]
    public async Task Refuses_an_encrypted_volume_whose_file_is_not_what_was_made(string what, string code)
    {
        Assert.SkipUnless(what != "foreign" || Environment.UserName == "root", "only root gives files away");
        Publish("required");
        Spoil(what, file => FakeImages.Luks(file, Size));
        await _bench.Turn(2);
        AssertRefused(code);
        await AssertStartsOnceItIsOurs();
    }

    [Theory]
    [InlineData("longer", "[volume-length]")]
    [InlineData("link", "[volume-link]")]
    [InlineData("two names", "[volume-links]")]
    [InlineData("pipe", "[volume-kind]")]
    public async Task Refuses_a_plain_volume_whose_file_is_not_what_was_made(string what, string code)
    {
        Publish("none");
        Spoil(what, file => FakeImages.Raw(file, Size));
        await _bench.Turn(2);
        AssertRefused(code);
    }

    [Fact]
    public async Task A_plain_volume_is_raw_whatever_its_machine_wrote_into_it()
    {
        Publish("none");
        File.WriteAllBytes(Place, DiskImage.Vector("qcow2-backing").Resize(16 << 20).Content);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
    }

    [Theory]
    [InlineData("none", ".luks")]
    [InlineData("none", ".luks.filling")]
    [InlineData("required", ".raw")]
    public async Task A_volume_that_lies_here_in_the_other_form_is_never_made_anew(string storage, string form)
    {
        Publish(storage);
        string other = Path.ChangeExtension(Place, null) + form;
        await File.WriteAllTextAsync(other, "its machine's", TestContext.Current.CancellationToken);
        await _bench.Turn(2);
        AssertRefused("[volume-form]");
        Assert.False(File.Exists(Place));
    }

    [Theory]
    [InlineData("none", ".luks")]
    [InlineData("required", ".raw")]
    public async Task What_lies_beside_it_is_anothers(string storage, string form)
    {
        Publish(storage);
        string other = Path.Combine(_bench.Pool, new string('0', 32) + form);
        await File.WriteAllTextAsync(other, "another's", TestContext.Current.CancellationToken);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
    }

    private void Publish(string storage)
    {
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1, storage: storage);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
    }

    private void Spoil(string what, Action<string> make)
    {
        string other = Path.Combine(_bench.Pool, "other");
        switch (what)
        {
            case "longer":
                make(Place);
                File.AppendAllText(Place, "x");
                break;
            case "link":
                make(other);
                File.CreateSymbolicLink(Place, other);
                break;
            case "two names":
                make(other);
                Assert.Equal(0, link(other, Place));
                break;
            case "loose":
                make(Place);
                File.SetUnixFileMode(Place, (UnixFileMode)0x1B6);
                break;
            case "directory":
                Directory.CreateDirectory(Place);
                break;
            case "pipe":
                Assert.Equal(0, mkfifo(Place, 0x180));
                break;
            default:
                make(Place);
                Assert.Equal(0, chown(Place, 12345, 12345));
                break;
        }
    }

    private void AssertRefused(string code)
    {
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Equal(0, _keys.Asked);
        Assert.Contains(
            _bench.Compartments.StateOf(Machine).Refusals,
            reason => reason.Contains(code, StringComparison.Ordinal)
                && reason.Contains(Disk.Volume.ToString(), StringComparison.Ordinal));
        Assert.True(_bench.Integrity.Has(IntegrityKind.Drift, Disk.Volume.ToString()));
        Assert.True(_bench.Integrity.Has(IntegrityKind.Refusal, Machine.Ref.ToString()));
    }

    private async Task AssertStartsOnceItIsOurs()
    {
        if (Directory.Exists(Place))
        {
            Directory.Delete(Place);
        }

        File.Delete(Place);
        FakeImages.Luks(Place, Size);
        _bench.Clock.Move(60);
        await _bench.Turn(2);
        Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint user, uint group);

    private sealed class CountingKeys : IVolumeKeys
    {
        public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;

        public int Asked { get; private set; }

        /// <summary>What was shown at each request.</summary>
        public List<Digest32?> Shown { get; } = [];

        public List<(string Nonce, Digest32 Header)> Told { get; } = [];

        /// <summary>Happens while a key is asked for.</summary>
        public Action Asking { get; set; } = () => { };

        public Func<ImmutableArray<string>> Binding { get; set; } = () => [];

        public Task<VolumeKeyAnswer> RequestAsync(
            VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
        {
            about("nonce");
            Asked++;
            Shown.Add(question.State);
            Asking();
            return Task.FromResult<VolumeKeyAnswer>(new VolumeKeyAnswer.Released(SecretBytes.Random(32)));
        }

        public Task<ImmutableArray<string>> BindAsync(
            KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop)
        {
            Told.Add((nonce, header));
            return Task.FromResult(Binding());
        }

        public Task<string> ReturnAsync(
            EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) => Task.FromResult("");
    }
}
