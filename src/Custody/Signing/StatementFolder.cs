using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>
/// Signed statements as files, one envelope each, named <c>NNNN-Kind-name.dsse.json</c> in the order in which they
/// were signed. It is what a party carries to the board, by network or by hand.
/// </summary>
public sealed class StatementFolder : IDisposable
{
    private const int MaximumEnvelopeBytes = 1 << 20;
    private const string Suffix = ".dsse.json";
    private readonly PrivateDirectory _files;

    /// <summary>Opens or makes the folder and replays what is in it.</summary>
    /// <exception cref="CustodyException">A file in it does not continue the ones before it.</exception>
    public StatementFolder(string path, StatementBook? known = null)
    {
        _files = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, path);
        Book = known ?? StatementBook.Empty;
        foreach (string name in Names())
        {
            byte[] envelope = DurableFile.Read(_files, name, MaximumEnvelopeBytes) ?? [];
            Book = Book.Consider(envelope) switch
            {
                StatementVerdict.Accepted accepted => accepted.Next,
                StatementVerdict.Repeated => Book,
                StatementVerdict.Refused refused =>
                    throw new CustodyException($"{path}/{name} is refused ({refused.Reason}): {refused.Sentence}"),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            Envelopes.Add(envelope);
        }
    }

    /// <summary>The verified state after all envelopes.</summary>
    public StatementBook Book { get; private set; }

    /// <summary>The envelopes, in order.</summary>
    public IList<byte[]> Envelopes { get; } = [];

    /// <summary>Verifies an envelope, then writes it durably.</summary>
    /// <exception cref="CustodyException">It does not continue what is here.</exception>
    public VerifiedStatement Add(byte[] envelope)
    {
        switch (Book.Consider(envelope))
        {
            case StatementVerdict.Accepted accepted:
                VerifiedStatement statement = accepted.Statement;
                string name = $"{Envelopes.Count + 1:D4}-{statement.Kind}-{statement.Name}-{statement.Revision}{Suffix}";
                DurableFile.Replace(_files, name, envelope);
                Book = accepted.Next;
                Envelopes.Add(envelope);
                return statement;
            case StatementVerdict.Repeated repeated:
                return repeated.Statement;
            case StatementVerdict.Refused refused:
                throw new CustodyException($"The new statement is refused ({refused.Reason}): {refused.Sentence}");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _files.Dispose();

    private IEnumerable<string> Names() =>
        Directory.EnumerateFiles(_files.Path, "*" + Suffix).Select(f => Path.GetFileName(f))
            .Order(StringComparer.Ordinal);
}
