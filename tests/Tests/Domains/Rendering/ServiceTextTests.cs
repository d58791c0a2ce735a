using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Refinement;
using Bailiwick.Tests.Tidy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Rendering;

public sealed class ServiceTextTests
{
    private const int Mtu = 1370;

    public static TheoryData<string> Hostile =>
    [
        "", " ", "web-1\n", "web-1\ndhcp-option=3,6.6.6.6", "web-1\rport=1", "a,b", "a b", "a#b", "a\"b", "a/b", "../a",
        "a\0b", "-a", ".a", "a=b", "$(id)", "`id`", "ä", "a;b", "<a>", "[a]", "Web", new string('a', 65536),
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void No_value_can_become_a_statement(string value)
    {
        var point = ServicePointTests.Point("host-1", ServicePointTests.With("{addresses: host, names: host}"));
        var (machine, name, subnet) = (point.Machines[0], point.Names[0], point.Subnets[0]);
        ServicePointPlan[] hostile =
        [
            point with { Zone = value },
            point with { Machines = [machine with { Name = value }] },
            point with { Machines = [machine with { Mac = value }] },
            point with { Machines = [machine with { Ipv4 = value }] },
            point with { Machines = [machine with { Ipv6 = value }] },
            point with { Names = [name with { Names = [value] }] },
            point with { Names = [name with { Addresses = [value] }] },
            point with { Subnets = [subnet with { Prefix = value }] },
            point with { Subnets = [subnet with { Address = value }] },
            point with { Subnets = [subnet with { Router = value }] },
        ];
        Assert.All(hostile, one => Assert.Throws<ArgumentException>(() => ServiceText.Of(one, Mtu)));
        Assert.NotEmpty(ServiceText.Of(point, Mtu));
    }

    [Fact]
    public void There_is_one_reservation_for_each_machine_of_the_host_and_no_pool()
    {
        var point = ServicePointTests.Point("host-1", ServicePointTests.With("{addresses: host}"));
        string[] lines = ServiceText.Of(point, Mtu).Split('\n');
        Assert.Equal(
            point.Machines.Length, lines.Count(line => line.StartsWith("dhcp-host=", StringComparison.Ordinal)));
        Assert.All(lines.Where(line => line.StartsWith("dhcp-range=", StringComparison.Ordinal)),
            line => Assert.Contains(",static,", line, StringComparison.Ordinal));
        Assert.Contains("dhcp-ignore=tag:!known", lines);
        Assert.Contains("port=0", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("server=", StringComparison.Ordinal));
    }

    /// <summary>As stored under <c>tests/Tests/Golden/services</c>; see <see cref="GoldenPlanTests"/>.</summary>
    [Fact]
    public void The_configuration_of_a_service_point_is_the_stored_one()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (file, services) in new[]
        {
            ("both", "{addresses: host, names: host}"), ("names", "{names: host}"),
            ("machine", "{addresses: {machine: web-2}}"),
        })
        {
            var domain = Refine.ForHost(
                Datacentre(ServicePointTests.With(services)), All, Host("host-1"), Now).Domains
                .Single(one => one.DisplayName == "bank/web");
            files[$"{file}.domain.nft"] = NftTables.ForDomain(domain);
            if (domain.ServicePoint is { } point)
            {
                files[$"{file}.service.nft"] = NftTables.ForServicePoint(point);
                files[$"{file}.dnsmasq.conf"] = ServiceText.Of(point, domain.Network.Mtu);
            }
        }

        var directory = Path.Combine(Checkout.Root, "tests", "Tests", "Golden", "services");
        if (Environment.GetEnvironmentVariable("BAILIWICK_WRITE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(directory);
            files.ToList().ForEach(file => File.WriteAllText(Path.Combine(directory, file.Key), file.Value));
        }

        var stored = Directory.EnumerateFiles(directory)
            .ToDictionary(path => Path.GetFileName(path), File.ReadAllText, StringComparer.Ordinal);
        Assert.Equal(stored.Keys.Order(StringComparer.Ordinal), files.Keys);
        Assert.All(files, file => Assert.Equal(stored[file.Key], file.Value));
    }
}
