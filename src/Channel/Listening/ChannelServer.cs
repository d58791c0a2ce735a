using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bailiwick.Channel.Listening;

/// <summary>
/// A running server of ours: Kestrel, the gate and the handlers of one route table, and nothing that reads settings
/// from the environment.
/// </summary>
public sealed class ChannelServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RouteGate _gate;

    private ChannelServer(WebApplication app, RouteGate gate)
    {
        _app = app;
        _gate = gate;
    }

    /// <summary>Where it listens, as Kestrel names it; a port 0 is the real one here.</summary>
    public IReadOnlyCollection<string> Urls =>
        [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <summary>The platform's services, for what describes the routes.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Starts to serve.</summary>
    /// <param name="listening">Where and as whom.</param>
    /// <param name="routes">The table with its handlers.</param>
    /// <param name="principals">Whom a key stands for at this moment; null if it stands for more than one.</param>
    /// <param name="log">Where failures are told.</param>
    /// <param name="addServices">What the platform needs besides, such as the API description.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InvalidOperationException">A row has no handler, or an endpoint no row.</exception>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public static async Task<ChannelServer> Start(
        ChannelListening listening, RouteMap routes, Func<KeyId, Principal?> principals, ILoggerFactory log,
        Action<IServiceCollection>? addServices = null, CancellationToken cancel = default)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options => ChannelKestrel.Configure(options, listening));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(log);
        addServices?.Invoke(builder.Services);
        var app = builder.Build();
        var gate = new RouteGate(principals, listening.Time, routes.Table);
        try
        {
            app.UseRouting();
            app.Use(RefuseWithoutRow);
            routes.Map(app, gate, log.CreateLogger("Bailiwick.Channel"), listening.Patience.Request);
            Verify(app);
            await app.StartAsync(cancel);
            return new ChannelServer(app, gate);
        }
        catch
        {
            gate.Dispose();
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops: no new calls, and those under way have five seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
        _gate.Dispose();
    }

    /// <summary>Every endpoint, whoever mapped it, must carry a row.</summary>
    internal static void Verify(IEndpointRouteBuilder app)
    {
        foreach (var endpoint in app.DataSources.SelectMany(source => source.Endpoints))
        {
            if (endpoint.Metadata.GetMetadata<RouteRow>() is null)
            {
                throw new InvalidOperationException($"The endpoint {endpoint.DisplayName} has no row in the table.");
            }
        }
    }

    private static Task RefuseWithoutRow(HttpContext http, RequestDelegate next) =>
        http.GetEndpoint()?.Metadata.GetMetadata<RouteRow>() is null
            ? RouteWriter.Write(http, ChannelProblems.NotFound)
            : next(http);
}
