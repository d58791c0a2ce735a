using System.Collections.Immutable;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Documents;

/// <summary>The outcome of reading a document: <see cref="Understood"/> or <see cref="Rejected"/>.</summary>
public abstract record DocumentReading
{
    private DocumentReading()
    {
    }

    /// <summary>It has the form of such a document; nothing in it is verified.</summary>
    /// <param name="Document">What it says.</param>
    public sealed record Understood(SignedDocument Document) : DocumentReading;

    /// <summary>It is not such a document.</summary>
    /// <param name="Sentence">Why, for people.</param>
    public sealed record Rejected(string Sentence) : DocumentReading;
}

/// <summary>Who signed a document: <see cref="Verified"/> or <see cref="Refused"/>.</summary>
public abstract class SignatureVerdict
{
    private SignatureVerdict()
    {
    }

    /// <summary>Every signature verifies.</summary>
    public sealed class Verified : SignatureVerdict
    {
        internal Verified(ImmutableArray<PublicKey> keys) => Keys = keys;

        /// <summary>The distinct keys, at least one, in the order of the envelope.</summary>
        public ImmutableArray<PublicKey> Keys { get; }
    }

    /// <summary>At least one signature does not count, so none does.</summary>
    public sealed class Refused : SignatureVerdict
    {
        internal Refused(string clause) => Clause = clause;

        /// <summary>Why, as a clause.</summary>
        public string Clause { get; }
    }
}
