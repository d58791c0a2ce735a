using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Bailiwick.Proxy.Host;

/// <summary>
/// A host at which somebody can look as a whole: within one observation each listing is made once, so that all who
/// judge it judge the same, and nothing is listed again for each of them.
/// </summary>
/// <remarks>
/// An observation is of whoever makes it; others' listings are their own. Whatever is no listing is run, and ends what
/// was seen until then: it may have changed it.
/// </remarks>
/// <param name="host">Where everything is run.</param>
public sealed class ObservedHost(IHost host) : IHost
{
    private readonly AsyncLocal<ConcurrentDictionary<string, ProgramResult>?> _seen = new();

    /// <summary>Looks at the host, at each thing once.</summary>
    /// <param name="look">Asks this host.</param>
    public T Once<T>(Func<T> look)
    {
        ArgumentNullException.ThrowIfNull(look);
        ConcurrentDictionary<string, ProgramResult>? outer = _seen.Value;
        _seen.Value = outer ?? new(StringComparer.Ordinal);
        try
        {
            return look();
        }
        finally
        {
            _seen.Value = outer;
        }
    }

    /// <inheritdoc/>
    public ProgramResult Run(ProgramCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (_seen.Value is not { } seen)
        {
            return host.Run(call);
        }

        if (!IsListing(call))
        {
            seen.Clear();
            return host.Run(call);
        }

        string asked = string.Join('\0', [call.NetworkNamespace ?? "", string.Join(' ', call.Answers), .. call.Argv]);
        return seen.GetOrAdd(asked, _ => host.Run(call));
    }

    /// <inheritdoc/>
    public uint RulesGeneration() => host.RulesGeneration();

    /// <inheritdoc/>
    public ImmutableArray<AttachedPrograms> Programs(
        IReadOnlyCollection<int> devices, string? inNamespace = null) => host.Programs(devices, inNamespace);

    /// <summary>What tells something of the kernel, and changes nothing.</summary>
    private static bool IsListing(ProgramCall call)
    {
        string[] argv = [.. call.Argv];
        return call.Input.IsEmpty && argv switch
        {
            ["nft", "-j", "list", ..] or ["bridge", "-j", "fdb", "show", ..] or ["cat", _] => true,
            ["ip" or "tc", .. var words] => words.Contains("show") || words is ["-j", "netns", "list"],
            _ => false,
        };
    }
}
