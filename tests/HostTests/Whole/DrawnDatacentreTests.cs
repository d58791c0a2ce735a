using System.Text.Json;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Tests.Cli;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A datacentre that a seed draws runs on real hosts, and what is asked of a running one is answered there: it is
/// proven to be what its policies say, and each flow and each change is explained before and after.
/// </summary>
[Collection(DrawnCollection.Name)]
[Trait("Category", "Slow")]
public sealed class DrawnDatacentreTests(DrawnLab drawn)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private WholeLab Lab => drawn.Whole;

    private CommandLine Cli => new(Lab.Paths);

    [Fact]
    public async Task What_is_drawn_runs_is_proven_and_explained_and_what_is_slipped_in_is_told_by_what_it_opens()
    {
        await Lab.Settled();
        await Proven();
        string[] codes =
        [
            .. JsonElement.Parse((await Cli.Run(WholeLab.Operator, "policy", "check", "--json")).Output)
                .EnumerateArray().Select(one => Text(one, "code")),
        ];
        Assert.NotEmpty(codes);
        Assert.All(codes, code => Assert.StartsWith("flow-", code, StringComparison.Ordinal));

        JsonElement[] open = await Open();
        JsonElement flow = open.First(one => Text(one, "what").StartsWith("tcp", StringComparison.Ordinal)
            && Tenant(one, "from") == Tenant(one, "to"));
        string tenant = Tenant(flow, "from");
        string[] question =
        [
            "policy", "why", $"{tenant}/{flow.GetProperty("senders")[0]}",
            $"{tenant}/{flow.GetProperty("receivers")[0]}", Text(flow, "what").Replace(' ', '/'),
        ];
        Assert.Equal(0, (await Cli.Run(tenant, question)).ExitCode);

        DrawnTerms.Withdraw(Lab.Paths.Policies, Text(flow, "from"), Text(flow, "to"));
        string signed = Path.Combine(Lab.Paths.Signed, tenant);
        Assert.NotEmpty(Lab.Deployment.Desks.Sign(tenant, Lab.Deployment.LogKey()));
        Assert.Contains(
            $"closes   {Text(flow, "from")} (", (await Cli.Run(tenant, "policy", "diff", signed)).Output,
            StringComparison.Ordinal);
        Assert.Equal(0, (await Cli.Run(tenant, "policy", "apply", signed)).ExitCode);
        await WholeLab.Until(
            async () => (await Cli.Run(tenant, question)).ExitCode == 1 ? null : "still open", "the flow is closed");
        await Lab.Settled();
        await Proven();

        await Lab.Hosts[0].SlipIntoGateway("tcp", "dport", "22", "accept");
        await WholeLab.Until(
            async () => (await Cli.Run(WholeLab.Operator, "verify")).Output.Contains(
                "It opens tcp/22 from t0", StringComparison.Ordinal) ? null : "no drift tells it", "the drift is told",
            Limit);
        await Proven();
    }

    private Task Proven() => WholeLab.Until(
        async () => await Cli.Run(WholeLab.Operator, "verify") is { ExitCode: not 0 } told ? told.Output : null,
        "all hosts are as planned", Limit);

    /// <summary>Its exit code says that there are findings, which is so: some flows only one side wants.</summary>
    private async Task<JsonElement[]> Open() =>
    [
        .. JsonElement.Parse((await Cli.Run(
            WholeLab.Operator, "policy", "show", Lab.Paths.Policies, "--json")).Output).EnumerateArray(),
    ];

    private static string Tenant(JsonElement flow, string side) => Text(flow, side).Split('/')[0];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}

/// <summary>A whole lab of a datacentre that a seed draws.</summary>
public sealed class DrawnLab : IAsyncLifetime
{
    private static readonly GeneratedDatacentre Drawn = new(new DatacentreShape(8, 8, 2, 6, Seed: 1));

    internal WholeLab Whole { get; } = new() { Policies = Write, Machines = [.. Drawn.Machines] };

    public ValueTask InitializeAsync() => Whole.InitializeAsync();

    public ValueTask DisposeAsync() => Whole.DisposeAsync();

    private static string Write(string directory)
    {
        Drawn.Write(directory);
        return directory;
    }
}

/// <summary>This lab runs alone: it has many machines.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DrawnCollection : ICollectionFixture<DrawnLab>
{
    public const string Name = "drawn";
}
