using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Bailiwick.Attestation.Predicates;

/// <summary>Where an update stands. Closed.</summary>
public enum UpdatePhase
{
    /// <summary>Only what is current is accepted.</summary>
    Old = 1,

    /// <summary>The window: what is current and what comes next are accepted, so that no host falls out on its way.
    /// </summary>
    Both,

    /// <summary>Only what came next is accepted; what was current no longer is.</summary>
    New,
}

/// <summary>
/// Digests that are accepted, with an update window: a new version is named before it is rolled out and the old one is
/// withdrawn after, so that an update never costs a host its trust. Digests are 20, 32, 48 or 64 bytes in lower-case
/// hexadecimal digits; those of any bank may stand side by side.
/// </summary>
public sealed class ReferenceSet
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");
    private readonly FrozenSet<string> _accepted;

    private ReferenceSet(ImmutableArray<string> current, ImmutableArray<string>? next, UpdatePhase phase)
    {
        Current = current;
        Next = next;
        Phase = phase;
        _accepted = Accepted().ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>What was accepted before the update.</summary>
    public ImmutableArray<string> Current { get; }

    /// <summary>What the update brings; null where none is under way.</summary>
    public ImmutableArray<string>? Next { get; }

    /// <summary>Which of them count.</summary>
    public UpdatePhase Phase { get; }

    /// <summary>Makes a set.</summary>
    /// <exception cref="ArgumentException">A text is no digest, or the phase needs a next set and there is none.
    /// </exception>
    public static ReferenceSet Of(
        IEnumerable<string> current, IEnumerable<string>? next = null, UpdatePhase phase = UpdatePhase.Old)
    {
        ImmutableArray<string> old = [.. current];
        ImmutableArray<string>? coming = next is null ? null : [.. next];
        return old.Concat(coming ?? []).All(IsDigest) && (phase == UpdatePhase.Old || coming is not null)
            ? new ReferenceSet(old, coming, phase)
            : throw new ArgumentException(
                "A text is no digest, or there is no next set for this phase.", nameof(current));
    }

    /// <summary>20, 32, 48 or 64 bytes in lower-case hexadecimal digits.</summary>
    public static bool IsDigest(string text) => text is { Length: 40 or 64 or 96 or 128 }
        && text.AsSpan().IndexOfAnyExcept(Digits) < 0;

    /// <summary>Whether a digest is accepted now.</summary>
    public bool Accepts(ReadOnlySpan<byte> digest)
    {
        Span<char> hex = stackalloc char[2 * BootLog.BootLogLimits.DigestBytes];
        return digest.Length <= BootLog.BootLogLimits.DigestBytes
            && Convert.TryToHexStringLower(digest, hex, out int length)
            && _accepted.GetAlternateLookup<ReadOnlySpan<char>>().Contains(hex[..length]);
    }

    /// <inheritdoc cref="Accepts(ReadOnlySpan{byte})"/>
    public bool Accepts(string hex) => _accepted.Contains(hex);

    private IEnumerable<string> Accepted() => Phase switch
    {
        UpdatePhase.Old => Current,
        UpdatePhase.Both => Current.Concat(Next ?? []),
        UpdatePhase.New => Next ?? [],
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
