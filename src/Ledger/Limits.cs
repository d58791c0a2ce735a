namespace Bailiwick.Ledger;

/// <summary>
/// Every limit of the ledger library. A limit is checked before the bytes it bounds are believed, and breaking one is
/// a refusal, never an exception.
/// </summary>
public static class LedgerLimits
{
    /// <summary>Deepest nesting of arrays and objects in a JSON document, in levels.</summary>
    public const int JsonDepth = 32;

    /// <summary>Largest JSON document, in bytes.</summary>
    public const int JsonBytes = 1024 * 1024;

    /// <summary>Most object members and array items in one JSON document, counted together.</summary>
    public const int JsonMembers = 100_000;

    /// <summary>Largest magnitude of a number in a signed document: 2^53 - 1 (RFC 8785 section 6, RFC 7493).</summary>
    public const long JsonInteger = 9_007_199_254_740_991;

    /// <summary>Largest DSSE envelope, in bytes.</summary>
    public const int EnvelopeBytes = JsonBytes;

    /// <summary>Largest payload of a DSSE envelope, in bytes.</summary>
    public const int PayloadBytes = 512 * 1024;

    /// <summary>Most signatures on one DSSE envelope.</summary>
    public const int EnvelopeSignatures = 64;

    /// <summary>Most keys in one root statement.</summary>
    public const int RootKeys = 16;

    /// <summary>Longest statement name, in characters.</summary>
    public const int NameLength = 40;

    /// <summary>Largest signed note, in bytes.</summary>
    public const int NoteBytes = 64 * 1024;

    /// <summary>Most signature lines of a signed note. C2SP signed-note asks for at least 16.</summary>
    public const int NoteSignatures = 64;

    /// <summary>Most extension lines of a checkpoint.</summary>
    public const int CheckpointExtensions = 16;

    /// <summary>Most hashes in one inclusion or consistency proof: two paths of a tree of 2^63 leaves.</summary>
    public const int ProofHashes = 128;

    /// <summary>Length of a leaf's salt, in bytes.</summary>
    public const int SaltBytes = 32;
}
