using System.Globalization;
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
        _files = Desks.OpenOrCreate(path);
        Book = known ?? StatementBook.Empty;
        try
        {
            foreach (string name in Names())
            {
                Replay(path, name);
            }
        }
        catch
        {
            _files.Dispose();
            throw;
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
                string name = string.Create(CultureInfo.InvariantCulture,
                    $"{Envelopes.Count + 1:D4}-{statement.Kind}-{statement.Name}-{statement.Revision}{Suffix}");
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

    private void Replay(string path, string name)
    {
        // A hole is not harmless: what is missing would be signed again as if it were new, and fork from the board's.
        if (NumberOf(name) != Envelopes.Count + 1)
        {
            throw new CustodyException($"{path}/{name} is not number {Envelopes.Count + 1} of its folder: a file "
                + "before it is missing or renamed. Restore the folder from a backup.");
        }

        byte[] envelope = DurableFile.Read(_files, name, MaximumEnvelopeBytes) ?? [];
        switch (Book.Consider(envelope))
        {
            case StatementVerdict.Accepted accepted:
                Book = accepted.Next;
                Envelopes.Add(envelope);
                break;
            case StatementVerdict.Repeated:
                Envelopes.Add(envelope);
                break;
            case StatementVerdict.Refused refused:
                throw new CustodyException($"{path}/{name} is refused ({refused.Reason}): {refused.Sentence} "
                    + "Restore the folder from a backup.");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private string[] Names() =>
    [
        .. Directory.EnumerateFiles(_files.Path, "*" + Suffix).Select(f => Path.GetFileName(f))
            .OrderBy(NumberOf).ThenBy(n => n, StringComparer.Ordinal),
    ];

    private static int NumberOf(string name) => int.TryParse(
        name.AsSpan(0, Math.Max(name.IndexOf('-'), 0)), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number : 0;
}
