namespace Bailiwick.Ledger.Statements;

/// <summary>
/// What a <see cref="StatementBook"/> makes of an envelope: <see cref="Accepted"/>, <see cref="Repeated"/> or
/// <see cref="Refused"/>.
/// </summary>
public abstract class StatementVerdict
{
    private StatementVerdict()
    {
    }

    /// <summary>The statement is verified and is the newest of its subject.</summary>
    public sealed class Accepted : StatementVerdict
    {
        internal Accepted(VerifiedStatement statement, StatementBook next)
        {
            Statement = statement;
            Next = next;
        }

        /// <summary>The statement.</summary>
        public VerifiedStatement Statement { get; }

        /// <summary>The book that holds it; the book that was asked is unchanged.</summary>
        public StatementBook Next { get; }

        /// <summary>Takes the verdict apart.</summary>
        public void Deconstruct(out VerifiedStatement statement, out StatementBook next) =>
            (statement, next) = (Statement, Next);
    }

    /// <summary>The statement is already the newest of its subject; nothing changes.</summary>
    public sealed class Repeated : StatementVerdict
    {
        internal Repeated(VerifiedStatement statement) => Statement = statement;

        /// <summary>
        /// The statement as held, with the envelope that was verified then. The signatures of the envelope now
        /// considered were not looked at.
        /// </summary>
        public VerifiedStatement Statement { get; }

        /// <summary>Takes the verdict apart.</summary>
        public void Deconstruct(out VerifiedStatement statement) => statement = Statement;
    }

    /// <summary>The statement is refused; nothing changes.</summary>
    public sealed class Refused : StatementVerdict
    {
        internal Refused(StatementRefusal reason, string sentence)
        {
            Reason = reason;
            Sentence = sentence;
        }

        /// <summary>Why.</summary>
        public StatementRefusal Reason { get; }

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }

        /// <summary>Takes the verdict apart.</summary>
        public void Deconstruct(out StatementRefusal reason, out string sentence) =>
            (reason, sentence) = (Reason, Sentence);
    }
}
