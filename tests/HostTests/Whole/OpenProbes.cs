using System.Net;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>The probes of all machines of a lab, open at once, and who of them may hear whom.</summary>
internal sealed class OpenProbes : IAsyncDisposable
{
    /// <summary>Where every machine listens, besides the port of the one flow.</summary>
    private const int Port = 5000;

    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(700);
    private readonly Dictionary<string, ProbeChannel> _all = new(StringComparer.Ordinal);
    private int _asked;

    private OpenProbes()
    {
    }

    internal ProbeChannel this[string machine] => _all[machine];

    /// <summary>The link addresses of all machines.</summary>
    internal IEnumerable<string> Macs => _all.Values.SelectMany(one => one.Hello.Nics).Select(nic => nic.Mac);

    internal static async Task<OpenProbes> Open(WholeLab lab)
    {
        OpenProbes probes = new();
        foreach (string machine in lab.Machines)
        {
            ProbeChannel channel = probes._all[machine] = await lab.Meet(machine);
            await channel.ListenTcp(Port);
            await channel.ListenTcp(SmallPolicies.FlowPort);
        }

        return probes;
    }

    /// <summary>What is missing for one machine to have another's answer; null when it comes.</summary>
    internal async Task<string?> Reaches(string from, string to, string address)
    {
        int port = DomainOf(from) == DomainOf(to) ? Port : SmallPolicies.FlowPort;
        ProbeAnswer answer = await _all[from].Ask(
            new ProbeQuestion(ProbeKind.Tcp, IPAddress.Parse(address), port, $"asked-{++_asked}"), Limit);
        return answer.Identity == to ? null : $"{from} has no answer of {to}: {answer.Why} {answer.Identity}";
    }

    /// <summary>What is missing for a machine to know a name; null when it does.</summary>
    internal async Task<string?> Knows(string machine, string name, string address)
    {
        ProbeName answer = await _all[machine].Resolve(name, Limit);
        return answer.Address == address ? null : $"{machine} knows of {name}: {answer}";
    }

    /// <summary>Has every machine say something in every way that reaches many.</summary>
    internal async Task Shout(string token)
    {
        foreach ((string machine, ProbeChannel channel) in _all)
        {
            await channel.Shout(Token(token, machine));
        }
    }

    internal async Task Forget()
    {
        foreach (ProbeChannel channel in _all.Values)
        {
            await channel.Forget();
        }
    }

    /// <summary>Who has not heard another machine of its own domain yet; null when all have.</summary>
    internal async Task<string?> Unheard(string token)
    {
        foreach ((string listener, ProbeChannel channel) in _all)
        {
            ProbeSeen seen = await channel.Seen();
            foreach (string speaker in _all.Keys.Where(one =>
                one != listener && DomainOf(one) == DomainOf(listener) && seen.CountOf(Token(token, one)) == 0))
            {
                return $"{listener} has not heard {speaker}";
            }
        }

        return null;
    }

    /// <summary>No machine has heard what another domain's said, and one without a flow nothing at all.</summary>
    internal async Task AssertApart(string token)
    {
        foreach ((string listener, ProbeChannel channel) in _all)
        {
            ProbeSeen seen = await channel.Seen();
            Assert.Equal(0, seen.Lost);
            Assert.All(
                _all.Keys.Where(one => DomainOf(one) != DomainOf(listener)),
                speaker => Assert.Equal(0, seen.CountOf(Token(token, speaker))));
        }

        Assert.Empty((await _all[SmallPolicies.Records].Seen()).Tokens);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ProbeChannel channel in _all.Values)
        {
            await channel.DisposeAsync();
        }
    }

    private static string Token(string token, string machine) => $"{token}.{machine.Replace('/', '.')}";

    private static string DomainOf(string machine) => machine[..machine.LastIndexOf('-')];
}
