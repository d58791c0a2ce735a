using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;

namespace Bailiwick.HostTests.Rendering;

/// <summary>A host that is a pair of namespaces: what the product runs on it runs inside.</summary>
internal sealed class InsideHost(PlanOnNamespaces spaces) : IHost
{
    private readonly RealHost _real = new();

    public ProgramResult Run(ProgramCall call) => _real.Run(call with
    {
        Argv =
        [
            "nsenter", "-t", spaces.Pid.ToString(CultureInfo.InvariantCulture), "-m", "-n", "--",
            .. call.NetworkNamespace is { } space ? new[] { "ip", "netns", "exec", space } : [], .. call.Argv,
        ],
        NetworkNamespace = null,
    });

    public uint RulesGeneration() => spaces.Space.Inside(_real.RulesGeneration);

    public ImmutableArray<AttachedPrograms> Programs(IReadOnlyCollection<int> devices, string? inNamespace = null) =>
        (inNamespace is null ? spaces.Space : new NetSpace($"/proc/{spaces.Pid}/root/run/netns/{inNamespace}"))
            .Inside(() => _real.Programs(devices));
}
