using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Scrubbing;

/// <summary>One file that is to go.</summary>
/// <param name="Name">Its name in its directory.</param>
/// <param name="Inode">Which file that is, whatever has its name later.</param>
/// <param name="Length">How long it was.</param>
/// <param name="First">SHA-256 of its first block as it was, lower hex.</param>
public sealed record ScrubTarget(string Name, ulong Inode, long Length, string First)
{
    /// <summary>How much of it is overwritten, and on the disk.</summary>
    public long Written { get; init; }

    /// <summary>How many blocks were read back; -1 until they were.</summary>
    public long Sampled { get; init; } = -1;

    /// <summary>Whether a block was not what had been written.</summary>
    public bool Differs { get; init; }

    /// <summary>Whether the name is gone.</summary>
    public bool IsRemoved { get; init; }
}

/// <summary>An order that was begun, and how far it has come.</summary>
/// <param name="Serial">The destroyed key's; it names the order.</param>
/// <param name="Order">The signed order.</param>
/// <param name="Files">What is to go.</param>
public sealed record ScrubWork(string Serial, byte[] Order, ScrubTarget[] Files)
{
    /// <summary>The signed report; empty until all is done.</summary>
    public byte[] Report { get; init; } = [];
}

/// <summary>
/// What was begun to be erased, over a crash: noted before the first byte is overwritten, struck out after the key
/// service has the report. Safe for use from several threads.
/// </summary>
public sealed class ScrubBook
{
    private const string FileName = "scrubs.json";
    private const int MaxBytes = 4 << 20;
    private readonly PrivateDirectory _directory;
    private readonly Lock _gate = new();
    private ImmutableSortedDictionary<string, ScrubWork> _works;

    private ScrubBook(PrivateDirectory directory, ImmutableSortedDictionary<string, ScrubWork> works) =>
        (_directory, _works) = (directory, works);

    /// <summary>Reads what a predecessor began.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static ScrubBook Open(PrivateDirectory directory)
    {
        byte[]? text = DurableFile.Read(directory, FileName, MaxBytes);
        try
        {
            ScrubWork[] works = text is null
                ? []
                : JsonSerializer.Deserialize<ScrubWork[]>(text, JsonSerializerOptions.Strict) ?? [];
            return new ScrubBook(
                directory,
                works.ToImmutableSortedDictionary(work => work.Serial, work => work, StringComparer.Ordinal));
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{FileName} is damaged: {error.Message}", error);
        }
    }

    /// <summary>All that is begun.</summary>
    public ImmutableArray<ScrubWork> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _works.Values];
            }
        }
    }

    /// <summary>Notes how far one has come, durably.</summary>
    /// <exception cref="WorldException">The disk refused: nothing may be done that is not noted.</exception>
    public void Put(ScrubWork work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Change(works => works.SetItem(work.Serial, work));
    }

    /// <summary>Strikes one out, durably.</summary>
    /// <exception cref="WorldException">The disk refused: it is reported once more.</exception>
    public void Remove(string serial) => Change(works => works.Remove(serial));

    private void Change(
        Func<ImmutableSortedDictionary<string, ScrubWork>, ImmutableSortedDictionary<string, ScrubWork>> change)
    {
        lock (_gate)
        {
            ImmutableSortedDictionary<string, ScrubWork> next = change(_works);
            try
            {
                DurableFile.Replace(_directory, FileName, JsonSerializer.SerializeToUtf8Bytes(next.Values));
            }
            catch (DurableException error)
            {
                throw new WorldException([$"write {FileName}"], -1, error.Message);
            }

            _works = next;
        }
    }
}
