using System.Diagnostics;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Rendering;

/// <summary>What is rendered is what nft and libvirt's schema accept.</summary>
public sealed class AcceptedByTheToolsTests
{
    [Theory]
    [InlineData("host-1")]
    [InlineData("host-2")]
    [InlineData("host-3")]
    [InlineData("host-9")]
    public void Nft_accepts_every_table(string host)
    {
        var plan = Refine.ForHost(Datacentre(), All, ExamplePlacements.Host(host), Now);
        var tables = plan.Domains.Select(NftTables.ForDomain)
            .Concat(plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>().Select(NftTables.ForGateway))
            .Concat(plan.Passages.Select(NftTables.ForPassage))
            .Append(NftTables.ForHost(plan));
        Assert.All(tables, table => Assert.Equal("", Run(["unshare", "-n", "nft", "-c", "-f", "-"], table)));
        Assert.NotEqual("", Run(["unshare", "-n", "nft", "-c", "-f", "-"], "table bridge x { chain y { frob } }\n"));
    }

    [Theory]
    [InlineData(Hypervisor.Kvm)]
    [InlineData(Hypervisor.Emulated)]
    public void Libvirts_schema_accepts_every_machine(Hypervisor hypervisor)
    {
        var paths = new MachinePaths("/b", "/p", "/m", "/usr/bin/qemu-system-x86_64", hypervisor);
        var machines = Enumerable.Range(1, 3)
            .Select(number => ExamplePlacements.Host($"host-{number}"))
            .SelectMany(host => Refine.ForHost(Datacentre(), All, host, Now).Domains)
            .SelectMany(domain => domain.Compartments).ToList();
        Assert.Equal(All.Count, machines.Count);
        Assert.All(machines, machine => Assert.Equal("", Validate(MachineXml.Of(machine, paths))));
        Assert.NotEqual("", Validate(MachineXml.Of(machines[0], paths).Replace("<os>", "<so/><os>")));
    }

    private static string Validate(string xml)
    {
        var file = Path.Combine(Path.GetTempPath(), $"bailiwick-{Guid.NewGuid():N}.xml");
        File.WriteAllText(file, xml);
        try
        {
            return Run(["virt-xml-validate", file, "domain"], "");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Run(string[] argv, string input)
    {
        var start = new ProcessStartInfo(argv[0], argv.Skip(1))
        {
            RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException(argv[0]);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : $"{output.Result}{errors}";
    }
}
