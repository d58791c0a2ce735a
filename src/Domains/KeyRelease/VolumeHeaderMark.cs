using System.Diagnostics;
using System.Globalization;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a key service knows of the header of a volume's file, so that a swapped one, an older one and a blank one in
/// the place of what was withdrawn come to nothing. Nothing was written under a key whose volume has no header here:
/// no machine starts on it before. Closed; kept with the key, and each has one text.
/// </summary>
public abstract record VolumeHeaderMark
{
    private const string BoundPrefix = "header ";
    private const string Moment = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private VolumeHeaderMark()
    {
    }

    /// <summary>Its text.</summary>
    public abstract string Text { get; }

    /// <summary>Reads the text that <see cref="Text"/> gives; null for any other.</summary>
    public static VolumeHeaderMark? Read(string? text) => text switch
    {
        "new" => new New(),
        "blank" => new Blank(),
        not null when text.StartsWith(BoundPrefix, StringComparison.Ordinal)
            && text[BoundPrefix.Length..].Split(' ') is [var digest, var moment]
            && Digest32.TryParse(digest, out var header)
            && DateTimeOffset.TryParseExact(
                moment, Moment, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var since) =>
            new Bound(header, since),
        _ => null,
    };

    /// <summary>What is known once the key was released to a host that showed this header, or none.</summary>
    /// <param name="shown">The header; null for a volume without a file.</param>
    /// <param name="now">The time.</param>
    public VolumeHeaderMark After(Digest32? shown, DateTimeOffset now) => (this, shown) switch
    {
        (Bound bound, _) => bound,
        (New or Blank, null) => new Blank(),
        (New or Blank, { } header) => new Bound(header, now),
        _ => throw new UnreachableException(),
    };

    /// <summary>No host ever had the key: there is no volume yet.</summary>
    public sealed record New : VolumeHeaderMark
    {
        /// <inheritdoc/>
        public override string Text => "new";
    }

    /// <summary>
    /// A host got the key of a volume without a file, and nobody said yet which header it made. The first that the
    /// holder names counts; after its return or a takeover, the first that the next holder shows.
    /// </summary>
    public sealed record Blank : VolumeHeaderMark
    {
        /// <inheritdoc/>
        public override string Text => "blank";
    }

    /// <summary>The volume has this header, for good.</summary>
    /// <param name="Header">The header's digest.</param>
    /// <param name="Since">When it was bound, by the key service's own clock: for people, and decides nothing.</param>
    public sealed record Bound(Digest32 Header, DateTimeOffset Since) : VolumeHeaderMark
    {
        /// <inheritdoc/>
        public override string Text =>
            $"{BoundPrefix}{Header.Hex} {Since.UtcDateTime.ToString(Moment, CultureInfo.InvariantCulture)}";
    }
}
