using System.Security.Cryptography;
using System.Text;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Ledger.Checkpoints;

public sealed class CheckpointTests
{
    private readonly LogUnderTest _log = new LogUnderTest().Append("a", "b", "c");

    [Fact]
    public void Opens_what_the_log_signed()
    {
        var note = _log.Note();
        var checkpoint = _log.Open(note);
        Assert.Equal(LogUnderTest.Origin, checkpoint.Origin);
        Assert.Equal(3, checkpoint.Size);
        Assert.Equal(_log.Nodes.Root, checkpoint.Root);
        Assert.Equal(note, checkpoint.Note.ToBytes());
        Assert.StartsWith(
            $"{LogUnderTest.Origin}\n3\n{_log.Nodes.Root.Base64}\n\n\u2014 {LogUnderTest.Origin} ",
            Encoding.UTF8.GetString(note), StringComparison.Ordinal);
    }

    [Fact]
    public void Computes_the_ecdsa_key_id_of_signed_note()
    {
        var hash = SHA256.HashData(_log.Key.Key.SubjectPublicKeyInfo);
        Assert.Equal(Convert.ToHexStringLower(hash.AsSpan(0, 4)), _log.Key.Id.ToString("x8"));
        Assert.True(NoteKey.TryParse(_log.Key.Text, out var parsed));
        Assert.Equal(_log.Key.Text, parsed.Text);
        Assert.Equal(NoteKeyUse.Note, parsed.Use);
        var witness = NoteKey.Of("witness.example/w", _log.Key.Key, NoteKeyUse.Cosignature);
        Assert.NotEqual(witness.Id, _log.Key.Id);
        Assert.True(NoteKey.TryParse(witness.Text, out var parsedWitness));
        Assert.Equal(NoteKeyUse.Cosignature, parsedWitness.Use);
    }

    [Fact]
    public void Refuses_a_verifier_key_with_another_id_or_name()
    {
        var text = _log.Key.Text;
        var id = text.Split('+')[1];
        string[] wrong =
        [
            "", "+", "a+b+c", text + "=", text.Replace(id, "00000000", StringComparison.Ordinal),
            text.Replace(id, id.ToUpperInvariant() + "0", StringComparison.Ordinal), "a b" + text[text.IndexOf('+')..],
            text[text.IndexOf('+')..], text[..^4],
        ];
        Assert.All(wrong, one => Assert.False(NoteKey.TryParse(one, out _), one));
        Assert.True(NoteKey.TryParse(text, out _));
    }

    [Fact]
    public void Verifies_the_der_signature_that_other_tools_read()
    {
        var signed = Assert.IsType<NoteReading.Read>(SignedNote.Parse(_log.Note())).Note;
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_log.Key.Key.SubjectPublicKeyInfo, out _);
        Assert.True(key.VerifyData(
            signed.Text, signed.Signatures[0].Signature.AsSpan(), HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Refuses_another_log()
    {
        var note = _log.Note();
        MustRefuse(Checkpoint.Open(note, _log.Key, "log.example/other"), CheckpointRefusal.OtherOrigin);
        var other = new LogUnderTest();
        MustRefuse(Checkpoint.Open(note, other.Key, LogUnderTest.Origin), CheckpointRefusal.NotSignedByLog);
        var renamed = NoteKey.Of("log.example/renamed", _log.Key.Key);
        MustRefuse(Checkpoint.Open(note, renamed, LogUnderTest.Origin), CheckpointRefusal.NotSignedByLog);
        var cosigner = NoteKey.Of(LogUnderTest.Origin, _log.Key.Key, NoteKeyUse.Cosignature);
        MustRefuse(Checkpoint.Open(note, cosigner, LogUnderTest.Origin), CheckpointRefusal.NotSignedByLog);
    }

    [Fact]
    public void Refuses_an_edited_size_or_root()
    {
        var text = Encoding.UTF8.GetString(_log.Note());
        MustRefuse(Open(text.Replace("\n3\n", "\n4\n", StringComparison.Ordinal)), CheckpointRefusal.InvalidSignature);
        MustRefuse(
            Open(text.Replace(_log.Nodes.Root.Base64, MerkleTree.EmptyRoot.Base64, StringComparison.Ordinal)),
            CheckpointRefusal.InvalidSignature);
    }

    [Fact]
    public void Refuses_an_empty_log_with_leaves_in_its_root()
    {
        var log = new LogUnderTest();
        Assert.Equal(0, log.Head().Size);
        var text = new Checkpoint(LogUnderTest.Origin, 0, _log.Nodes.Root).ToText();
        MustRefuse(Open(SignText(log, text), log), CheckpointRefusal.WrongEmptyRoot);
    }

    [Theory]
    [InlineData("{0}\n03\n{1}\n")]
    [InlineData("{0}\n-3\n{1}\n")]
    [InlineData("{0}\n+3\n{1}\n")]
    [InlineData("{0}\n 3\n{1}\n")]
    [InlineData("{0}\n3.0\n{1}\n")]
    [InlineData("{0}\n\n{1}\n")]
    [InlineData("{0}\n9223372036854775808\n{1}\n")]
    [InlineData("{0}\n3\n{1}=\n")]
    [InlineData("{0}\n3\nAAAA\n")]
    [InlineData("{0}\n3\n")]
    [InlineData("\n3\n{1}\n")]
    [InlineData("{0}\n3\n{1}\n\nmore\n")]
    public void Refuses_other_forms_of_the_text_even_signed(string form)
    {
        var text = string.Format(
            System.Globalization.CultureInfo.InvariantCulture, form, LogUnderTest.Origin, _log.Nodes.Root.Base64);
        MustRefuse(Open(SignText(_log, Encoding.UTF8.GetBytes(text))), CheckpointRefusal.MalformedCheckpoint);
        var good = SignText(_log, new Checkpoint(LogUnderTest.Origin, 3, _log.Nodes.Root).ToText());
        Assert.IsType<CheckpointVerdict.Opened>(Open(good));
    }

    [Fact]
    public void Keeps_extension_lines_and_lines_of_unknown_keys()
    {
        var checkpoint = new Checkpoint(LogUnderTest.Origin, 3, _log.Nodes.Root, ["one", "two"]);
        var note = Encoding.UTF8.GetString(checkpoint.Sign(_log.Key, _log.Signer));
        var withStranger = Encoding.UTF8.GetBytes(note + "\u2014 witness.example/w AAAAAAAA\n");
        var opened = _log.Open(withStranger);
        Assert.Equal(withStranger, opened.Note.ToBytes());
        Assert.Equal(2, opened.Note.Signatures.Length);
    }

    [Fact]
    public void Refuses_two_lines_of_the_log_and_any_that_does_not_verify()
    {
        var first = Encoding.UTF8.GetString(_log.Note());
        var line = first[(first.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        MustRefuse(Open(first + line), CheckpointRefusal.DuplicateSignature);
        var other = Encoding.UTF8.GetString(new LogUnderTest(_log.Signer).Append("x").Note());
        var foreign = other[(other.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        MustRefuse(Open(first + foreign), CheckpointRefusal.InvalidSignature);
        MustRefuse(Open(first.Replace(line, foreign, StringComparison.Ordinal)), CheckpointRefusal.InvalidSignature);
    }

    [Fact]
    public void Refuses_other_encodings_of_a_signature()
    {
        var signed = Assert.IsType<NoteReading.Read>(SignedNote.Parse(_log.Note())).Note;
        var der = signed.Signatures[0].Signature.ToArray();
        byte[][] others =
        [
            [.. der, 0], der[..^1], [0x30, 0x81, .. der.AsSpan(1)], [],
            [0x30, (byte)(der[1] + 1), 0x02, (byte)(der[3] + 1), 0x00, .. der.AsSpan(4)],
        ];
        Assert.All(others, other =>
        {
            var note = SignedNote.Compose(signed.Text, [signed.Signatures[0] with { Signature = [.. other] }]);
            Assert.IsType<CheckpointVerdict.Refused>(Checkpoint.Open(note, _log.Key, LogUnderTest.Origin));
        });
        Assert.IsType<CheckpointVerdict.Opened>(Checkpoint.Open(signed.ToBytes(), _log.Key, LogUnderTest.Origin));
    }

    [Fact]
    public void Refuses_to_sign_what_no_reader_would_take()
    {
        Assert.Throws<ArgumentException>(
            () => new Checkpoint(LogUnderTest.Origin, -1, _log.Nodes.Root).Sign(_log.Key, _log.Signer));
        Assert.Throws<ArgumentException>(
            () => new Checkpoint("two\nlines", 1, _log.Nodes.Root).Sign(_log.Key, _log.Signer));
        Assert.Throws<ArgumentException>(
            () => new Checkpoint(LogUnderTest.Origin, 1, _log.Nodes.Root).Sign(new LogUnderTest().Key, _log.Signer));
    }

    [Fact]
    public void Survives_every_truncation_and_every_flipped_bit_of_a_note()
    {
        var note = _log.Note();
        for (var length = 0; length < note.Length; length++)
        {
            Assert.IsType<CheckpointVerdict.Refused>(
                Checkpoint.Open(note.AsSpan(0, length), _log.Key, LogUnderTest.Origin));
        }

        for (var bit = 0; bit < note.Length * 8; bit++)
        {
            var flipped = note.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsType<CheckpointVerdict.Refused>(Checkpoint.Open(flipped, _log.Key, LogUnderTest.Origin));
        }

        Assert.IsType<CheckpointVerdict.Opened>(Checkpoint.Open(note, _log.Key, LogUnderTest.Origin));
    }

    [Fact]
    public void Refuses_notes_beyond_the_limits()
    {
        var note = Encoding.UTF8.GetString(_log.Note());
        var line = "\u2014 witness.example/w AAAAAAAA\n";
        Assert.IsType<CheckpointVerdict.Opened>(
            Open(note + string.Concat(Enumerable.Repeat(line, LedgerLimits.NoteSignatures - 1))));
        MustRefuse(
            Open(note + string.Concat(Enumerable.Repeat(line, LedgerLimits.NoteSignatures))),
            CheckpointRefusal.MalformedNote);
        MustRefuse(
            Checkpoint.Open(new byte[10 * 1024 * 1024], _log.Key, LogUnderTest.Origin),
            CheckpointRefusal.MalformedNote);
    }

    private CheckpointVerdict Open(string note) => Open(Encoding.UTF8.GetBytes(note));

    private CheckpointVerdict Open(byte[] note) => Open(note, _log);

    private static CheckpointVerdict Open(byte[] note, LogUnderTest log) =>
        Checkpoint.Open(note, log.Key, LogUnderTest.Origin);

    private static byte[] SignText(LogUnderTest log, byte[] text) => SignedNote.Compose(
        text,
        [new NoteSignature(log.Key.Name, log.Key.Id, [.. DerSignature.FromFixed(log.Signer.Sign(text))])]);

    private static void MustRefuse(CheckpointVerdict verdict, CheckpointRefusal reason) =>
        Assert.Equal(reason, Assert.IsType<CheckpointVerdict.Refused>(verdict).Reason);
}
