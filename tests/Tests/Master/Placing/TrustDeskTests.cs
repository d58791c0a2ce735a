using Bailiwick.Channel.Board;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master;
using Bailiwick.Master.Placing;
using Bailiwick.Tests.Channel;

namespace Bailiwick.Tests.Master.Placing;

/// <summary>What key services and hosts say of hosts moves machines only as far as each may speak.</summary>
public sealed class TrustDeskTests
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank"), Hospital = PartyId.Unsigned("hospital");
    private static readonly HostRef Host = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-2"));
    private static readonly DomainRef Web = new(Bank, StatementName.Parse("web"));
    private static readonly CompartmentRef Machine = new(Bank, StatementName.Parse("web-1"));
    private readonly MovedClock _clock = new();
    private readonly ReportDesk _reports;
    private readonly TrustDesk _trust;

    public TrustDeskTests() => _trust = new TrustDesk(_reports = new ReportDesk(_clock), _clock);

    [Fact]
    public void A_key_service_speaks_for_its_own_tenants_domains_and_volumes_alone()
    {
        Say(Hospital, "refused", $"{Bank}/web");
        _trust.Put(Hospital, new LeaseReport(
            [], [new ReportedHolder($"{Bank}/data", Host.ToString(), Machine.ToString())], []));
        Assert.Null(_trust.View().Doubt(Host, Web));
        Assert.False(_trust.View().Holds(Host, Machine, new VolumeRef(Bank, StatementName.Parse("data"))));
        Assert.Empty(_trust.Of(Host.ToString()));
        Say(Bank, "refused", $"{Bank}/web");
        Assert.Equal("it is so.", _trust.View().Doubt(Host, Web));
        Assert.Equal("refused", Assert.Single(_trust.Of(Host.ToString())).Standing);
    }

    [Fact]
    public void A_key_service_tells_who_may_restart_its_own_tenants_machines_and_that_is_forgotten_with_its_silence()
    {
        ReportedRestart lease = new(Machine.ToString(), Host.ToString(), _clock.GetUtcNow().AddHours(1));
        _trust.Put(Hospital, new LeaseReport([], [], [lease]));
        Assert.Empty(_trust.RestartsOf(Machine.ToString()));
        _trust.Put(Bank, new LeaseReport([], [], [lease]));
        Assert.Equal([lease], _trust.RestartsOf(Machine.ToString()));
        Assert.Empty(_trust.RestartsOf($"{Bank}/web-2"));
        _clock.Move(MasterLimits.LeaseReportSeconds + 1);
        Assert.Empty(_trust.RestartsOf(Machine.ToString()));
    }

    [Fact]
    public void A_host_cannot_drive_machines_from_another_it_is_only_shown()
    {
        Report("running", peers: [new ReportedLease(Host.ToString(), $"{Bank}/web", "refused", "I say so.")]);
        Assert.Null(_trust.View().Doubt(Host, Web));
        Assert.Equal("I say so.", Assert.Single(_trust.Of(Host.ToString())).Because);
    }

    [Fact]
    public void What_was_said_long_ago_is_not_known_any_more()
    {
        Say(Bank, "silent", $"{Bank}/web");
        Assert.True(_trust.AnyDoubt);
        _clock.Move(MasterLimits.LeaseReportSeconds + 1);
        Assert.False(_trust.AnyDoubt);
        Assert.Null(_trust.View().Doubt(Host, Web));
    }

    [Fact]
    public void A_lease_is_no_doubt()
    {
        Say(Bank, "held", $"{Bank}/web");
        Assert.False(_trust.AnyDoubt);
        Assert.Null(_trust.View().Doubt(Host, Web));
    }

    [Theory]
    [InlineData("running", true)]
    [InlineData("paused", true)]
    [InlineData("stopping", true)]
    [InlineData("stopped", false)]
    [InlineData("refused", false)]
    public void A_machine_is_waited_for_until_its_host_says_that_it_ended(string state, bool runs)
    {
        Say(Bank, "refused", $"{Bank}/web");
        Report(state);
        Assert.Equal(runs, _trust.View().RunsOn(Machine, Host));
    }

    [Fact]
    public void Nobody_waits_for_a_host_that_is_silent_to_the_Master_too_or_never_says_that_it_ended()
    {
        Say(Bank, "refused", $"{Bank}/web");
        Report("running");
        Assert.True(_trust.View().RunsOn(Machine, Host));
        _clock.Move(MasterLimits.LateSeconds + 1);
        Assert.False(_trust.View().RunsOn(Machine, Host));
        Report("running");
        Assert.True(_trust.View().RunsOn(Machine, Host));
        _clock.Move(MasterLimits.LeavingSeconds - MasterLimits.LateSeconds);
        Report("running");
        Say(Bank, "refused", $"{Bank}/web");
        Assert.False(_trust.View().RunsOn(Machine, Host));
    }

    [Fact]
    public void Only_something_new_wakes_whoever_waits()
    {
        Say(Bank, "held", $"{Bank}/web");
        Task changed = _trust.Changed;
        Say(Bank, "held", $"{Bank}/web");
        Assert.False(changed.IsCompleted);
        Say(Bank, "silent", $"{Bank}/web");
        Assert.True(changed.IsCompleted);
    }

    private void Say(PartyId tenant, string standing, string domain) => _trust.Put(tenant, new LeaseReport(
        [new ReportedLease(Host.ToString(), domain, standing, standing == "held" ? "" : "it is so.")], [], []));

    private void Report(string state, ReportedLease[]? peers = null) => _reports.Put(Host.ToString(), new HostReport(
        "", [new CompartmentReport(Machine.ToString(), state, [])], [.. peers ?? []], [], []));
}
