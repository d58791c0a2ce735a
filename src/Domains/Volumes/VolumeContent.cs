using System.Collections.Immutable;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// What a file must be to be attached as an encrypted volume: LUKS1 as this product makes it, of exactly the length
/// that the plan's size gives, or an earlier and smaller one, and nothing else at the same time. Made only by
/// <see cref="Check"/>.
/// </summary>
public sealed class VolumeContent
{
    private VolumeContent(ImmutableArray<string> refusals, Digest32? headerDigest, long? former = null)
    {
        FormerBytes = former;
        Refusals = refusals;
        HeaderDigest = headerDigest;
    }

    /// <summary>Every reason against it, as a sentence and a code in brackets; empty when it may be attached.</summary>
    public ImmutableArray<string> Refusals { get; }

    /// <summary>The digest of its header; null when it is refused.</summary>
    public Digest32? HeaderDigest { get; }

    /// <summary>
    /// The size of the disk in the file, in bytes, where it is not yet as planned but as an earlier revision of its
    /// statement said: it may be made longer. Null when it is as planned.
    /// </summary>
    public long? FormerBytes { get; }

    /// <summary>Checks a file; throws only what the reader of the file throws.</summary>
    /// <param name="file">The file.</param>
    /// <param name="dataBytes">The size of the disk that the plan states, in bytes.</param>
    /// <param name="former">The sizes that earlier revisions stated; those that are not smaller play no part.</param>
    public static VolumeContent Check(DiskBytes file, long dataBytes, params ReadOnlySpan<long> former)
    {
        ArgumentNullException.ThrowIfNull(file);
        LuksReading reading = LuksReader.Read(file);
        List<string> refusals = [.. reading.Refusals.Select(one => $"{one.Sentence} [luks-{Kebab(one.Code)}]")];
        if (reading.Accepted is not { } header)
        {
            return new VolumeContent([.. refusals], null);
        }

        if (header.Version != 1)
        {
            refusals.Add($"It is LUKS of version {header.Version}; QEMU reads version 1 alone. [luks-version]");
        }

        long begins = (long)header.Payload.Offset;
        long found = file.Length - begins;
        bool isFormer = found < dataBytes && former.Contains(found);
        if (found != dataBytes && !isFormer)
        {
            refusals.Add(
                $"The file has {file.Length} bytes; {dataBytes} of data behind a header of {begins} are "
                + $"{begins + dataBytes}. [volume-length]");
        }

        // Behind the header lies what only the key makes sense of: it has no format to anybody else.
        DiskFinding seen = DiskInspector.Inspect(file.First(begins), DiskLimits.LuksPayloadOffset);
        if (seen.Matches is not [{ Format: DiskFormat.Luks1 }])
        {
            string formats = string.Join(", ", seen.Matches.Select(one => one.Format));
            refusals.Add($"Its header is not LUKS alone: {formats}. [volume-ambiguous]");
        }

        Digest32? digest = refusals.Count == 0 ? Volumes.HeaderDigest.Of(file, header) : null;
        if (refusals.Count == 0 && digest is null)
        {
            refusals.Add("The file became shorter while it was read. [volume-length]");
        }

        return new VolumeContent([.. refusals], digest, isFormer && digest is not null ? found : null);
    }

    private static string Kebab(LuksRefusalCode code) =>
        System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(code.ToString());
}
