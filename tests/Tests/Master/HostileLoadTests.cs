using System.Net;
using System.Net.Http.Headers;
using Bailiwick.Channel;

namespace Bailiwick.Tests.Master;

/// <summary>
/// The real program under callers who send as much as they can: it stays small and serves the others.
/// </summary>
public sealed class HostileLoadTests
{
    private const int Attackers = 24;
    private const int BodyBytes = 8 * 1024 * 1024;

    // Some 10 MiB of bodies; the rest is what TLS and the collector keep of the many connections' traffic.
    private const int LargestGrowthMiB = 96;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bodies_that_never_end_cost_little_memory_and_nobody_elses_service()
    {
        await using var world = new BoardWorld();
        using var process = await MasterProgram.Run(world);
        await world.Settle();
        for (int warm = 0; warm < 20; warm++)
        {
            await world.Publish(world.Bank.Admin, world.Bank.Volume($"warm-{warm}"));
        }

        // The same callers with small bodies: what their connections cost is bounded by their number.
        HttpClient[] callers =
        [
            .. Enumerable.Range(0, Attackers).Select(_ => world.Http(world.Bank.Admin)),
            .. Enumerable.Range(0, Attackers).Select(_ => world.Http(PartyUnderTest.NewIdentity())),
        ];
        foreach (HttpClient caller in callers)
        {
            using var small = new StringContent("{}", new MediaTypeHeaderValue("application/json"));
            using var answer = await caller.PostAsync("/v1/statements", small, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        long before = process.MemoryMiB("VmRSS");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<int>[] attackers = [.. callers.Select(caller => Stall(caller, end.Token))];
        await Task.Delay(TimeSpan.FromSeconds(4), Cancel);

        // The positive control: whoever sends little is served in the middle of it.
        for (int one = 0; one < 10; one++)
        {
            await world.Publish(world.Hospital.Admin, world.Hospital.Volume($"calm-{one}"));
        }

        long peak = process.MemoryMiB("VmHWM");
        await end.CancelAsync();
        int sent = (await Task.WhenAll(attackers)).Sum();
        Assert.True(sent > BodyBytes, $"only {sent} bytes were sent in all");
        Assert.True(peak - before < LargestGrowthMiB, $"it grew from {before} to {peak} MiB");
        await process.Kill();
    }

    [Fact]
    public async Task A_key_that_asks_too_often_is_told_so_and_others_are_not()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var eager = world.Http(world.Bank.Admin);
        using var calm = world.Http(world.Hospital.Admin);
        HttpStatusCode[] answers = await Task.WhenAll(
            Enumerable.Range(0, ChannelLimits.BurstPerKey * 2).Select(_ => Status(eager)));
        Assert.Contains(HttpStatusCode.OK, answers);
        Assert.Contains(HttpStatusCode.TooManyRequests, answers);
        Assert.Equal(HttpStatusCode.OK, await Status(calm));
    }

    private static async Task<HttpStatusCode> Status(HttpClient http)
    {
        using var answer = await http.GetAsync("/v1/checkpoint", Cancel);
        return answer.StatusCode;
    }

    /// <summary>Sends all of a body but its end, and holds the request open; bytes sent.</summary>
    private static async Task<int> Stall(HttpClient http, CancellationToken end)
    {
        int sent = 0;
        for (int again = 0; again < 100 && !end.IsCancellationRequested; again++)
        {
            using var content = new Stalled(count => sent += count, end);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            try
            {
                using var answer = await http.PostAsync("/v1/statements", content, end);
                await Task.Delay(50, end);
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
            {
                // Refused, cut off, or the test is over.
            }
        }

        return sent;
    }

    private sealed class Stalled(Action<int> sent, CancellationToken end) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] part = new byte[64 * 1024];
            part.AsSpan().Fill((byte)' ');
            for (int at = 0; at < BodyBytes - part.Length; at += part.Length)
            {
                await stream.WriteAsync(part, end);
                sent(part.Length);
            }

            await Task.Delay(TimeSpan.FromMinutes(1), end);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
