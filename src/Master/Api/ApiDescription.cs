using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Bailiwick.Master.Api;

/// <summary>
/// The OpenAPI description of the route table. It is made from the same rows that the gate enforces, so it cannot say
/// anything else.
/// </summary>
internal sealed class ApiDescription
{
    private const string Name = "v1";

    /// <summary>The services of the running server; none before it runs.</summary>
    public IServiceProvider? Services { get; set; }

    public static void Add(IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Bailiwick Master",
                Version = Name,
                Description = "The bulletin board. Mutual TLS 1.3, HTTP/2; callers are known by their keys.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var row = context.Description.ActionDescriptor.EndpointMetadata.OfType<RouteRow>().Single();
            Describe(operation, row);
            return Task.CompletedTask;
        });
    });

    public async Task<RouteProblem?> Write(RouteCall call, RouteStreams streams)
    {
        var provider = (Services ?? throw new InvalidOperationException("The server does not run yet."))
            .GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        var document = await provider.GetOpenApiDocumentAsync(call.Cancel);
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1, call.Cancel);
        await streams.Output.WriteAsync(json.GetBuffer().AsMemory(0, (int)json.Length), call.Cancel);
        return null;
    }

    private static void Describe(OpenApiOperation operation, RouteRow row)
    {
        operation.Summary = row.Summary;
        operation.Description =
            $"Callers: {string.Join(", ", row.Callers.Select(caller => caller.Words()))}. Scope: {row.Scope.Name}. "
            + row.Records switch
            {
                RecordDuty.Writes writes => $"Records {writes.What}.",
                RecordDuty.Nothing nothing => $"Records nothing: {nothing.Because}.",
                _ => throw new System.Diagnostics.UnreachableException(),
            }
            + (row.MaxBodyBytes > 0 ? $" Body: at most {row.MaxBodyBytes} bytes." : "");
        operation.Parameters = [.. PathParameters(row), .. row.Query.Select(QueryParameter)];
        if (operation.RequestBody?.Content is { } content && content.Remove("*/*", out var body))
        {
            content["application/json"] = body;
        }

        operation.Responses ??= [];
        operation.Responses["4XX"] = new OpenApiResponse
        {
            Description = "Refused: application/problem+json (RFC 9457) with code, detail and next.",
        };
    }

    private static IEnumerable<IOpenApiParameter> PathParameters(RouteRow row) =>
        row.Template.Split('/').Where(part => part.StartsWith('{')).Select(part => new OpenApiParameter
        {
            Name = part[1..^1],
            In = ParameterLocation.Path,
            Required = true,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });

    private static IOpenApiParameter QueryParameter(QueryNumber number) => new OpenApiParameter
    {
        Name = number.Name,
        In = ParameterLocation.Query,
        Required = number.Default is null,
        Description = $"From {number.Least} to {number.Most}"
            + (number.Default is { } otherwise ? $"; {otherwise} if absent." : "."),
        Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
    };
}
