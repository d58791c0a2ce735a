using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Checkpoints;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Receipts;

public sealed class LedgerReceiptTests
{
    private readonly LogUnderTest _log = new();
    private readonly List<VerifiedStatement> _statements = [];

    public LedgerReceiptTests()
    {
        var tenant = new Signatory(StatementKind.Tenant, "hospital", keys: 2, threshold: 2);
        var book = StatementBook.Empty;
        byte[][] envelopes =
        [
            tenant.Root(), .. Enumerable.Range(0, 6)
                .Select(i => tenant.Sign(tenant.Payload(StatementKind.Domain, $"domain-{i}"), 0, 1)),
        ];
        foreach (var envelope in envelopes)
        {
            var accepted = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope));
            book = accepted.Next;
            _statements.Add(accepted.Statement);
            _log.Append(envelope);
        }
    }

    [Fact]
    public void Gives_a_receipt_for_each_statement_of_the_log()
    {
        for (var i = 0; i < _statements.Count; i++)
        {
            var verdict = LedgerReceipt.Check(_statements[i], LogUnderTest.Salt(i), _log.Head(), Proof(i));
            var receipt = Assert.IsType<ReceiptVerdict.Given>(verdict).Receipt;
            Assert.Equal(_statements[i].Digest, receipt.Statement);
            Assert.Equal(i, receipt.Index);
            Assert.Equal(LogUnderTest.Salt(i), receipt.Salt.ToArray());
            Assert.Equal(7, receipt.Checkpoint.Size);
        }
    }

    [Fact]
    public void Refuses_another_statement_salt_index_or_checkpoint()
    {
        var head = _log.Head();
        for (var i = 0; i < _statements.Count; i++)
        {
            var other = (i + 1) % _statements.Count;
            MustRefuse(_statements[other], LogUnderTest.Salt(i), Proof(i), ReceiptRefusal.NotIncluded);
            MustRefuse(_statements[i], LogUnderTest.Salt(other), Proof(i), ReceiptRefusal.NotIncluded);
            MustRefuse(_statements[i], LogUnderTest.Salt(i), Proof(other), ReceiptRefusal.NotIncluded);
            MustRefuse(
                _statements[i], LogUnderTest.Salt(i), Proof(i) with { Index = other }, ReceiptRefusal.NotIncluded);
            MustRefuse(
                _statements[i], LogUnderTest.Salt(i), Proof(i) with { Path = default }, ReceiptRefusal.NotIncluded);
            MustRefuse(_statements[i], new byte[31], Proof(i), ReceiptRefusal.InvalidSalt);
        }

        _log.Append("later");
        var later = InclusionProof.Make(0, 8, _log.Nodes);
        var verdict = LedgerReceipt.Check(_statements[0], LogUnderTest.Salt(0), head, later);
        Assert.Equal(ReceiptRefusal.OtherSize, Assert.IsType<ReceiptVerdict.Refused>(verdict).Reason);
        Assert.IsType<ReceiptVerdict.Given>(
            LedgerReceipt.Check(_statements[0], LogUnderTest.Salt(0), _log.Head(), later));
    }

    private InclusionProof Proof(int index) => InclusionProof.Make(index, 7, _log.Nodes);

    private void MustRefuse(VerifiedStatement statement, byte[] salt, InclusionProof proof, ReceiptRefusal reason)
    {
        var verdict = LedgerReceipt.Check(statement, salt, _log.Head(), proof);
        Assert.Equal(reason, Assert.IsType<ReceiptVerdict.Refused>(verdict).Reason);
    }
}
