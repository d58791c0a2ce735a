using System.Diagnostics;
using Bailiwick.Channel.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bailiwick.Channel.Routes;

/// <summary>A stream of the caller's bytes and one of ours.</summary>
/// <param name="Input">What the caller sends.</param>
/// <param name="Output">What the caller gets; each write is flushed by its writer.</param>
public sealed record RouteStreams(Stream Input, Stream Output);

/// <summary>
/// Joins the rows of a table to their handlers. A handler gets a call only after the gate let it through, with its body
/// read strictly; it can answer only with typed values, and a row that records something cannot succeed without the
/// receipt of its record.
/// </summary>
public sealed class RouteMap
{
    private readonly RouteTable _table;
    private readonly Dictionary<string, Action<IEndpointRouteBuilder, RouteGate, ILogger, TimeSpan>> _handled =
        new(StringComparer.Ordinal);

    /// <summary>Starts with no handlers.</summary>
    public RouteMap(RouteTable table) => _table = table;

    /// <summary>A handler without a body.</summary>
    public RouteMap Handle<TAnswer>(RouteRow row, Func<RouteCall, Task<RouteAnswer<TAnswer>>> handler) =>
        Add(row, [Answers<TAnswer>()], (http, gate, cancel) => Run(http, row, gate, handler, cancel));

    /// <summary>A handler with a JSON body.</summary>
    public RouteMap Handle<TBody, TAnswer>(
        RouteRow row, Func<RouteCall, TBody, Task<RouteAnswer<TAnswer>>> handler)
        where TBody : class =>
        Add(
            row,
            // The gate refuses other types itself, with a problem; the platform would answer without one.
            [Answers<TAnswer>(), new AcceptsMetadata(["*/*"], typeof(TBody))],
            (http, gate, cancel) => Run(
                http, row, gate,
                async call =>
                {
                    using var lease = gate.OpenBody(call);
                    var (body, problem) = await RouteGate.ReadBody<TBody>(http, row, lease, cancel);
                    return body is null
                        ? new RouteAnswer<TAnswer>.Refused(problem ?? throw new UnreachableException())
                        : await handler(call, body);
                },
                cancel));

    /// <summary>
    /// A handler whose answer is a stream. It may refuse as long as it has written nothing; from then on it can only
    /// end the stream.
    /// </summary>
    public RouteMap HandleStream(
        RouteRow row, string contentType, Func<RouteCall, RouteStreams, Task<RouteProblem?>> handler) =>
        Add(
            row,
            [new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), [contentType])],
            async (http, gate, cancel) =>
            {
                var (call, problem) = gate.Admit(http, row, cancel);
                if (call is not null)
                {
                    http.Response.ContentType = contentType;
                    http.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
                    problem = await handler(call, new RouteStreams(http.Request.Body, http.Response.Body));
                }

                await (problem is null ? Task.CompletedTask : RouteWriter.Write(http, problem));
            });

    /// <summary>The rows.</summary>
    internal RouteTable Table => _table;

    /// <summary>Maps all rows; <paramref name="limit"/> is how long a request that is not a stream may take.</summary>
    /// <exception cref="InvalidOperationException">A row has no handler.</exception>
    internal void Map(IEndpointRouteBuilder endpoints, RouteGate gate, ILogger log, TimeSpan limit)
    {
        foreach (var row in _table.Rows)
        {
            if (!_handled.TryGetValue(row.Key, out var map))
            {
                throw new InvalidOperationException($"The row {row} has no handler.");
            }

            map(endpoints, gate, log, limit);
        }
    }

    private static ProducesResponseTypeMetadata Answers<TAnswer>() =>
        new(StatusCodes.Status200OK, typeof(TAnswer), ["application/json"]);

    private RouteMap Add(
        RouteRow row, object[] metadata, Func<HttpContext, RouteGate, CancellationToken, Task> run)
    {
        if (!_table.Rows.Contains(row))
        {
            throw new InvalidOperationException($"{row} is not in the route table; add a row for it.");
        }

        if (!_handled.TryAdd(row.Key, Join))
        {
            throw new InvalidOperationException($"{row} has a handler already.");
        }

        return this;

        void Join(IEndpointRouteBuilder endpoints, RouteGate gate, ILogger log, TimeSpan limit)
        {
            RequestDelegate handler = http => Guard(http, row, log, limit, cancel => run(http, gate, cancel));
            // The platform describes only endpoints that carry the method they were made from.
            endpoints.MapMethods(row.Template, [row.Method], handler)
                .WithMetadata(row, handler.Method)
                .WithMetadata(metadata)
                .WithMetadata(new RequestSizeLimit(row.MaxBodyBytes == 0 && row.Streams ? null : row.MaxBodyBytes));
        }
    }

    private static async Task Guard(
        HttpContext http, RouteRow row, ILogger log, TimeSpan patience, Func<CancellationToken, Task> run)
    {
        // A stream would hold up a stopping server for ever; any other call may finish.
        var stopping = row.Streams
            ? http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping
            : default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        if (!row.Streams)
        {
            limit.CancelAfter(patience);
        }

        try
        {
            await run(limit.Token);
        }
        catch (Exception) when (limit.IsCancellationRequested)
        {
            // Whoever asked is gone or was too slow; nothing was acknowledged.
            http.Abort();
        }
        catch (Exception error)
        {
            log.LogError(error, "{Row} failed.", row.Key);
            if (http.Response.HasStarted)
            {
                http.Abort();
            }
            else
            {
                await RouteWriter.Write(http, ChannelProblems.Bug);
            }
        }
    }

    private static async Task Run<TAnswer>(
        HttpContext http, RouteRow row, RouteGate gate, Func<RouteCall, Task<RouteAnswer<TAnswer>>> handler,
        CancellationToken cancel)
    {
        var (call, problem) = gate.Admit(http, row, cancel);
        if (call is null)
        {
            await RouteWriter.Write(http, problem ?? throw new UnreachableException());
            return;
        }

        switch (await handler(call), row.Records)
        {
            case (RouteAnswer<TAnswer>.Refused refused, _):
                await RouteWriter.Write(http, refused.Problem);
                break;
            case (RouteAnswer<TAnswer>.Ok ok, RecordDuty.Nothing):
                await RouteWriter.Write(http, StrictJson.Write(ok.Value));
                break;
            case (RouteAnswer<TAnswer>.Recorded recorded, RecordDuty.Writes):
                await RouteWriter.Write(http, StrictJson.Write(recorded.Value));
                break;
            default:
                throw new InvalidOperationException(
                    $"{row} must {(row.Records is RecordDuty.Writes ? "give" : "not give")} a receipt of a record.");
        }
    }

    private sealed record RequestSizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
