using System.Collections.Concurrent;
using System.Diagnostics;
using Bailiwick.Channel.Keys;
using Bailiwick.HostTests.Whole;
using Bailiwick.KeyService.Nonces;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.KeyServices;

/// <summary>
/// Fifty machines of two tenants ask the real key services of both at once: each gets its own volume's key or none,
/// whatever is asked beside, and also when a key service is killed in the middle.
/// </summary>
public sealed class ManyMachinesTests(ITestOutputHelper output) : IDisposable
{
    private const int Machines = 25;

    // A host has at most 256 nonces in a minute.
    private const int Rounds = 9;
    private readonly string _root = Directory.CreateTempSubdirectory("bw-many-").FullName;
    private readonly ConcurrentDictionary<(SignedParty Tenant, int Machine), string> _keys = [];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Fifty_machines_of_two_tenants_get_the_right_key_or_none_of_two_key_services()
    {
        await using TwoKeyServices all = await TwoKeyServices.Up(_root, Machines);
        SignedParty acme = all.Tenants[0], rival = all.Tenants[1];
        await Everybody(all, Started);
        Assert.Equal(2 * Machines, _keys.Values.Distinct().Count());

        // Asked at once: another machine's volume, another tenant's volume, another tenant's key service.
        await Everybody(all, async (tenants, tenant, machine) =>
        {
            SignedParty other = tenant == acme ? rival : acme;
            int next = (machine % Machines) + 1;
            Assert.Equal("volume-not-attached", await Refused(tenants.Release(tenant, tenant, next, tenant, machine)));
            Assert.Equal("foreign-reference", await Refused(tenants.Release(tenant, tenant, machine, other, machine)));
            Assert.Equal("tenant-not-served", await Refused(tenants.Release(other, tenant, machine, tenant, machine)));
            await Started(tenants, tenant, machine);
        });

        // One dies in the middle of it; the other's tenants notice nothing.
        int silent = 0;
        Task rounds = Everybody(all, async (tenants, tenant, machine) =>
        {
            for (int round = 0; round < 4; round++)
            {
                try
                {
                    await Started(tenants, tenant, machine);
                }
                catch (KeyServiceException error) when (tenant == acme && error.IsSilence)
                {
                    Interlocked.Increment(ref silent);
                }
            }
        });
        await Task.Delay(150, TestContext.Current.CancellationToken);
        all.Kill(acme);
        await rounds;
        Assert.InRange(silent, 1, 4 * Machines);
        await all.Start(acme);
        await Everybody(all, Started);
    }

    [Fact]
    public async Task A_tenant_that_asks_without_end_is_told_to_wait_and_anothers_machines_start_meanwhile()
    {
        await using TwoKeyServices all = await TwoKeyServices.Up(_root, Machines);
        SignedParty acme = all.Tenants[0], rival = all.Tenants[1];
        await Everybody(all, Started);
        TimeSpan[] alone = await Rival(all, rival);
        using CancellationTokenSource end = new(TimeSpan.FromMinutes(1));
        int released = 0, refused = 0;
        Task flood = Task.WhenAll(Enumerable.Range(1, Machines).Select(machine => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                try
                {
                    await Started(all, acme, machine);
                    Interlocked.Increment(ref released);
                }
                catch (KeyServiceException error) when (error.Problem?.Code is "too-many-nonces" or "too-many-requests")
                {
                    Interlocked.Increment(ref refused);
                }
            }
        })));
        await WholeLab.Until(
            () => Task.FromResult(Volatile.Read(ref refused) > 0 ? null : $"{released} releases"),
            "it is told to wait");
        TimeSpan[] beside = await Rival(all, rival);
        await end.CancelAsync();
        await flood;

        Assert.InRange(released, 1, 2 * NonceBook.MostPerCaller);
        Assert.Equal(2 * Machines, _keys.Values.Distinct().Count());
        // To look at, not to pass: how long something takes is this machine's matter.
        output.WriteLine($"the other tenant's releases, 50th and 99th of 100: alone {Of(alone, 0.5)} and "
            + $"{Of(alone, 0.99)} ms, beside the flood {Of(beside, 0.5)} and {Of(beside, 0.99)} ms; "
            + $"{released} releases and {refused} refusals of the first");

        static string Of(TimeSpan[] times, double part) =>
            $"{times.Order().ElementAt((int)(part * times.Length)).TotalMilliseconds:F1}";
    }

    private async Task<TimeSpan[]> Rival(TwoKeyServices all, SignedParty rival)
    {
        List<TimeSpan> times = [];
        for (int round = 0; round < 4; round++)
        {
            for (int machine = 1; machine <= Machines; machine++)
            {
                long began = Stopwatch.GetTimestamp();
                await Started(all, rival, machine);
                times.Add(Stopwatch.GetElapsedTime(began));
            }
        }

        return [.. times];
    }

    /// <summary>To look at, not to pass: the figure is the machine's.</summary>
    [Fact(Explicit = true)]
    public async Task What_a_release_and_a_return_cost_the_key_service_is_told()
    {
        await using TwoKeyServices all = await TwoKeyServices.Up(_root, Machines);
        SignedParty acme = all.Tenants[0];
        for (int round = 0; round < 2 * Rounds; round++)
        {
            if (round == Rounds)
            {
                // By now all of the code is compiled, which is most of what the first releases cost.
                await Task.Delay(TimeSpan.FromSeconds(65), TestContext.Current.CancellationToken);
            }

            Assert.Null(await all.Prove(acme));
            double before = all.Worked(acme);
            for (int machine = 1; machine <= Machines; machine++)
            {
                await StartedAndReturned(all, acme, machine);
            }

            double each = (all.Worked(acme) - before) / Machines;
            output.WriteLine($"round {round}: {each * 1000:0.0} ms of a processor for a release and its return");
        }

        Assert.Equal(Machines, _keys.Count);
    }

    /// <summary>The machine starts, and the key is the one that it was before.</summary>
    private async Task Started(TwoKeyServices all, SignedParty tenant, int machine)
    {
        (string key, _) = await all.Release(tenant, tenant, machine, tenant, machine);
        Assert.Equal(key, _keys.GetOrAdd((tenant, machine), key));
    }

    private async Task StartedAndReturned(TwoKeyServices all, SignedParty tenant, int machine)
    {
        (string key, string nonce) = await all.Release(tenant, tenant, machine, tenant, machine);
        Assert.Equal(key, _keys.GetOrAdd((tenant, machine), key));
        await all.Return(tenant, machine, nonce);
    }

    private static Task Everybody(TwoKeyServices all, Func<TwoKeyServices, SignedParty, int, Task> act) =>
        Task.WhenAll(all.Tenants.SelectMany(tenant => Enumerable.Range(1, Machines).Select(
            machine => Task.Run(() => act(all, tenant, machine)))));

    private static async Task<string> Refused(Task asked)
    {
        var refused = await Assert.ThrowsAsync<KeyServiceException>(() => asked);
        return refused.Problem?.Code ?? refused.Message;
    }
}
