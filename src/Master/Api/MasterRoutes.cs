using System.Collections.Immutable;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;

namespace Bailiwick.Master.Api;

/// <summary>The board's route table.</summary>
public static class MasterRoutes
{
    private static readonly ImmutableArray<PrincipalKind> Known =
    [
        PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor, PrincipalKind.KeyService, PrincipalKind.Operator,
        PrincipalKind.DatacentreAuditor, PrincipalKind.Host,
    ];

    private static readonly ImmutableArray<PrincipalKind> Everybody = [PrincipalKind.Anonymous, .. Known];

    private static readonly RecordDuty Reads = new RecordDuty.Nothing("it only reads");

    /// <summary>Publishes statements.</summary>
    public static RouteRow PostStatements { get; } = new()
    {
        Method = "POST",
        Template = "/v1/statements",
        Summary = "Publishes statements, all or none; the answer comes after they are durable.",
        // A stranger only for a first root that is expected: a party has no principals before its root is known.
        // A key service only for its tenant's changes of keys.
        Callers =
        [
            PrincipalKind.Anonymous, PrincipalKind.TenantAdmin, PrincipalKind.KeyService, PrincipalKind.Operator,
        ],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Writes("the statements themselves, in the log"),
        MaxBodyBytes = MasterLimits.BatchBytes,
    };

    /// <summary>A page of the log.</summary>
    public static RouteRow GetEntries { get; } = Get(
        "/v1/entries", "A page of the log; opened only where the caller may read.", Known,
        From, new QueryNumber("limit", 1, MasterLimits.PageEntries, 100));

    /// <summary>The log as it grows.</summary>
    public static RouteRow Watch { get; } = Get(
        "/v1/watch", "The log from an index on and as it grows, with checkpoints and suggestions, one JSON a line.",
        Known, From) with
    { Streams = true };

    /// <summary>The newest checkpoint.</summary>
    public static RouteRow GetCheckpoint { get; } = Get(
        "/v1/checkpoint", "The newest checkpoint; for everybody, so that anybody can compare.", Everybody);

    /// <summary>An inclusion proof.</summary>
    public static RouteRow GetInclusion { get; } = Get(
        "/v1/proofs/inclusion", "The proof that an entry is in the tree of a size.", Known,
        new QueryNumber("index", 0, long.MaxValue, null), new QueryNumber("size", 1, long.MaxValue, null));

    /// <summary>A consistency proof.</summary>
    public static RouteRow GetConsistency { get; } = Get(
        "/v1/proofs/consistency", "The proof that the log of one size begins the log of another.", Everybody,
        new QueryNumber("first", 0, long.MaxValue, null), new QueryNumber("second", 0, long.MaxValue, null));

    /// <summary>The present suggestions.</summary>
    public static RouteRow GetPlacements { get; } = Get(
        "/v1/placements", "Where machines are suggested to run, with reasons, as far as the caller may see.", Known);

    /// <summary>Orders a machine's power.</summary>
    public static RouteRow PutPower { get; } = new()
    {
        Method = "PUT",
        Template = "/v1/compartments/{tenant}/{name}/power",
        Summary = "Orders a machine to run or to stop; the operator can only order it to stop.",
        Callers = [PrincipalKind.TenantAdmin, PrincipalKind.Operator],
        Scope = RouteScope.OwnPartyOr("tenant", PrincipalKind.Operator),
        Records = new RecordDuty.Writes("the order, in the store"),
        MaxBodyBytes = 1024,
    };

    /// <summary>Orders a host's drain.</summary>
    public static RouteRow PutDrain { get; } = new()
    {
        Method = "PUT",
        Template = "/v1/hosts/{operator}/{name}/drain",
        Summary = "Orders a host to be emptied of machines, or to be filled again.",
        Callers = [PrincipalKind.Operator],
        Scope = RouteScope.OwnParty("operator"),
        Records = new RecordDuty.Writes("the order, in the store"),
        MaxBodyBytes = 1024,
    };

    /// <summary>A host's report.</summary>
    public static RouteRow PostReport { get; } = new()
    {
        Method = "POST",
        Template = "/v1/hosts/{operator}/{name}/reports",
        Summary = "What a host says of itself; shown in the status, believed by nobody.",
        Callers = [PrincipalKind.Host],
        Scope = RouteScope.OwnHost("operator", "name"),
        Records = new RecordDuty.Nothing("the host says it again soon, and keeps its own integrity log"),
        MaxBodyBytes = MasterLimits.ReportBytes,
    };

    /// <summary>A key service's report.</summary>
    public static RouteRow PostLeases { get; } = new()
    {
        Method = "POST",
        Template = "/v1/leases",
        Summary = "How hosts stand with the calling key service; shown in the status, and machines are proposed so.",
        Callers = [PrincipalKind.KeyService],
        Scope = RouteScope.AnswerByCaller,
        Records = new RecordDuty.Nothing("the key service says it again soon, and keeps its own journal"),
        MaxBodyBytes = MasterLimits.ReportBytes,
    };

    /// <summary>What the board knows.</summary>
    public static RouteRow GetStatus { get; } = Get(
        "/v1/status", "Hosts, machines and domains with their states, as far as the caller may see.", Known);

    /// <summary>The description of this table.</summary>
    public static RouteRow GetDescription { get; } = Get(
        "/openapi/v1.json", "This description (OpenAPI 3.1).", Known);

    /// <summary>All rows.</summary>
    public static RouteTable Table { get; } = new(
        PostStatements, GetEntries, Watch, GetCheckpoint, GetInclusion, GetConsistency, GetPlacements, PutPower,
        PutDrain, PostReport, PostLeases, GetStatus, GetDescription);

    private static QueryNumber From => new("from", 0, long.MaxValue, 0);

    private static RouteRow Get(
        string template, string summary, ImmutableArray<PrincipalKind> callers,
        params ImmutableArray<QueryNumber> query) =>
        new()
        {
            Method = "GET",
            Template = template,
            Summary = summary,
            Callers = callers,
            Scope = RouteScope.AnswerByCaller,
            Records = Reads,
            Query = query,
        };
}
