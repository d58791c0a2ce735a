using System.Diagnostics;
using System.Globalization;
using Bailiwick.Benchmarks.Networking;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.HostTests.Benchmarks;

/// <summary>What a bench that was killed leaves behind ends with the next one, and nobody else's does.</summary>
public sealed class BenchSpaceTests
{
    private static readonly RealHost Host = new();
    private static readonly NetworkTools Tools = new(Host, new RulesWatch(Host));

    [Fact]
    public void A_killed_benchs_namespaces_go_with_what_runs_in_them_and_a_living_ones_stay()
    {
        int gone = Ended();
        using BenchSpace living = new(), left = BenchSpace.Named($"bwbench-{gone}-1"),
            others = BenchSpace.Named($"bench-{gone}-1"), tunnel = BenchSpace.Named($"bws{left.Segment}0");
        foreach (BenchSpace made in new[] { left, others, tunnel })
        {
            Host.Run(new ProgramCall("ip", "netns", "add", made.Name));
        }

        // The programs' sockets have the names of their devices, and are in one directory.
        BenchSpace[] all = [living, left, others];
        try
        {
            for (int i = 0; i < all.Length; i++)
            {
                all[i].Run("wireguard-go", Device(i));
            }

            int[] stay = [.. Tools.Programs(living.Name), .. Tools.Programs(others.Name)];
            int ends = Assert.Single(Tools.Programs(left.Name));
            BenchSpace.Sweep();
            IReadOnlySet<string> now = Tools.Namespaces();
            Assert.DoesNotContain(left.Name, now);
            Assert.DoesNotContain(tunnel.Name, now);
            Assert.Null(ProcessMark.Read(ends));
            Assert.Contains(living.Name, now);
            Assert.Contains(others.Name, now);
            Assert.Equal(stay, Tools.Programs(living.Name).Concat(Tools.Programs(others.Name)));
        }
        finally
        {
            foreach (int i in Enumerable.Range(0, all.Length))
            {
                File.Delete($"/run/wireguard/{Device(i)}.sock");
            }
        }

        string Device(int of) => string.Create(CultureInfo.InvariantCulture, $"b{of}-{gone}");
    }

    [Fact]
    public void A_namespace_ends_with_what_went_on_in_it_by_itself()
    {
        int process;
        string device = string.Create(CultureInfo.InvariantCulture, $"bd-{Environment.ProcessId}");
        using (BenchSpace space = new())
        {
            space.Run("wireguard-go", device);
            process = Assert.Single(Tools.Programs(space.Name));
            Assert.NotNull(ProcessMark.Read(process));
        }

        Assert.Null(ProcessMark.Read(process));
        File.Delete($"/run/wireguard/{device}.sock");
    }

    private static int Ended()
    {
        using Process process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }
}
