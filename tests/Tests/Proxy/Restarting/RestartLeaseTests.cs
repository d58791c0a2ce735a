using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Restarting;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Restarting;

/// <summary>
/// A machine whose tenant allows it is restarted while the key service is silent, for so long and no longer; whatever
/// ends that, ends it for good. Each no is next to a yes.
/// </summary>
public sealed class RestartLeaseTests : IDisposable
{
    private const string Subnet = "10.20.1.0/24", Size = "16M";
    private readonly SealingServices _services = new();
    private readonly LateKeys _keys = new();
    private readonly MovedClock _boot = new();
    private readonly ProxyBench _bench;
    private RestartLeases _leases = new(new MovedClock());

    public RestartLeaseTests()
    {
        _bench = new ProxyBench(_keys);
        NewProcess();
    }

    private CompartmentPlan Machine => _bench.Plans.Current.Machines.Single();

    private string Volume => Machine.Disks.Single().Volume.ToString();

    private string Place => Path.Combine(_bench.Pool, Machine.Disks.Single().FileName);

    public void Dispose()
    {
        _leases.Dispose();
        _bench.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_machine_is_restarted_while_its_key_service_is_silent_and_it_is_recorded_before_the_key_opens()
    {
        await Started();
        _services.Silent = true;
        await CrashAndTurn();
        AssertRuns();
        Assert.Equal(1, _services.Parts);
        IntegrityKind?[] kinds = [.. _bench.Integrity.Read(0, 1000).Select(line => line.Entry.Kind)
            .Where(kind => kind is IntegrityKind.KeyReopened or IntegrityKind.VolumeOpened)];
        Assert.Equal([IntegrityKind.VolumeOpened, IntegrityKind.KeyReopened, IntegrityKind.VolumeOpened], kinds);
    }

    [Fact]
    public async Task Without_a_restart_lease_a_start_with_the_key_service_away_is_refused()
    {
        _services.Within = null;
        await Started();
        _services.Silent = true;
        await CrashAndTurn();
        AssertRefused("No route to host");
        _services.Silent = false;
        await Turn();
        AssertRuns();
    }

    [Fact]
    public async Task The_key_service_is_asked_first_and_its_word_goes_before_any_restart_lease()
    {
        await Started();
        await CrashAndTurn();
        AssertRuns();
        Assert.Equal((2, 0), (_services.Asked, _services.Parts));
        _services.Refusal = "The tenant withdrew the key. [key-withdrawn]";
        await CrashAndTurn();
        AssertRefused("[key-withdrawn]");

        // Its silence does not bring back what its no has ended.
        _services.Silent = true;
        await Turn();
        AssertRefused("its key service refused: The tenant withdrew the key");
        Assert.Equal(0, _services.Parts);
    }

    [Fact]
    public async Task A_key_service_that_takes_the_request_and_never_answers_is_silent()
    {
        await Started();
        _services.Hangs = true;
        await CrashAndTurn();
        AssertRuns();
        Assert.Equal(1, _services.Parts);
    }

    [Fact]
    public async Task It_ends_with_its_time_counted_from_the_release_and_no_restart_makes_it_longer()
    {
        await Started();
        _services.Silent = true;
        _boot.Move(3599);
        await CrashAndTurn();
        AssertRuns();
        _boot.Move(1);
        await CrashAndTurn();
        AssertRefused("Its time is over.");
        Assert.Equal(1, _services.Parts);
        _services.Silent = false;
        await Turn();
        AssertRuns();
    }

    [Fact]
    public async Task Its_time_is_the_hosts_since_its_boot_and_no_other_clock_counts()
    {
        await Started();
        _services.Silent = true;
        _bench.Clock.Move(1_000_000);
        await CrashAndTurn();
        AssertRuns();
        BootTime time = new();
        Assert.Equal(1_000_000_000, time.TimestampFrequency);
        Assert.InRange(time.GetTimestamp() / 1e9, Environment.TickCount64 / 1000.0 - 5, double.MaxValue);
    }

    [Fact]
    public async Task It_ends_when_the_machine_is_ordered_off_and_the_volume_is_returned_then_and_not_before()
    {
        await Started();
        _bench.Hypervisor.Crash(Machine.MachineName);
        await Return();
        Assert.Equal(0, _services.Returned);
        await Turn();
        AssertRuns();
        _bench.Order(_bench.Datacentre.Acme, "web-1", running: false);
        await _bench.Turn(4);
        Assert.Empty(_bench.Hypervisor.Running);
        await Return();
        Assert.Equal(1, _services.Returned);
        _bench.Order(_bench.Datacentre.Acme, "web-1", running: true);
        _services.Silent = true;
        await Turn();
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Equal(0, _services.Parts);
    }

    [Fact]
    public async Task A_return_ends_it_before_it_is_sent_whether_it_arrives_or_not()
    {
        await Started();
        HeldVolume held = Assert.Single(_bench.Storage.Held);
        _services.Silent = true;
        Assert.NotEmpty(await _keys.ReturnAsync(
            _bench.Plans.Current, held, null, TestContext.Current.CancellationToken));
        await CrashAndTurn();
        AssertRefused("its key is given back");
        Assert.Equal(0, _services.Parts);
    }

    [Fact]
    public async Task It_ends_when_a_statement_behind_the_release_changes()
    {
        await Started();
        _services.Silent = true;
        await CrashAndTurn();
        AssertRuns();
        _bench.Datacentre.Restart(_bench.Datacentre.Acme, "web", Subnet, "2h");
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
        await CrashAndTurn();
        AssertRefused("another than at the release");
        Assert.Equal(1, _services.Parts);
    }

    [Fact]
    public async Task It_ends_when_a_domain_refuses_the_host_and_does_not_come_back_with_its_trust()
    {
        await Started();
        _services.Silent = true;
        Say(new OwnStanding(OwnTrust.Lost, "PCR 10 shows another program."));
        await CrashAndTurn();
        Say(OwnStanding.Held);
        await Turn();
        AssertRefused("Its restart lease ended:");
        Assert.Equal(0, _services.Parts);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("the tenant withdrew it.", false)]
    [InlineData(null, false)]
    public async Task It_ends_at_its_key_services_word_and_when_that_says_nothing_of_it(string? against, bool stands)
    {
        await Started();
        string nonce = Assert.Single(_leases.NoncesOf(_bench.Datacentre.Acme.Id));
        _leases.Take(
            _bench.Datacentre.Acme.Id, [nonce],
            against is null ? [] : [new Bailiwick.Channel.Keys.RestartWord(nonce, against)]);
        _services.Silent = true;
        await CrashAndTurn();
        Assert.Equal(stands, _bench.Hypervisor.Running.Any());
        Assert.Equal(stands ? 1 : 0, _services.Parts);
    }

    [Fact]
    public async Task An_answer_of_another_tenant_or_about_what_was_not_asked_ends_nothing()
    {
        await Started();
        string nonce = Assert.Single(_leases.NoncesOf(_bench.Datacentre.Acme.Id));
        _leases.Take(_bench.Datacentre.Rival.Id, [nonce], [new(nonce, "no.")]);
        _leases.Take(_bench.Datacentre.Acme.Id, ["an older one"], []);
        _services.Silent = true;
        await CrashAndTurn();
        AssertRuns();
    }

    [Fact]
    public async Task Refuses_another_header_than_the_key_was_released_for()
    {
        await Started();
        _services.Silent = true;
        byte[] own = await File.ReadAllBytesAsync(Place, TestContext.Current.CancellationToken);
        File.Delete(Place);
        FakeImages.Luks(Place, Size);
        byte[] other = await File.ReadAllBytesAsync(Place, TestContext.Current.CancellationToken);
        other[4096] ^= 1;
        await File.WriteAllBytesAsync(Place, other, TestContext.Current.CancellationToken);
        await CrashAndTurn();
        AssertRefused("and its file");
        Assert.Equal(0, _services.Parts);
        await File.WriteAllBytesAsync(Place, own, TestContext.Current.CancellationToken);
        await Turn();
        AssertRuns();
    }

    [Fact]
    public async Task Refuses_in_another_state_of_the_TPM()
    {
        await Started();
        (_services.Silent, _services.TpmInState) = (true, false);
        await CrashAndTurn();
        AssertRefused("policy check failed");
        _services.TpmInState = true;
        await Turn();
        AssertRuns();
    }

    [Fact]
    public async Task Opens_nothing_that_it_cannot_record()
    {
        await Started();
        _services.Silent = true;
        _bench.Hypervisor.Crash(Machine.MachineName);
        VolumeKeyQuestion question = new(
            _bench.Plans.Current, new KeySubject.Volume(Machine.Disks.Single().Volume), Machine.Ref,
            new VolumeFiles(_bench.Host, _bench.Pool).Inspect(Machine.Disks.Single()).Header);
        _bench.Disk.Fault = DiskFault.InputOutput;
        _bench.Disk.FaultAt = _bench.Disk.Calls + 1;
        await Assert.ThrowsAsync<WorldException>(
            () => _keys.RequestAsync(question, _ => { }, TestContext.Current.CancellationToken));
        Assert.Equal(0, _services.Parts);
    }

    [Fact]
    public async Task A_Proxy_that_starts_anew_has_none_and_asks()
    {
        await Started();
        _bench.Restart();
        NewProcess();
        _services.Silent = true;
        await CrashAndTurn();
        AssertRefused("No route to host");
        _services.Silent = false;
        await Turn();
        AssertRuns();
        Assert.Equal((2, 0), (_services.Asked, _services.Parts));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_volume_that_was_blank_is_opened_again_once_its_header_is_bound(bool bound)
    {
        _services.Binding = () => bound ? [] : ["no [header-differs]"];
        Publish();
        await _bench.Turn(2);
        Assert.Equal(bound, _bench.Hypervisor.Running.Any());
        _services.Silent = true;
        if (bound)
        {
            _bench.Hypervisor.Crash(Machine.MachineName);
        }

        await Turn();
        Assert.Equal(bound, _bench.Hypervisor.Running.Any());
        Assert.Equal(bound ? 1 : 0, _services.Parts);
    }

    private void Publish()
    {
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", Subnet, 1, storage: "required");
        _bench.Datacentre.Restart(_bench.Datacentre.Acme, "web", Subnet, "1h");
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
        Say(OwnStanding.Held);
    }

    private async Task Started()
    {
        Publish();
        FakeImages.Luks(Place, Size);
        await _bench.Turn(2);
        AssertRuns();
        Assert.Equal((1, 0), (_services.Asked, _services.Parts));
    }

    private async Task CrashAndTurn()
    {
        if (_bench.Hypervisor.Running.Any())
        {
            _bench.Hypervisor.Crash(_bench.Hypervisor.Running.Single());
        }

        await Turn();
    }

    private async Task Turn()
    {
        _bench.Clock.Move(600);
        await _bench.Turn(4);
    }

    private async Task Return()
    {
        try
        {
            await _bench.Units.Returns(_bench.Datacentre.Acme.Id).ReconcileAsync(CancellationToken.None);
        }
        catch (WorldException)
        {
            // It is tried again.
        }
    }

    private void Say(OwnStanding standing)
    {
        _bench.Own[new DomainRef(_bench.Datacentre.Acme.Id, StatementName.Parse("web"))] = standing;
        _bench.Plans.Reconsider();
    }

    /// <summary>What a process has in its memory only.</summary>
    private void NewProcess()
    {
        _leases.Dispose();
        _leases = RestartLeases.Under(_bench.Plans, _boot);
        _keys.Inner = new RestartingKeys(_services, _leases, _bench.Integrity, _services.OpenPart)
        {
            Patience = TimeSpan.FromMilliseconds(50),
        };
    }

    private void AssertRuns() => Assert.Equal([Machine.MachineName], _bench.Hypervisor.Running);

    private void AssertRefused(string why)
    {
        Assert.Empty(_bench.Hypervisor.Running);
        Assert.Contains(
            _bench.Compartments.StateOf(Machine).Refusals,
            reason => reason.Contains(why, StringComparison.Ordinal));
    }
}
