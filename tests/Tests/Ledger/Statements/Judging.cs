using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>Asks a book and states which verdict must come.</summary>
internal static class Judging
{
    public static StatementBook MustAccept(this StatementBook book, byte[] envelope)
    {
        var verdict = book.Consider(envelope);
        Assert.True(verdict is StatementVerdict.Accepted, Say(verdict));
        return ((StatementVerdict.Accepted)verdict).Next;
    }

    public static void MustRefuse(this StatementBook book, byte[] envelope, StatementRefusal reason)
    {
        var verdict = book.Consider(envelope);
        Assert.True(verdict is StatementVerdict.Refused refused && refused.Reason == reason, Say(verdict));
    }

    public static void MustRepeat(this StatementBook book, byte[] envelope)
    {
        var verdict = book.Consider(envelope);
        Assert.True(verdict is StatementVerdict.Repeated, Say(verdict));
    }

    public static void MustRefuseOrAccept(this StatementBook book, byte[] envelope, bool accept)
    {
        var verdict = book.Consider(envelope);
        Assert.True(accept ? verdict is StatementVerdict.Accepted : verdict is StatementVerdict.Refused, Say(verdict));
    }

    private static string Say(StatementVerdict verdict) => verdict is StatementVerdict.Refused refused
        ? $"Refused: {refused.Reason}: {refused.Sentence}"
        : verdict.GetType().Name;
}
