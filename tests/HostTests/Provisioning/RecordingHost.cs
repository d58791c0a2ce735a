using System.Collections.Immutable;
using Bailiwick.Proxy.Host;

namespace Bailiwick.HostTests.Provisioning;

/// <summary>The real host, and what was run on it.</summary>
internal sealed class RecordingHost : IHost
{
    private readonly RealHost _real = new();
    private readonly Lock _lock = new();

    public List<string[]> Calls { get; } = [];

    public ProgramResult Run(ProgramCall call)
    {
        lock (_lock)
        {
            Calls.Add([.. call.Argv]);
        }

        return _real.Run(call);
    }

    public uint RulesGeneration() => _real.RulesGeneration();

    public ImmutableArray<AttachedPrograms> Programs(IReadOnlyCollection<int> devices, string? inNamespace = null) =>
        _real.Programs(devices, inNamespace);
}
