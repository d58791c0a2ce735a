using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>How far a volume was filled.</summary>
/// <param name="Volume"><c>tenant id/name</c>.</param>
/// <param name="Header">The digest of the header of the file that is filled, lower hex.</param>
/// <param name="Sha256">
/// What it is filled with: a digest, lower hex; or <c>copy of TENANT/NAME HEADER</c>, with the digest of the header.
/// </param>
/// <param name="Bytes">So many bytes at its beginning were durable.</param>
public sealed record FillMark(string Volume, string Header, string Sha256, long Bytes);

/// <summary>
/// Remembers across a crash how far volumes were filled, so that a long filling goes on where it was. It saves time and
/// decides nothing: whatever it says, all of the content is read back and compared before a volume counts as filled.
/// </summary>
public sealed class FillMarks
{
    private const string FileName = "volume-fillings.json";
    private const int MaxBytes = 4 << 20;
    private readonly PrivateDirectory _directory;
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<string, FillMark> _marks;

    private FillMarks(PrivateDirectory directory, ImmutableSortedDictionary<string, FillMark> marks)
    {
        _directory = directory;
        _marks = marks;
    }

    /// <summary>Reads what a predecessor noted.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="DurableException">The disk refused.</exception>
    public static FillMarks Open(PrivateDirectory directory)
    {
        byte[]? text = DurableFile.Read(directory, FileName, MaxBytes);
        try
        {
            FillMark[] marks = text is null
                ? []
                : JsonSerializer.Deserialize<FillMark[]>(text, JsonSerializerOptions.Strict) ?? [];
            return new FillMarks(
                directory, marks.ToImmutableSortedDictionary(m => m.Volume, m => m, StringComparer.Ordinal));
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{FileName} is damaged: {error.Message}", error);
        }
    }

    /// <summary>How far a volume was filled; null when nothing is known.</summary>
    public FillMark? Find(string volume)
    {
        lock (_lock)
        {
            return _marks.GetValueOrDefault(volume);
        }
    }

    /// <summary>Notes, durably, how far a volume is filled.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Note(FillMark mark) => Change(marks => marks.SetItem(mark.Volume, mark));

    /// <summary>Forgets a volume.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Forget(string volume) => Change(marks => marks.Remove(volume));

    private void Change(
        Func<ImmutableSortedDictionary<string, FillMark>, ImmutableSortedDictionary<string, FillMark>> change)
    {
        lock (_lock)
        {
            ImmutableSortedDictionary<string, FillMark> next = change(_marks);
            if (next == _marks)
            {
                return;
            }

            try
            {
                DurableFile.Replace(_directory, FileName, JsonSerializer.SerializeToUtf8Bytes(next.Values));
            }
            catch (DurableException error)
            {
                throw new WorldException(["note how far a volume is filled"], -1, error.Message);
            }

            _marks = next;
        }
    }
}
