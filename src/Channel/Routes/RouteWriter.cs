using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Bailiwick.Channel.Wire;
using Microsoft.AspNetCore.Http;

namespace Bailiwick.Channel.Routes;

/// <summary>Writes answers and problems.</summary>
internal static class RouteWriter
{
    public static Task Write(HttpContext http, byte[] json) => Write(http, 200, "application/json", json);

    public static Task Write(HttpContext http, RouteProblem problem) =>
        Write(http, problem.Status, "application/problem+json", StrictJson.Write(new ProblemBody(
            problem.Status, problem.Code, problem.Detail, problem.Next,
            problem.Refusals.IsDefaultOrEmpty ? null : problem.Refusals)));

    private static Task Write(HttpContext http, int status, string type, byte[] body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }
}

/// <summary>A problem on the wire (RFC 9457): `type` is absent, so `about:blank`.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The reason.</param>
/// <param name="Detail">Why.</param>
/// <param name="Next">What to do.</param>
/// <param name="Refusals">The items of a refused batch.</param>
public sealed record ProblemBody(
    int Status,
    string Code,
    string Detail,
    string Next,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    ImmutableArray<RefusedItem>? Refusals = null);
