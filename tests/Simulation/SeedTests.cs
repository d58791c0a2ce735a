using System.Collections.Concurrent;
using Bailiwick.Simulation.Auditing;
using Bailiwick.Simulation.World;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Simulation;

/// <summary>Whole datacentres, one for each seed.</summary>
public sealed class SeedTests
{
    private const int Steps = 60;

    [Fact]
    public Task Every_promise_holds_over_two_dozen_seeds() => Sweep(1, 24);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Every_promise_holds_over_a_thousand_seeds() => Sweep(1001, 1000);

    [Theory]
    [InlineData("a rule")]
    [InlineData("a port without rules")]
    [InlineData("another's bridge")]
    [InlineData("a live port that is plugged")]
    [InlineData("a stranger")]
    [InlineData("an expired domain")]
    [InlineData("a forged statement")]
    [InlineData("a flow of one side")]
    [InlineData("a dead port")]
    public Task The_auditor_sees(string fault) => Task.Run(
        () =>
        {
            using Simulator simulator = new(0);
            simulator.Settle();
            SimulatedHost host = simulator.Hosts.First(h => h.Hypervisor.Running.Any());
            simulator.Auditor.AfterChange(host);
            simulator.Auditor.AfterCleanTurn(host);
            Assert.Empty(simulator.Auditor.NotConverged(simulator.Placed));
            Assert.Throws<AuditException>(() => Plant(simulator, host, fault));
        },
        TestContext.Current.CancellationToken);

    private static void Plant(Simulator simulator, SimulatedHost host, string fault)
    {
        FakeNetwork network = host.Kernel.Network;
        string machine = host.Hypervisor.Running.First();
        MachineTerms terms = simulator.World.Machines.Values.Single(m => simulator.Auditor.MachineName(m) == machine);
        string bridge = network.Links[simulator.Auditor.Tap(terms)].Master ?? "";
        switch (fault)
        {
            case "a rule":
                network.Tables.First().Value.Add(Auditor.SlippedIn);
                break;
            case "a port without rules":
                network.Tables.Remove($"- bridge bw_{bridge[3..]}");
                break;
            case "another's bridge":
                network.Tables["- bridge bw_0123456789"] = ["\taccept"];
                network.Links[simulator.Auditor.Tap(terms)].Master = "bwb0123456789";
                break;
            case "a live port that is plugged":
                host.Hypervisor.Crash(machine);
                simulator.Auditor.Accept(host);
                host.Hypervisor.StartBehindTheBack(machine, Guid.NewGuid());
                network.Links[simulator.Auditor.Tap(terms)] = new FakeLink { Kind = "tun", Group = 1 };
                break;
            case "a stranger":
                host.Hypervisor.StartBehindTheBack("stranger", Guid.NewGuid());
                break;
            case "an expired domain":
                simulator.Clock.Advance(TimeSpan.FromDays(3650));
                break;
            case "a forged statement":
                foreach (var signed in simulator.World.Signed.Keys)
                {
                    simulator.World.Signed[signed] = simulator.World.Signed[signed] with { Digest = "" };
                }

                break;
            case "a flow of one side":
                network.Tables[$"bwg{bridge[3..]} inet bw_gateway"] = [$"\t{terms.Address} . 10.9.9.9 . 5432,"];
                break;
            case "a dead port":
                foreach (FakeLink link in network.Links.Values)
                {
                    link.Group = 0;
                }

                throw new AuditException(simulator.Auditor.NotConverged(simulator.Placed).Single(l =>
                    l == $"the port of {terms.Path} on {host.Ref.Name} is dead"));
            default:
                throw new ArgumentException(fault);
        }

        simulator.Auditor.AfterChange(host);
        simulator.Auditor.AfterCleanTurn(host);
        simulator.Auditor.AfterStep();
    }

    /// <summary>
    /// Off the test's own thread, so that what waits for virtual time goes on where time is moved. Every seed is a
    /// world of its own.
    /// </summary>
    private static Task Sweep(int first, int count) => Task.Run(
        () =>
        {
            ConcurrentQueue<string> failed = [];
            ParallelOptions all = new() { CancellationToken = TestContext.Current.CancellationToken };
            Parallel.For(first, first + count, all, (seed, loop) =>
            {
                try
                {
                    using Simulator simulator = new(seed);
                    simulator.Run(Steps);
                }
                catch (InvalidOperationException error)
                {
                    failed.Enqueue(error.Message);
                    loop.Stop();
                }
            });
            Assert.True(failed.IsEmpty, string.Join("\n\n", failed));
        },
        TestContext.Current.CancellationToken);
}
