using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// The sizes that the accepted revisions of volumes stated, so that a file that is shorter than the newest says is
/// known to be of an earlier revision, and not cut off. Safe for use from several threads.
/// </summary>
public sealed class VolumeSizes
{
    /// <summary>So many of a volume's sizes are remembered, the newest.</summary>
    public const int Most = 64;

    private readonly ConcurrentDictionary<VolumeRef, ImmutableArray<int>> _sizes = [];

    /// <summary>Takes a statement that was accepted, in the order of its revisions.</summary>
    public void Take(VerifiedStatement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        if (statement.Kind == StatementKind.Volume && statement.Body.ValueKind == JsonValueKind.Object
            && statement.Body.TryGetProperty("sizeMiB", out JsonElement size)
            && size.ValueKind == JsonValueKind.Number && size.TryGetInt32(out int mib) && mib > 0)
        {
            _sizes.AddOrUpdate(
                new VolumeRef(statement.Owner, statement.Name), _ => [mib],
                (_, before) => [.. before.Where(one => one != mib).TakeLast(Most - 1), mib]);
        }
    }

    /// <summary>What the revisions of a volume stated, the newest last, in MiB; empty of an unknown one.</summary>
    public ImmutableArray<int> Of(VolumeRef volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return _sizes.GetValueOrDefault(volume, []);
    }
}
