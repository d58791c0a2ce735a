using System.Globalization;
using System.Threading.RateLimiting;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Bailiwick.Channel.Routes;

/// <summary>
/// Stands before every handler. In this order: the certificate's validity, the principal, the rate, the row's callers,
/// the scope of the path, the query, the body. Everything is asked per call; a connection carries no authority.
/// </summary>
internal sealed class RouteGate(Func<KeyId, Principal?> principals, TimeProvider time, RouteTable table) : IDisposable
{
    private readonly long _share = BoundedBody.HeldBytes(table.Rows.Max(row => row.MaxBodyBytes));
    private readonly BodyBudget _bodies = new(2 * BoundedBody.HeldBytes(table.Rows.Max(row => row.MaxBodyBytes)));
    private const string Strangers = "strangers";
    private readonly PartitionedRateLimiter<Principal> _rates =
        PartitionedRateLimiter.Create<Principal, string>(PartitionOf);

    /// <summary>Admits a call, or says why not.</summary>
    public (RouteCall? Call, RouteProblem? Problem) Admit(HttpContext http, RouteRow row, CancellationToken cancel)
    {
        var certificate = http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        if (!PeerCertificate.TryRead(certificate, time.GetUtcNow(), out var key, out var refusal))
        {
            return (null, ChannelProblems.Certificate(refusal.Value));
        }

        var caller = principals(key);
        using var lease = _rates.AttemptAcquire(caller ?? Principal.Anonymous(key));
        if (!lease.IsAcquired)
        {
            return (null, ChannelProblems.TooMany);
        }

        if (caller is null)
        {
            return (null, ChannelProblems.AmbiguousKey);
        }

        if (!row.Callers.Contains(caller.Kind))
        {
            return (null, ChannelProblems.WrongCaller(row, caller.Kind));
        }

        var values = new RouteValues(http.Request.RouteValues.ToDictionary(
            value => value.Key, value => value.Value as string ?? "", StringComparer.Ordinal));
        if (!row.Scope.Admits(caller, values))
        {
            return (null, ChannelProblems.NotFound);
        }

        return ReadQuery(http.Request.Query, row, out var query) is { } problem
            ? (null, problem)
            : (new RouteCall(caller, values, query, StillAdmitted, cancel), null);

        bool StillAdmitted() =>
            PeerCertificate.TryRead(certificate, time.GetUtcNow(), out _, out _)
            && principals(key) is { } now
            && now.Kind == caller.Kind && now.Party == caller.Party && now.Host == caller.Host;
    }

    /// <summary>The account of a call's body, to be closed when the call is answered.</summary>
    public BodyLease OpenBody(RouteCall call) => call.Caller.Kind == PrincipalKind.Anonymous
        ? _bodies.Open(Strangers, Math.Min(_share, ChannelLimits.BodyBytesOfStrangers))
        : _bodies.Open(call.Caller.Key.ToString(), _share);

    /// <summary>Reads the body of a call, or says why not.</summary>
    public static async Task<(TBody? Body, RouteProblem? Problem)> ReadBody<TBody>(
        HttpContext http, RouteRow row, BodyLease lease, CancellationToken cancel)
        where TBody : class
    {
        var request = http.Request;
        if (!StringValues.IsNullOrEmpty(request.Headers.ContentEncoding))
        {
            return (null, ChannelProblems.Encoded);
        }

        if (request.ContentType is not ("application/json" or "application/json; charset=utf-8"))
        {
            return (null, ChannelProblems.NotJson);
        }

        if (request.ContentLength > row.MaxBodyBytes)
        {
            return (null, ChannelProblems.TooLarge(row));
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, lease.GivesWay);
        bool isCrowded = false;
        try
        {
            return await BoundedBody.Read(
                request.Body, row.MaxBodyBytes, bytes => !(isCrowded = !lease.TryGrow(bytes)), limit.Token) is { } body
                ? (StrictJson.Read<TBody>(body.Span, row.MaxBodyBytes), null)
                : (null, isCrowded ? ChannelProblems.Crowded : ChannelProblems.TooLarge(row));
        }
        catch (OperationCanceledException) when (lease.GaveWay)
        {
            return (null, ChannelProblems.Crowded);
        }
        catch (StrictJsonException error)
        {
            return (null, ChannelProblems.BadBody(error.Message));
        }
        catch (BadHttpRequestException error)
        {
            return (null, error.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? ChannelProblems.TooLarge(row)
                : ChannelProblems.BadBody("The body did not arrive whole."));
        }
    }

    public void Dispose() => _rates.Dispose();

    private static RouteProblem? ReadQuery(
        IQueryCollection given, RouteRow row, out IReadOnlyDictionary<string, long> query)
    {
        var read = new Dictionary<string, long>(StringComparer.Ordinal);
        query = read;
        foreach (var name in given.Keys)
        {
            if (!row.Query.Any(known => known.Name == name))
            {
                return ChannelProblems.BadQuery("The query has a member that this route does not know.");
            }
        }

        foreach (var known in row.Query)
        {
            if (!given.TryGetValue(known.Name, out var texts))
            {
                if (known.Default is not { } otherwise)
                {
                    return ChannelProblems.BadQuery($"The query lacks {known.Name}.");
                }

                read[known.Name] = otherwise;
                continue;
            }

            if (texts.Count != 1
                || !long.TryParse(texts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number < known.Least || number > known.Most)
            {
                return ChannelProblems.BadQuery(
                    $"The query's {known.Name} must be one number from {known.Least} to {known.Most}.");
            }

            read[known.Name] = number;
        }

        return null;
    }

    // Strangers share one budget: keys cost nothing to make, so a budget for each would be no limit.
    private static RateLimitPartition<string> PartitionOf(Principal caller) =>
        caller.Kind == PrincipalKind.Anonymous
            ? RateLimitPartition.GetTokenBucketLimiter(
                Strangers,
                _ => Bucket(ChannelLimits.BurstOfStrangers, ChannelLimits.RequestsPerSecondOfStrangers))
            : RateLimitPartition.GetTokenBucketLimiter(
                caller.Key.ToString(),
                _ => Bucket(ChannelLimits.BurstPerKey, ChannelLimits.RequestsPerSecondPerKey));

    private static TokenBucketRateLimiterOptions Bucket(int burst, int perSecond) => new()
    {
        TokenLimit = burst,
        TokensPerPeriod = Math.Max(1, perSecond / 10),
        ReplenishmentPeriod = TimeSpan.FromMilliseconds(100),
        QueueLimit = 0,
        AutoReplenishment = true,
    };
}
