using System.Net;
using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A tenant signs a revision of its policy without flows over which two of its machines are speaking: the sessions end
/// on the real hosts, those of the flows that stay do not, and the hosts write down which revision ended them (N07).
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class WithdrawnSessionTests(WholeLab lab)
{
    private const string Bank = "bank";
    private const string Server4 = "10.20.2.11";
    private const string Server6 = "fd20:2::11";
    private const int Withdrawn = 6001;
    private const int Kept = 6002;
    private const int Beats = 4;
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    private static readonly string[] Ending =
        ["{protocol: tcp, ports: [6001]}", "{protocol: udp, ports: [6001]}", "{protocol: icmp}"];

    private static readonly string[] Staying = ["{protocol: tcp, ports: [6002]}", "{protocol: udp, ports: [6002]}"];

    [Fact]
    public async Task A_revision_without_a_flow_ends_its_sessions_and_the_hosts_log_names_it()
    {
        await lab.Ready();
        string web = await Read("web");
        string ledger = await Read("ledger");
        try
        {
            await Write("web", With(web, "grants:\n", "to: bank/ledger", [.. Ending, .. Staying]));
            await Write("ledger", With(ledger, "accepts:\n", "from: bank/web", [.. Ending, .. Staying]));
            await Publish();
            await using (ProbeChannel server = await lab.Meet(SmallPolicies.Ledger))
            {
                foreach (int port in new[] { Withdrawn, Kept })
                {
                    await server.ListenTcp(port);
                    await server.ListenUdp(port);
                }
            }

            await using ProbeChannel client = await lab.Meet(SmallPolicies.Web);
            var (ending, staying) = await Open(client);
            await WholeLab.Until(
                async () => (await client.Beat("before", Beat)).All(alive => alive) ? null : "one is silent",
                "all sessions are answered");

            Dictionary<string, long> marks = [];
            foreach (WholeHost host in lab.Hosts)
            {
                marks[host.Name] = await host.Mark();
            }

            await Write("ledger", With(ledger, "accepts:\n", "from: bank/web", Staying));
            long revision = await Publish();
            await AssertEnded(client, ending, staying);
            await AssertNamed(marks, $"Closed by Domain bank/ledger r{revision}, after r{revision - 1}");
        }
        finally
        {
            await Write("web", web);
            await Write("ledger", ledger);
            await Publish();
        }

        await WholeLab.Until(async () => await lab.Flows() ? null : "closed", "the first flow is as it was");
    }

    /// <summary>The sessions by number: those that must end, and those that must go on.</summary>
    private static async Task<(int[] Ending, int[] Staying)> Open(ProbeChannel client)
    {
        List<int> ending = [];
        List<int> staying = [];
        foreach (IPAddress address in new[] { Server4, Server6 }.Select(IPAddress.Parse))
        {
            foreach ((ProbeKind kind, int port, List<int> sessions) in new[]
            {
                (ProbeKind.Tcp, Withdrawn, ending), (ProbeKind.Udp, Withdrawn, ending), (ProbeKind.Ping, 0, ending),
                (ProbeKind.Tcp, Kept, staying), (ProbeKind.Udp, Kept, staying),
            })
            {
                // The hosts take the new revision one after the other; a refused session is asked for again.
                await WholeLab.Until(
                    async () =>
                    {
                        sessions.Add(await client.Hold(kind, address, port, Beat));
                        return null;
                    },
                    $"{kind} to {address} opens");
            }
        }

        return ([.. ending], [.. staying]);
    }

    private static async Task AssertEnded(ProbeChannel client, int[] ending, int[] staying)
    {
        await WholeLab.Until(
            async () =>
            {
                IReadOnlyList<bool> alive = await client.Beat("ended", Beat);
                return ending.Any(one => alive[one]) ? "one is still answered" : null;
            },
            "the sessions of the withdrawn flows end");
        bool[] heard = new bool[ending.Length + staying.Length];
        for (int beat = 0; beat < Beats; beat++)
        {
            IReadOnlyList<bool> alive = await client.Beat($"after-{beat}", Beat);
            Assert.All(ending, one => Assert.False(alive[one], $"session {one} came back"));
            for (int one = 0; one < heard.Length; one++)
            {
                heard[one] |= alive[one];
            }
        }

        Assert.All(staying, one => Assert.True(heard[one], $"session {one} of a flow that stays was ended too"));
    }

    private async Task AssertNamed(Dictionary<string, long> marks, string cause)
    {
        foreach (WholeHost host in lab.Hosts)
        {
            string domain = lab.Reference(host.Name == "host-1" ? "bank/web" : "bank/ledger");
            Happening entry = Assert.Single(
                await host.Log(marks[host.Name], IntegrityKind.FlowClosed), one => one.Subject == domain);
            Assert.StartsWith(cause, entry.Detail, StringComparison.Ordinal);
            foreach (string flow in new[]
            {
                $"tcp/{Withdrawn} from 10.20.1.11 to {Server4}", $"udp/{Withdrawn} from fd20:1::11 to {Server6}",
                $"icmp from 10.20.1.11 to {Server4}",
            })
            {
                Assert.Contains(flow, entry.Detail, StringComparison.Ordinal);
            }

            Assert.DoesNotContain($"/{Kept}", entry.Detail, StringComparison.Ordinal);
            string log = new LabRegister(lab.Paths.Root).Current.Programs
                .Last(one => one.Space == host.Name && one.Program == "Bailiwick.Proxy").Log;
            Assert.Contains(File.ReadLines(log), line => line.Contains(cause, StringComparison.Ordinal));
        }
    }

    private static string With(string text, string after, string peer, string[] networks)
    {
        int end = text.IndexOf('\n', text.IndexOf("  " + after, StringComparison.Ordinal) + after.Length + 2) + 1;
        return text.Insert(end, string.Concat(networks.Select(one => $"    - {{{peer}, network: {one}}}\n")));
    }

    private string PathOf(string domain) => Path.Combine(lab.Paths.Policies, Bank, domain + ".yaml");

    private Task<string> Read(string domain) =>
        File.ReadAllTextAsync(PathOf(domain), TestContext.Current.CancellationToken);

    private Task Write(string domain, string text) => File.WriteAllTextAsync(PathOf(domain), text);

    /// <summary>Signs and publishes what changed; the newest revision of the ledger's domain among it, or 0.</summary>
    private async Task<long> Publish()
    {
        IReadOnlyList<byte[]> changed = lab.Deployment.Desks.Sign(Bank, lab.Deployment.LogKey());
        if (changed.Count > 0)
        {
            await lab.Deployment.Publish(Bank, changed, default);
        }

        return changed.Select(Statement).Where(one => one.GetProperty("kind").GetString() == "Domain"
                && one.GetProperty("name").GetString() == "ledger")
            .Select(one => one.GetProperty("revision").GetInt64()).DefaultIfEmpty().Max();
    }

    private static JsonElement Statement(byte[] envelope)
    {
        using JsonDocument outer = JsonDocument.Parse(envelope);
        return JsonElement.Parse(outer.RootElement.GetProperty("payload").GetBytesFromBase64());
    }
}
