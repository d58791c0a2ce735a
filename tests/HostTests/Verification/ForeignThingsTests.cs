using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Benchmarks.Networking;
using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.HostTests.Services;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Seeing;
using Bailiwick.Proxy.Verification;

namespace Bailiwick.HostTests.Verification;

/// <summary>What sees packets and is in no list of nft's or tc's is told, for as long as it is there.</summary>
[Collection(ServicedHostsGroup.Name)]
public sealed class ForeignThingsTests(ServicedHosts hosts)
{
    private PlanOnNamespaces Host => hosts.Hosts.Host(1);

    private string Port => hosts.Hosts.Domain(1, "bank/web").Network.Ports
        .Single(port => port.Member.Ref.Name.Text == "web-1").Device;

    [Fact]
    public void A_program_at_a_port_is_told_whichever_way_it_is_attached()
    {
        Assert.DoesNotContain(Found(), line => line.Contains(Port, StringComparison.Ordinal));
        int number = hosts.Tools(1).Links()[Port].Index;
        foreach ((Func<LoadedProgram> attach, string way) in ((Func<LoadedProgram>, string)[])
        [
            (() => LoadedProgram.AtDevice(number, isLeaving: false), "comes in"),
            (() => LoadedProgram.AtDevice(number, isLeaving: true), "leaves"),
            (() => LoadedProgram.BeforeAll(number), "comes in"),
        ])
        {
            using (Host.Space.Inside(attach))
            {
                Assert.Equal(
                    $"A BPF program sees, and can change, what {way} by {Port}.",
                    Assert.Single(Found(), line => line.Contains(Port, StringComparison.Ordinal)));
            }

            Assert.DoesNotContain(Found(), line => line.Contains(Port, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_program_in_a_namespace_of_ours_is_told_with_the_namespace()
    {
        DomainPlan domain = hosts.Hosts.Domain(1, "bank/web");
        foreach (string space in new[] { domain.Gateway?.Namespace, domain.ServicePoint?.Namespace }.OfType<string>())
        {
            ObservedLink device = hosts.Tools(1).Links(space).Values.First(link => link.Name != "lo");
            NetSpace there = new($"/proc/{Host.Pid}/root/run/netns/{space}");
            foreach ((Func<LoadedProgram> attach, string way) in ((Func<LoadedProgram>, string)[])
            [
                (() => LoadedProgram.AtDevice(device.Index, isLeaving: false), "comes in"),
                (() => LoadedProgram.AtDevice(device.Index, isLeaving: true), "leaves"),
                (() => LoadedProgram.BeforeAll(device.Index), "comes in"),
            ])
            {
                string said =
                    $"A BPF program sees, and can change, what {way} by {device.Name} in the namespace {space}.";
                Assert.DoesNotContain(said, Found());
                using (there.Inside(attach))
                {
                    Assert.Contains(said, Found());
                }

                Assert.DoesNotContain(said, Found());
            }
        }
    }

    [Fact]
    public void A_program_is_looked_for_in_the_namespace_that_is_named_and_nowhere_else()
    {
        const int Loopback = 1;
        RealHost host = new();
        using BenchSpace one = new();
        using BenchSpace other = new();
        using (one.Inside(() => LoadedProgram.AtDevice(Loopback, isLeaving: true)))
        {
            Assert.Equal(
                [new AttachedPrograms(ProgramPlace.Egress, Loopback, 1)], host.Programs([Loopback], one.Name));
            Assert.Empty(host.Programs([Loopback], other.Name));
            // Whoever asked is where he was.
            Assert.DoesNotContain(host.Programs([Loopback]), found => found.Device == Loopback);
        }

        Assert.Empty(host.Programs([Loopback], one.Name));
        Assert.Throws<WorldException>(() => host.Programs([Loopback], "bw-nowhere"));
    }

    [Fact]
    public void A_socket_that_listens_to_a_port_or_to_all_or_in_a_namespace_of_ours_is_told()
    {
        string space = hosts.Hosts.Domain(1, "bank/web").Gateway?.Namespace ?? "";
        string[] before = [.. Found()];
        foreach ((string device, string said) in ((string, string)[])
        [
            (Port, $"A socket listens to the frames of {Port}."),
            ("any", "A socket listens to the frames of all devices."),
        ])
        {
            using (Listen(null, device))
            {
                Assert.Contains(said, Found());
            }
        }

        using (Listen(space, GatewayPlan.Inside))
        {
            Assert.Contains($"A socket listens to the frames of {GatewayPlan.Inside}.", Found());
        }

        using (Host.Space.Inside(() => TapFrames.Open(Port)))
        {
            // A capture of the Proxy's own, which is in its integrity log.
            Assert.Equal(before, Found());
        }

        Assert.Equal(before, Found());
    }

    /// <summary>Somebody's tcpdump, which listens already.</summary>
    private Ending Listen(string? space, string device)
    {
        ProcessStartInfo start = new("nsenter", [
            "-t", Host.Pid.ToString(CultureInfo.InvariantCulture), "-m", "-n", "--",
            .. space is null ? (string[])[] : ["ip", "netns", "exec", space],
            "tcpdump", "-i", device, "-n", "-Z", "root", "-w", "/dev/null",
        ]) { RedirectStandardError = true };
        Ending ending = new(Process.Start(start) ?? throw new InvalidOperationException("nsenter does not start"));
        while (ending.Program.StandardError.ReadLine() is { } line)
        {
            if (line.Contains("listening on", StringComparison.Ordinal))
            {
                return ending;
            }
        }

        ending.Dispose();
        throw new InvalidOperationException("tcpdump does not listen");
    }

    private sealed record Ending(Process Program) : IDisposable
    {
        public void Dispose()
        {
            Program.Kill(entireProcessTree: true);
            Program.WaitForExit();
            Program.Dispose();
        }
    }

    private ImmutableArray<string> Found() =>
        new ForeignThings(hosts.Tools(1), "/nowhere").Find(hosts.Hosts.PlanOf(1));
}
