using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Checkpoints;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>A receipt with its proof is judged by two keys and nobody's help; each part that is another's is a no.
/// </summary>
public sealed class ProvenReceiptTests
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private static readonly ErasedKeys Erased = new(new DestroySubject.OfAll(Bank), 2, Digest32.Of("approval"u8))
    {
        Count = 3, Record = 7, LedgerSize = 9, LedgerRoot = Digest32.Of("root"u8),
    };

    private readonly LogUnderTest _log = new();
    private readonly byte[] _receipt = ErasureReceipt.Write(Erased, Service);

    public ProvenReceiptTests()
    {
        _log.Append("{\"one\":1}", "{\"two\":2}");
        _log.Append(Change(ErasureReceipt.DigestOf(Erased), Service));
        _log.Append("{\"four\":4}", "{\"five\":5}");
    }

    [Fact]
    public void Holds_offline_for_its_key_service_and_its_log()
    {
        ProvenReceipt? proven = Verified(Document(2), out string fault);
        Assert.True(proven is not null, fault);
        Assert.Equal((2, 5, LogUnderTest.Origin), (proven.Index, proven.Checkpoint.Size, proven.Checkpoint.Origin));
        Assert.Equal(ErasureReceipt.DigestOf(Erased), ErasureReceipt.DigestOf(proven.Receipt.Keys));
        Assert.Equal(_receipt, ProvenReceipt.ReceiptOf(Document(2)));
        Assert.Null(ProvenReceipt.ReceiptOf(_receipt));
    }

    [Fact]
    public void Refuses_another_key_service_and_another_log()
    {
        Assert.Null(ProvenReceipt.Verify(Document(2), Signatory.NewKey().PublicKey, _log.Key, out string service));
        Assert.Contains("did not sign it", service, StringComparison.Ordinal);
        Assert.Null(ProvenReceipt.Verify(Document(2), Service.PublicKey, new LogUnderTest().Key, out string log));
        Assert.Contains("checkpoint", log, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_the_path_of_another_leaf_another_index_and_another_salt()
    {
        string[] faults =
        [
            Fault(Document(1, leaf: 2)), Fault(Document(2, index: 1)), Fault(Document(2, salt: 1)),
            Fault(Changed("proof", new JsonArray())),
        ];
        Assert.All(faults, fault => Assert.Contains("is not leaf", fault, StringComparison.Ordinal));
    }

    [Fact]
    public void Refuses_the_path_in_a_tree_of_another_size()
    {
        byte[] before = Document(2);
        string note = Encoding.UTF8.GetString(_log.Note());
        _log.Append("{\"six\":6}");
        Assert.NotNull(Verified(Document(2), out _));
        JsonObject mixed = JsonNode.Parse(Document(2))?.AsObject() ?? [];
        mixed["checkpoint"] = note;
        Assert.Contains("is not leaf", Fault(Bytes(mixed)), StringComparison.Ordinal);
        Assert.NotNull(Verified(before, out _));
    }

    [Fact]
    public void Refuses_a_checkpoint_that_nobody_or_somebody_else_signed()
    {
        string signed = Encoding.UTF8.GetString(_log.Note());
        string unsigned = signed[..(signed.IndexOf("\n\n", StringComparison.Ordinal) + 1)];
        Assert.Contains("checkpoint", Fault(Changed("checkpoint", unsigned)), StringComparison.Ordinal);
        LogUnderTest other = new();
        foreach (var entry in _log.Entries)
        {
            other.Append(entry.Envelope.ToArray());
        }

        string theirs = Encoding.UTF8.GetString(other.Note());
        Assert.Equal(_log.Nodes.Root, other.Nodes.Root);
        Assert.Contains("checkpoint", Fault(Changed("checkpoint", theirs)), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_leaf_that_is_another_receipts_anothers_word_or_no_change_of_keys()
    {
        ErasedKeys later = Erased with { Pending = 1 };
        EcdsaSigner stranger = Signatory.NewKey();
        byte[][] leaves =
        [
            Change(ErasureReceipt.DigestOf(later), Service), Change(ErasureReceipt.DigestOf(Erased), stranger),
            Change(null, Service), "{\"one\":1}"u8.ToArray(),
            Change(ErasureReceipt.DigestOf(Erased), Service, PartyId.Unsigned("hospital")),
        ];
        foreach (byte[] leaf in leaves)
        {
            LogUnderTest log = new(_log.Signer);
            log.Append(leaf);
            byte[] document = ProvenReceipt.Write(
                _receipt, leaf, LogUnderTest.Salt(0), Encoding.UTF8.GetString(log.Note()),
                InclusionProof.Make(0, 1, log.Nodes));
            Assert.Contains("leaf is", Fault(document), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Refuses_another_form_and_every_changed_byte()
    {
        Assert.NotEmpty(Fault("{}"u8.ToArray()));
        Assert.NotEmpty(Fault(_receipt));
        Assert.NotEmpty(Fault(Changed("more", 1)));
        Assert.NotEmpty(Fault(Changed("bailiwick", "proven-receipt/v2")));
        Assert.NotEmpty(Fault(Changed("index", -1)));
        byte[] document = Document(2);
        for (int at = 0; at < document.Length; at += 3)
        {
            byte[] changed = [.. document];
            changed[at] ^= 1;
            Assert.NotEmpty(Fault(changed));
        }
    }

    private static byte[] Change(Digest32? receipt, EcdsaSigner signer, PartyId? tenant = null) =>
        new KeyChangeNotice(7, 3, receipt).Write(tenant ?? Bank, 1, null, DateTimeOffset.UnixEpoch, signer);

    private byte[] Document(int proven, int? leaf = null, int? index = null, int? salt = null)
    {
        InclusionProof proof = InclusionProof.Make(proven, _log.Nodes.Size, _log.Nodes);
        return ProvenReceipt.Write(
            _receipt, _log.Entries[leaf ?? proven].Envelope.Span, LogUnderTest.Salt(salt ?? proven),
            Encoding.UTF8.GetString(_log.Note()), proof with { Index = index ?? proven });
    }

    private byte[] Changed(string member, JsonNode value)
    {
        JsonObject document = JsonNode.Parse(Document(2))?.AsObject() ?? [];
        document[member] = value;
        return Bytes(document);
    }

    private static byte[] Bytes(JsonObject document) =>
        CanonicalJson.Write(JsonSerializer.SerializeToElement(document));

    private ProvenReceipt? Verified(byte[] document, out string fault) =>
        ProvenReceipt.Verify(document, Service.PublicKey, _log.Key, out fault);

    private string Fault(byte[] document)
    {
        Assert.Null(Verified(document, out string fault));
        return fault;
    }
}
