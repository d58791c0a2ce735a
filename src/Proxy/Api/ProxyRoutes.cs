using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.DryRuns;
using Bailiwick.Proxy.Seeing;

namespace Bailiwick.Proxy.Api;

/// <summary>Every endpoint of the Proxy.</summary>
public static class ProxyRoutes
{
    /// <summary>How the host is.</summary>
    public static RouteRow Status { get; } = new()
    {
        Method = "GET",
        Template = "/v1/status",
        Summary = "How this host, its machines and its units are.",
        Callers =
        [
            PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.Operator,
            PrincipalKind.DatacentreAuditor,
        ],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it tells only what the host reports anyway"),
    };

    /// <summary>The plan in force.</summary>
    public static RouteRow Plan { get; } = new()
    {
        Method = "GET",
        Template = "/v1/plan",
        Summary = "What this host enforces: all of it for the operator, a tenant's own domains for the tenant.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.Operator],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("management read"),
    };

    /// <summary>A machine's console.</summary>
    public static RouteRow Console { get; } = new()
    {
        // What is typed is the request's body, and opening it is recorded: it is an act, not a look.
        Method = "POST",
        Template = "/v1/compartments/{tenant}/{name}/console",
        Summary = "The machine's console, both ways, for as long as the caller wants.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.OwnParty("tenant"),
        Records = new RecordDuty.Writes("management read"),
        Streams = true,
    };

    /// <summary>A volume's ciphertext, with a signed manifest.</summary>
    public static RouteRow Backup { get; } = new()
    {
        // Giving a copy away is recorded: it is an act, not a look.
        Method = "POST",
        Template = "/v1/volumes/{tenant}/{name}/backup",
        Summary = "The volume as it lies in this host's pool, ciphertext, with a manifest that the host signs.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.OwnParty("tenant"),
        Records = new RecordDuty.Writes("management read"),
        Streams = true,
    };

    /// <summary>The integrity log.</summary>
    public static RouteRow IntegrityLog { get; } = new()
    {
        Method = "GET",
        Template = "/v1/integrity-log",
        Summary = "Entries of this host's integrity log, to be checked against its evidence.",
        Callers =
        [
            PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.Operator,
            PrincipalKind.DatacentreAuditor,
        ],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("the log is there to be read"),
        Query = [new QueryNumber("from", 0, long.MaxValue, 0), new QueryNumber("limit", 1, 1000, 100)],
    };

    /// <summary>What this host shows of itself.</summary>
    public static RouteRow Evidence { get; } = new()
    {
        Method = "POST",
        Template = "/v1/evidence",
        Summary = "This host's evidence over the caller's nonce, with its logs and the enrolments it may see.",
        Callers =
        [
            PrincipalKind.Host, PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.Operator,
            PrincipalKind.DatacentreAuditor,
        ],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("a host shows what it is to whoever lends it trust"),
        MaxBodyBytes = 512,
    };

    /// <summary>Enrolling the host's TPM by hand.</summary>
    public static RouteRow Enrolment { get; } = new()
    {
        Method = "POST",
        Template = "/v1/enrolments",
        Summary = "Enrols this host's TPM with a tenant's key service, anew if it was before.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.Operator],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("the key service records what it enrols; the host does so by itself anyway"),
        MaxBodyBytes = 256,
    };

    /// <summary>Where a packet of a tenant's machine goes.</summary>
    public static RouteRow Trace { get; } = new()
    {
        Method = "POST",
        Template = "/v1/network/trace",
        Summary = "Step by step where a packet between two machines goes or dies, as far as it is the tenant's to see.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it explains plans, and looks at nothing that machines send"),
        MaxBodyBytes = 1024,
    };

    /// <summary>Who spoke with whom.</summary>
    public static RouteRow Flows { get; } = new()
    {
        // What machines sent is looked at, and that is recorded.
        Method = "POST",
        Template = "/v1/network/flows",
        Summary = "Who spoke with whom in a domain of the tenant's on this host, and what was dropped by which rule.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("management read"),
        MaxBodyBytes = 512,
    };

    /// <summary>What passes a machine's port.</summary>
    public static RouteRow Capture { get; } = new()
    {
        Method = "POST",
        Template = "/v1/compartments/{tenant}/{name}/capture",
        Summary = "The frames of one of the machine's ports as they pass, as a capture file, within limits.",
        Callers = [PrincipalKind.TenantAdmin],
        Scope = RouteScope.OwnParty("tenant"),
        Records = new RecordDuty.Writes("management read"),
        Query =
        [
            new QueryNumber("nic", 0, 63, 0), new QueryNumber("protocol", 0, 255, 0),
            new QueryNumber("port", 0, 65535, 0), new QueryNumber("seconds", 1, PortCapture.MaxSeconds, 30),
            new QueryNumber("packets", 1, PortCapture.MaxPackets, 10_000),
        ],
        Streams = true,
    };

    /// <summary>Why the policies say yes or no.</summary>
    public static RouteRow Why { get; } = new()
    {
        Method = "POST",
        Template = "/v1/policy/why",
        Summary = "The chain of statements by which something may be, or the missing one, as far as it is the "
            + "tenant's to see.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it explains statements, and looks at nothing that machines do"),
        MaxBodyBytes = 1024,
    };

    /// <summary>What is wrong with the policies, and what follows from them.</summary>
    public static RouteRow Findings { get; } = new()
    {
        Method = "POST",
        Template = "/v1/policy/check",
        Summary = "What is wrong with the published policies and what follows from all of them, as far as it is the "
            + "tenant's to see.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it explains statements, and looks at nothing that machines do"),
        MaxBodyBytes = 256,
    };

    /// <summary>What a change of policies would do.</summary>
    public static RouteRow DryRun { get; } = new()
    {
        Method = "POST",
        Template = "/v1/policy/diff",
        Summary = "What publishing signed statements of the caller's tenant would do: what opens and closes, which of "
            + "its machines stop, move or start, whose signature is missing. It publishes nothing.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it explains statements, and looks at nothing that machines do"),
        MaxBodyBytes = AskedDryRun.MaxBytes,
    };

    /// <summary>Whether the host is as planned.</summary>
    public static RouteRow Verification { get; } = new()
    {
        Method = "GET",
        Template = "/v1/verification",
        Summary = "What this host is like, read back now and compared with its plan, as far as it concerns the caller.",
        Callers =
        [
            PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.Operator,
            PrincipalKind.DatacentreAuditor,
        ],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("it looks at what the host enforces, and at nothing that machines send"),
    };

    /// <summary>Those of a tenant's networks.</summary>
    public static RouteRow[] Network => [Trace, Flows, Capture];

    /// <summary>All of them.</summary>
    public static RouteTable Table { get; } =
        new([
            Status, Plan, Console, Backup, IntegrityLog, Evidence, Enrolment, Why, Findings, DryRun, Verification,
            .. Network,
        ]);
}
