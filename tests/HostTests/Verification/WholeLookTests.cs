using System.Diagnostics;
using System.Text.Json.Nodes;
using Bailiwick.HostTests.Proxy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.Verification;

/// <summary>Who verifies a host of several domains reads each thing once.</summary>
public sealed class WholeLookTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const int Port = 5432;
    private readonly RuledHost _host = new();

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_verification_of_a_host_lists_nothing_twice_and_finds_what_it_finds_otherwise()
    {
        SignedDatacentre datacentre = _host.Datacentre;
        datacentre.With(datacentre.Acme, "web", "10.20.1.0/24", 2).With(datacentre.Acme, "store", "10.20.2.0/24", 2)
            .With(datacentre.Rival, "vault", "10.20.3.0/24", 1).With(datacentre.Rival, "desk", "10.20.4.0/24", 1);
        datacentre.Envelopes.AddRange([
            Flow(datacentre.Acme, "web", "10.20.1.0/24", "grants", "to", "store"),
            Flow(datacentre.Acme, "store", "10.20.2.0/24", "accepts", "from", "web"),
            Flow(datacentre.Rival, "vault", "10.20.3.0/24", "grants", "to", "desk"),
            Flow(datacentre.Rival, "desk", "10.20.4.0/24", "accepts", "from", "vault"),
        ]);
        _host.Start([
            SignedDatacentre.Machine(datacentre.Acme, "web-1"), SignedDatacentre.Machine(datacentre.Acme, "web-2"),
            SignedDatacentre.Machine(datacentre.Acme, "store-1"),
            SignedDatacentre.Machine(datacentre.Rival, "vault-1"), SignedDatacentre.Machine(datacentre.Rival, "desk-1"),
        ]);
        foreach ((SignedParty tenant, string domain) in ((SignedParty, string)[])
        [
            (datacentre.Acme, "web"), (datacentre.Acme, "store"), (datacentre.Rival, "vault"),
            (datacentre.Rival, "desk"),
        ])
        {
            await _host.Passes(tenant, domain, Port);
        }

        await _host.Rest();

        (string[] each, string[] anew, double slow) = Looked(isOnce: false);
        (string[] once, string[] seen, double fast) = Looked(isOnce: true);

        output.WriteLine($"{anew.Length} programs in {slow:f0} ms, {seen.Length} in {fast:f0} ms");
        Assert.Equal(each, once);
        Assert.Equal(seen.Distinct(), seen);
        Assert.Equal(anew.Distinct().Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.True(anew.Length > seen.Length);
    }

    private (string[] Found, string[] Run, double Milliseconds) Looked(bool isOnce)
    {
        _ = _host.Commands.Taken();
        long begun = Stopwatch.GetTimestamp();
        string[] found = _host.Look(isOnce);
        return (found, _host.Commands.Taken(), Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }

    private byte[] Flow(SignedParty tenant, string domain, string subnet, string flows, string side, string peer)
    {
        JsonObject body = _host.Datacentre.DomainBody(subnet);
        body["flows"] = new JsonObject
        {
            [flows] = new JsonArray(new JsonObject
            {
                [side] = $"{tenant.Id}/{peer}",
                ["network"] = new JsonObject { ["protocol"] = "tcp", ["ports"] = new JsonArray(Port) },
            }),
        };
        return tenant.Sign(StatementKind.Domain, domain, body);
    }
}
