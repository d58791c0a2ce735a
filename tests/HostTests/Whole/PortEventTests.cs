using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// Whatever libvirt is told to do with a running machine, past the product: afterwards the host enforces what the
/// policies compile to, and a port that no plan has carried nothing (hostile case N06).
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class PortEventTests(WholeLab lab, ITestOutputHelper output)
{
    private const int Rounds = 2;
    private const string Slipped = "slipped";

    private string Machine => lab.MachineName(SmallPolicies.Web);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task After_each_event_of_libvirt_rules_and_ports_are_what_the_policies_compile_to()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        string rules = await host.Rules();
        string[] live = await host.LivePorts();
        string tap = await host.TapOf(SmallPolicies.Web);
        Assert.Contains(tap, live);
        (string Name, Func<Task> Act)[] events =
        [
            ("paused and resumed", async () =>
            {
                await Virsh("suspend", Machine);
                await Virsh("resume", Machine);
            }),
            ("reset", () => Virsh("reset", Machine)),
            ("given a link state that its plan has not", async () =>
            {
                // A machine that differs from its plan is ended and started by its plan again.
                int before = lab.Processes()[Machine];
                await Virsh("domif-setlink", Machine, tap, "down");
                await Virsh("domif-setlink", Machine, tap, "up");
                await WholeLab.Until(
                    () => Task.FromResult(lab.Processes().GetValueOrDefault(Machine, before) == before
                        ? "the same process runs" : null),
                    "the machine is started by its plan");
            }),
            ("its tap put down and up", async () =>
            {
                await host.Space.Must("ip", "link", "set", tap, "down");
                await host.Space.Must("ip", "link", "set", tap, "up");
            }),
            ("its tap unplugged", () => host.Space.Must("ip", "link", "set", tap, "nomaster")),
            ("destroyed", () => Virsh("destroy", Machine)),
            ("stopped and started", async () =>
            {
                await lab.SetPower(SmallPolicies.Web, false);
                await lab.Stopped(SmallPolicies.Web);
                await lab.SetPower(SmallPolicies.Web, true);
            }),
        ];
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((string name, Func<Task> act) in events)
            {
                var clock = Stopwatch.StartNew();
                await act();
                await lab.Settled();
                await WholeLab.Until(
                    async () => await lab.Flows() ? null : "closed", $"the flow is open after it was {name}");
                await WholeLab.Until(
                    async () => await lab.Flows(SmallPolicies.FlowPort + 1) ? "open" : null,
                    $"no other flow is open after it was {name}");
                output.WriteLine($"{name}: {clock.Elapsed.TotalSeconds:F1} s, process {lab.Processes()[Machine]}");
                Assert.Equal(rules, await host.Rules());
                Assert.Equal(live, await host.LivePorts());
            }
        }

        async Task Virsh(params string[] arguments) =>
            (await host.Space.Virsh(arguments)).Expect(host.Name, "virsh");
    }

    [Fact]
    public async Task A_port_that_is_plugged_into_a_running_machine_carries_nothing_and_goes_with_that_machine()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        string[] live = await host.LivePorts();
        string bridge = await host.BridgeOf(await host.TapOf(SmallPolicies.Web));
        int process = lab.Processes()[Machine];
        long mark = await host.Mark();
        LabProgramResult plugged = await host.Space.Virsh(
            "attach-interface", Machine, "bridge", bridge, "--model", "virtio", "--target", Slipped, "--live");
        if (plugged.ExitCode != 0)
        {
            // A bus without a free slot is as good; whether there is one is libvirt's affair.
            Assert.Contains("No more available PCI slots", plugged.Error, StringComparison.Ordinal);
            Assert.Equal(live, await host.LivePorts());
            return;
        }

        await WholeLab.Until(
            () => Task.FromResult(lab.Processes().GetValueOrDefault(Machine, process) == process
                ? "the same process runs" : null),
            "the machine is started by its plan");
        await lab.Settled();
        await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the flow is open");
        await WholeLab.Until(
            async () => (await host.LivePorts()).SequenceEqual(live) ? null : "other ports are live",
            "the ports of the plan are live");
        Assert.Equal("", await host.BridgeOf(Slipped));
        IReadOnlyList<Happening> since = await host.Log(mark);
        Assert.Contains(since, one => one.Kind == IntegrityKind.Drift);
        Assert.DoesNotContain(since, one => one.Kind == IntegrityKind.PortOpened && one.Subject == Slipped);
    }
}
