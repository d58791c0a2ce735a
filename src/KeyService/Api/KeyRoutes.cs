using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Hierarchy;
using Bailiwick.KeyService.HostLogs;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Releasing;

namespace Bailiwick.KeyService.Api;

/// <summary>Every endpoint of a key service. The operator and other tenants have none.</summary>
public static class KeyRoutes
{
    private const int DocumentBytes = 256 * 1024;

    // With its logs: a boot log has some 50 KiB, a runtime log some 100 bytes for each program ever run, an integrity
    // log 43 for each entry since the boot when it is shown for the first time.
    private const int ReleaseBytes = 32 * 1024 * 1024;

    private static readonly RouteRow Nonces = new()
    {
        Method = "POST",
        Template = "/v1/nonces",
        Summary = "Gives a nonce for one release, bound to the calling host's key.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("a nonce gives nothing and is kept only in memory"),
        MaxBodyBytes = 16,
    };

    private static readonly RouteRow Releases = new()
    {
        Method = "POST",
        Template = "/v1/releases",
        Summary = "Releases a volume's key, sealed to the session of the calling host.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("release"),
        MaxBodyBytes = ReleaseBytes,
    };

    private static readonly RouteRow Returns = new()
    {
        Method = "POST",
        Template = "/v1/returns",
        Summary = "Takes a volume's key back from the calling host.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("return"),
        MaxBodyBytes = DocumentBytes,
    };

    private static readonly RouteRow Headers = new()
    {
        Method = "POST",
        Template = "/v1/headers",
        Summary = "Takes the calling host's word on the header that it gave to a blank volume.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("header"),
        MaxBodyBytes = DocumentBytes,
    };

    private static readonly RouteRow Takeovers = new()
    {
        Method = "POST",
        Template = "/v1/takeovers",
        Summary = "Frees a volume whose holder has not returned it, approved by root keys.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("takeover"),
        MaxBodyBytes = DocumentBytes,
    };

    private static readonly RouteRow Enrolments = new()
    {
        Method = "POST",
        Template = "/v1/enrolments",
        Summary = "Takes what the calling host shows of its TPM, and gives a challenge for it.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("a challenge gives nothing and is kept only in memory"),
        MaxBodyBytes = 64 * 1024,
    };

    private static readonly RouteRow EnrolmentAnswers = new()
    {
        Method = "POST",
        Template = "/v1/enrolments/answers",
        Summary = "Takes the TPM's answer to the challenge, and gives the signed enrolment.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("enrolment"),
        MaxBodyBytes = 1024,
    };

    private static readonly RouteRow Leases = new()
    {
        Method = "POST",
        Template = "/v1/leases",
        Summary = "Judges what the calling host shows, and lends it trust for each domain that it may have.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("a lease is kept only in memory; its begin and end are in the lease journal"),
        MaxBodyBytes = ReleaseBytes,
    };

    private static readonly RouteRow EnrolmentsKept = new()
    {
        Method = "GET",
        Template = "/v1/enrolments",
        Summary = "Shows which TPM of which host is enrolled, and why the last attempt of each host failed.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it changes nothing"),
    };

    private static readonly RouteRow EnrolmentsForgotten = new()
    {
        Method = "POST",
        Template = "/v1/enrolments/forgotten",
        Summary = "Forgets the TPM that is enrolled for a host, approved by root keys.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("forgotten enrolment"),
        MaxBodyBytes = DocumentBytes,
    };

    private static readonly RouteRow HostLog = new()
    {
        Method = "GET",
        Template = "/v1/hosts/{operator}/{name}/integrity-log",
        Summary = "What of a host's integrity log concerns the tenant, verified, the newest entries last.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnyHost("operator", "name"),
        Records = new RecordDuty.Nothing("it changes nothing, and is the tenant's own"),
        Query = [new QueryNumber("limit", 1, HostLogBook.MostShown, 100)],
    };

    private static readonly RouteRow Status = new()
    {
        Method = "GET",
        Template = "/v1/status",
        Summary = "Shows the volumes that have keys, who holds them, how hosts stand, and problems.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it changes nothing"),
    };

    private static readonly RouteRow Openings = new()
    {
        Method = "GET",
        Template = "/v1/volumes/{tenant}/{name}/openings",
        Summary = "Shows which machine could open a volume of the tenant on which host now, and every reason why not.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.OwnParty("tenant"),
        Records = new RecordDuty.Nothing("it decides and changes nothing"),
    };

    private static readonly RouteRow Keys = new()
    {
        Method = "GET",
        Template = "/v1/keys",
        Summary = "Shows the tree of keys, without any key: master, domains, volumes and TPMs, and what was destroyed.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it changes nothing"),
    };

    private static readonly RouteRow KeyLog = new()
    {
        Method = "GET",
        Template = "/v1/keys/log",
        Summary = "Shows a page of the journal of releases, returns, rotations and destructions, the newest last.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it changes nothing"),
        Query =
        [
            new QueryNumber("limit", 1, 500, 100), new QueryNumber("before", 0, int.MaxValue, int.MaxValue),
        ],
    };

    private static readonly RouteRow Rotations = new()
    {
        Method = "POST",
        Template = "/v1/keys/rotations",
        Summary = "Replaces the master key or a domain's key; what is under it is wrapped anew.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("rotation"),
        MaxBodyBytes = 1024,
    };

    private static readonly RouteRow Loads = new()
    {
        Method = "POST",
        Template = "/v1/keys/loads",
        Summary = "Takes in keys that were prepared under the master key where no network is.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("load"),
        MaxBodyBytes = 64 * 1024,
    };

    private static readonly RouteRow Withdrawals = new()
    {
        Method = "POST",
        Template = "/v1/keys/withdrawals",
        Summary = "Withdraws a key, so that it goes to nobody and nothing is restarted with it, or allows it again.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("withdrawal"),
        MaxBodyBytes = 1024,
    };

    private static readonly RouteRow Destructions = new()
    {
        Method = "POST",
        Template = "/v1/keys/destructions",
        Summary = "Destroys keys, approved by root keys, and gives a signed receipt.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("destruction"),
        MaxBodyBytes = DocumentBytes,
    };

    private static readonly RouteRow ScrubOrders = new()
    {
        Method = "GET",
        Template = "/v1/scrubs",
        Summary = "What of destroyed keys' bytes the calling host is to remove from the pool, as signed orders.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("the destruction is recorded, and an order gives nothing"),
    };

    private static readonly RouteRow ScrubReports = new()
    {
        Method = "POST",
        Template = "/v1/scrubs",
        Summary = "Takes the calling host's signed word on what became of destroyed keys' bytes.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("scrub"),
        MaxBodyBytes = DocumentBytes,
    };

    /// <summary>The table.</summary>
    public static RouteTable Table { get; } = new(
        Nonces, Releases, Headers, Returns, Takeovers, Enrolments, EnrolmentAnswers, EnrolmentsKept,
        EnrolmentsForgotten, Leases, HostLog, Status, Openings, Keys, KeyLog, Rotations,
        Loads, Withdrawals, Destructions, ScrubOrders, ScrubReports);

    /// <summary>Joins the rows to the desks.</summary>
    public static RouteMap To(
        ReleaseDesk desk, HolderDesk holders, EnrolmentDesk enrolment, LeaseDesk leases, HierarchyDesk keys,
        ScrubDesk scrubs, OpeningDesk openings)
    {
        ArgumentNullException.ThrowIfNull(openings);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(scrubs);
        ArgumentNullException.ThrowIfNull(desk);
        ArgumentNullException.ThrowIfNull(holders);
        ArgumentNullException.ThrowIfNull(leases);
        ArgumentNullException.ThrowIfNull(enrolment);
        return new RouteMap(Table)
            .Handle<Nothing, NonceAnswer>(Nonces, (call, _) => Task.FromResult(desk.GiveNonce(call)))
            .Handle<ReleaseBody, SealedKeyBody>(Releases, Sure<ReleaseBody, SealedKeyBody>(keys, desk.Release))
            .Handle<HeaderBody, Nothing>(Headers, (call, body) => Task.FromResult(holders.Bind(call, body)))
            .Handle<ReturnBody, Nothing>(Returns, (call, body) => Task.FromResult(holders.Return(call, body)))
            .Handle<TakeoverBody, Nothing>(
                Takeovers, Sure<TakeoverBody, Nothing>(
                    keys, (call, body) => Task.FromResult(holders.TakeOver(call, body))))
            .Handle<EnrolmentClaimBody, EnrolmentChallengeBody>(
                Enrolments, (call, body) => Task.FromResult(enrolment.Begin(call, body)))
            .Handle<EnrolmentAnswerBody, EnrolledBody>(
                EnrolmentAnswers, (call, body) => Task.FromResult(enrolment.Complete(call, body)))
            .Handle<LeaseBody, LeaseAnswer>(Leases, Sure<LeaseBody, LeaseAnswer>(keys, leases.Prove))
            .Handle(Keys, call => Task.FromResult(keys.List()))
            .Handle(KeyLog, call => Task.FromResult(keys.Log(call)))
            .Handle<RotationBody, RotatedBody>(
                Rotations, Sure<RotationBody, RotatedBody>(keys, (_, body) => Task.FromResult(keys.Rotate(body))))
            .Handle<LoadBody, LoadedBody>(
                Loads, Sure<LoadBody, LoadedBody>(keys, (_, body) => Task.FromResult(keys.Load(body))))
            .Handle<WithdrawalBody, Nothing>(
                Withdrawals, (_, body) => Task.FromResult(leases.Restarts.Withdraw(body)))
            .Handle<DestroyBody, ErasedBody>(
                Destructions, Sure<DestroyBody, ErasedBody>(keys, (_, body) => Task.FromResult(keys.Destroy(body))))
            .Handle(ScrubOrders, call => Task.FromResult(scrubs.Orders(call)))
            .Handle<ScrubReportBody, Nothing>(ScrubReports, (call, body) => Task.FromResult(scrubs.Report(call, body)))
            .Handle(EnrolmentsKept, call => Task.FromResult(enrolment.List()))
            .Handle<ForgetBody, Nothing>(
                EnrolmentsForgotten, (call, body) => Task.FromResult(enrolment.Forget(call, body)))
            .Handle(HostLog, call => Task.FromResult(desk.HostLog(call)))
            .Handle(Openings, call => Task.FromResult(openings.Openings(call)))
            .Handle(Status, call => Task.FromResult(keys.Status(desk.Status(leases.Rows()))));
    }

    /// <summary>Answers only while the ledger and the store agree about the changes of keys.</summary>
    private static Func<RouteCall, TBody, Task<RouteAnswer<TAnswer>>> Sure<TBody, TAnswer>(
        HierarchyDesk keys, Func<RouteCall, TBody, Task<RouteAnswer<TAnswer>>> answer) => (call, body) =>
            keys.Doubt() is { } doubt
                ? Task.FromResult<RouteAnswer<TAnswer>>(new RouteAnswer<TAnswer>.Refused(doubt))
                : answer(call, body);
}
