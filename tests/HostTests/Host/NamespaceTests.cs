using Bailiwick.Proxy.Host;

namespace Bailiwick.HostTests.Host;

public class NamespaceTests
{
    [Fact]
    public void A_call_runs_inside_the_network_namespace_it_names()
    {
        Assert.SkipUnless(Environment.UserName == "root", "namespaces need root");
        RealHost host = new();
        string name = $"bwtest-{Guid.NewGuid():N}"[..20];
        Assert.Throws<WorldException>(
            () => host.Run(new ProgramCall("ip", "-br", "link") { NetworkNamespace = name }));
        host.Run(new ProgramCall("ip", "netns", "add", name));
        try
        {
            string inside = host.Run(new ProgramCall("readlink", "/proc/self/ns/net") { NetworkNamespace = name }).Text;
            string outside = host.Run(new ProgramCall("readlink", "/proc/self/ns/net")).Text;
            Assert.NotEqual(outside, inside);
            string links = host.Run(new ProgramCall("ip", "-br", "link") { NetworkNamespace = name }).Text;
            Assert.StartsWith("lo ", links, StringComparison.Ordinal);
            Assert.Single(links.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            host.Run(new ProgramCall("ip", "netns", "del", name));
        }
    }
}
