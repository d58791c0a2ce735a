using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Proxy.Host;

namespace Bailiwick.HostTests.Proxy;

/// <summary>A host that remembers what was run on it.</summary>
internal sealed class CountedCommands(IHost host) : IHost
{
    private readonly ConcurrentQueue<string> _run = new();

    /// <summary>What was run since this was asked for the last time.</summary>
    public string[] Taken()
    {
        string[] taken = [.. _run];
        _run.Clear();
        return taken;
    }

    public ProgramResult Run(ProgramCall call)
    {
        _run.Enqueue(string.Join(' ', call.Argv.Prepend(call.NetworkNamespace ?? "-")));
        return host.Run(call);
    }

    public uint RulesGeneration() => host.RulesGeneration();

    public ImmutableArray<AttachedPrograms> Programs(
        IReadOnlyCollection<int> devices, string? inNamespace = null) => host.Programs(devices, inNamespace);
}
