using System.Text;
using System.Text.Json;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Domains.Refinement;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Rendering;

/// <summary>
/// The whole configuration of each host of the example, as stored under <c>tests/Tests/Golden</c>. After a change that
/// is meant to change it, run once with <c>BAILIWICK_WRITE_GOLDEN=1</c> and read the difference.
/// </summary>
public sealed class GoldenPlanTests
{
    private static readonly MachinePaths Paths = new(
        "/var/lib/bailiwick/boot", "/var/lib/bailiwick/pool", "/var/lib/bailiwick/machines",
        "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated);

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Theory]
    [InlineData("three-tenants", "host-1")]
    [InlineData("three-tenants", "host-2")]
    [InlineData("three-tenants", "host-3")]
    [InlineData("vlans", "host-1")]
    public void The_configuration_of_a_host_is_the_stored_one(string example, string host)
    {
        var policies = example == "vlans" ? VlanTests.Carried() : Example.ThreeTenants;
        Stored(
            Path.Combine(Directory(example), host), Files(Refine.ForHost(Datacentre(policies), All, Host(host), Now)));
    }

    [Fact]
    public void The_gateways_of_two_domains_that_know_each_other_by_other_addresses_are_the_stored_ones()
    {
        var plan = Refine.ForHost(
            Datacentre(TranslatedExample.Of(Example.ThreeTenants)), All, Host("host-1"), Now);
        Stored(Directory("translated"), new SortedDictionary<string, string>(
            Files(plan).Where(file => file.Key.StartsWith("gateway.", StringComparison.Ordinal)).ToDictionary(),
            StringComparer.Ordinal));
    }

    private static void Stored(string directory, SortedDictionary<string, string> files)
    {
        if (Environment.GetEnvironmentVariable("BAILIWICK_WRITE_GOLDEN") == "1")
        {
            Write(directory, files);
        }

        var stored = System.IO.Directory.EnumerateFiles(directory)
            .ToDictionary(path => Path.GetFileName(path), File.ReadAllText, StringComparer.Ordinal);
        Assert.Equal(stored.Keys.Order(StringComparer.Ordinal), files.Keys);
        Assert.All(files, file => Assert.Equal(stored[file.Key], file.Value));
    }

    private static SortedDictionary<string, string> Files(HostPlan plan)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["plan.json"] = JsonSerializer.Serialize(
                JsonElement.Parse(Encoding.UTF8.GetString(PlanJson.Write(plan))), Readable) + "\n",
            ["host.nft"] = NftTables.ForHost(plan),
        };
        foreach (var domain in plan.Domains)
        {
            var name = domain.DisplayName.Replace('/', '.');
            files[$"domain.{name}.nft"] = NftTables.ForDomain(domain);
            if (domain.Gateway is { } gateway)
            {
                files[$"gateway.{name}.nft"] = NftTables.ForGateway(gateway);
            }

            foreach (var machine in domain.Compartments)
            {
                files[$"machine.{machine.DisplayName.Replace('/', '.')}.xml"] = MachineXml.Of(machine, Paths);
            }
        }

        foreach (var passage in plan.Passages)
        {
            files[$"passage.{passage.Name}.nft"] = NftTables.ForPassage(passage);
        }

        return files;
    }

    private static void Write(string directory, SortedDictionary<string, string> files)
    {
        if (System.IO.Directory.Exists(directory))
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }

        System.IO.Directory.CreateDirectory(directory);
        foreach (var (name, text) in files)
        {
            File.WriteAllText(Path.Combine(directory, name), text);
        }
    }

    private static string Directory(string name)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Bailiwick.slnx")))
        {
            root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("The checkout.");
        }

        return Path.Combine(root, "tests", "Tests", "Golden", name);
    }
}
