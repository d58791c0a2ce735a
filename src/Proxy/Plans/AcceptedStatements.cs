using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// Every statement this host has accepted, and the Master's last suggestions, kept so that a Proxy that was killed
/// enforces its last good plan again although nobody else is there. What is read back is verified anew: a file that was
/// changed does not become policy.
/// </summary>
public sealed class AcceptedStatements : IDisposable
{
    private const string LogName = "statements.log";
    private const string PlacementsName = "placements.json";
    private const int MaxPlacementsBytes = 16 << 20;
    private readonly PrivateDirectory _directory;
    private readonly AppendLog _log;

    private AcceptedStatements(
        PrivateDirectory directory, AppendLog log, StatementBook book, VolumeSizes sizes)
    {
        Sizes = sizes;
        _directory = directory;
        _log = log;
        Book = book;
    }

    /// <summary>The sizes that volumes had, by all of them.</summary>
    public VolumeSizes Sizes { get; }

    /// <summary>All of them, verified.</summary>
    public StatementBook Book { get; private set; }

    /// <summary>Reads and verifies what was kept.</summary>
    /// <exception cref="InvalidDataException">A statement in the file is not one that was accepted.</exception>
    /// <exception cref="DurableException">The disk refused.</exception>
    public static AcceptedStatements Open(PrivateDirectory directory)
    {
        StatementBook book = StatementBook.Empty;
        VolumeSizes sizes = new();
        AppendLog log = AppendLog.Open(directory, LogName, record =>
        {
            switch (book.Consider(record.Payload))
            {
                case StatementVerdict.Accepted accepted:
                    book = accepted.Next;
                    sizes.Take(accepted.Statement);
                    break;
                case StatementVerdict.Refused refused:
                    throw new InvalidDataException($"{LogName} holds a statement that is refused: {refused.Sentence}");
                case StatementVerdict.Repeated:
                    break;
            }
        });
        return new AcceptedStatements(directory, log, book, sizes);
    }

    /// <summary>Keeps statements, durably, in the order in which they were accepted.</summary>
    /// <exception cref="WorldException">The disk refused; they must not become policy yet.</exception>
    public void Keep(IEnumerable<VerifiedStatement> statements)
    {
        StatementBook book = Book;
        List<VerifiedStatement> kept = [];
        foreach (VerifiedStatement statement in statements)
        {
            // After a restart the board shows everything again; what is kept already is repeated here.
            if (book.Consider(statement.EnvelopeBytes) is StatementVerdict.Accepted accepted)
            {
                book = accepted.Next;
                kept.Add(statement);
            }
        }

        foreach (ReadOnlyMemory<byte>[] batch in kept.Select(one => one.EnvelopeBytes).Chunk(64))
        {
            Written(LogName, () => _log.Append(batch));
        }

        foreach (VerifiedStatement statement in kept)
        {
            Sizes.Take(statement);
        }

        Book = book;
    }

    /// <summary>Keeps the Master's suggestions, durably.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Keep(ImmutableArray<PlacementRow> placements) => Written(PlacementsName, () =>
        DurableFile.Replace(_directory, PlacementsName, JsonSerializer.SerializeToUtf8Bytes(placements.ToArray())));

    /// <summary>The Master's last suggestions; none when nothing readable was kept, and then nothing runs.</summary>
    public ImmutableArray<PlacementRow> Placements()
    {
        byte[]? text = DurableFile.Read(_directory, PlacementsName, MaxPlacementsBytes);
        try
        {
            return text is null
                ? []
                : [.. JsonSerializer.Deserialize<PlacementRow[]>(text, JsonSerializerOptions.Strict) ?? []];
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{PlacementsName} is damaged: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    private static void Written(string name, Action write)
    {
        try
        {
            write();
        }
        catch (DurableException error)
        {
            throw new WorldException(["write", name], -1, error.Message);
        }
    }
}
