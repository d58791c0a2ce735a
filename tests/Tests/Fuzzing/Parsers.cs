using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Wire;
using Bailiwick.Domains.Bundles;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.Tpm;
using Bailiwick.Tests.Domains.Bundles;

namespace Bailiwick.Tests.Fuzzing;

/// <summary>One reader of bytes or text that others wrote, with good inputs to begin from.</summary>
/// <param name="Corpus">Good inputs: published vectors, and what our own writers write.</param>
/// <param name="Read">Reads; must not throw.</param>
internal sealed record Parser(IReadOnlyList<byte[]> Corpus, Action<byte[]> Read);

/// <summary>
/// Every parser of the rooms that read what strangers send, by `Type.Method`. Runs are seeded, so a failure comes back.
/// </summary>
internal static class Parsers
{
    private static readonly BundleScene Scene = new();
    private static readonly VerifierKeyCache Keys = new(64);
    private static readonly byte[] Spki = Scene.Host.PublicKey.SubjectPublicKeyInfo.ToArray();
    private static readonly NoteKey Log = NoteKey.Of(BundleScene.Origin, Scene.Host.PublicKey);

    private static readonly EkExpectation Vendors = new(
        EkTrust.FromPem(
            File.ReadAllText(VectorFiles.Find("ekcerts/pool/roots.pem")), ""),
        new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), EkExpiry.Refuse, null);

    private static Dictionary<string, Parser> Messages { get; } = new()
    {
        // Ledger
        ["CanonicalJson.Parse"] = new([Scene.Root, Scene.Evidence()], bytes => CanonicalJson.Parse(bytes)),
        ["CanonicalJson.ParseCanonical"] = new(
            [Scene.Root, Scene.Evidence()], bytes => CanonicalJson.ParseCanonical(bytes)),
        ["Checkpoint.Open"] = new([Scene.Note(3)], bytes => Checkpoint.Open(bytes, Log, BundleScene.Origin)),
        ["DerSignature.TryToFixed"] = new([Der()], bytes => DerSignature.TryToFixed(bytes, out _)),
        ["Digest32.TryParse"] = Text(Digest32.Of([]).Hex, text => Digest32.TryParse(text, out _)),
        ["Digest32.TryParseBase64"] = Text(Digest32.Of([]).Base64, text => Digest32.TryParseBase64(text, out _)),
        ["Envelope.Read"] = new([Scene.Root, Scene.Evidence()], bytes => Envelope.Read(bytes)),
        ["KeyId.TryParse"] = Text(Scene.Host.Id.ToString(), text => KeyId.TryParse(text, out _)),
        ["NoteKey.TryParse"] = Text(Log.ToString(), text => NoteKey.TryParse(text, out _)),
        ["PartyId.TryParse"] = Text(Scene.Tenant.Id.ToString(), text => PartyId.TryParse(text, out _)),
        ["PublicKey.TryParse"] = new([Spki], bytes => PublicKey.TryParse(bytes, out _)),
        ["PublicKey.TryParseBase64"] = Text(
            Scene.Host.PublicKey.Base64, text => PublicKey.TryParseBase64(text, out _)),
        ["SignedDocument.Read"] = new(
            [Scene.Evidence(), Scene.Enrolment()],
            bytes => SignedDocument.Read(EvidenceDocument.QuoteFormat, bytes)),
        ["SignedNote.Parse"] = new([Scene.Note(3)], bytes => SignedNote.Parse(bytes)),
        ["StatementKinds.TryParse"] = Text("Domain", text => StatementKinds.TryParse(text, out _)),
        ["StatementName.TryParse"] = Text("web-1", text => StatementName.TryParse(text, out _)),
        ["StatementPayload.Read"] = new(
            [Payload(Scene.Root), Payload(Scene.Policy)], bytes => StatementPayload.Read(bytes)),

        // Attestation
        ["EkVerifier.Verify"] = new(
            [.. VectorFiles.In("ekcerts", "*.der").Select(File.ReadAllBytes)],
            bytes => EkVerifier.Verify(bytes, Vendors, Keys)),
        ["EnrolmentDocument.Verify"] = new(
            [Scene.Enrolment()],
            bytes => EnrolmentDocument.Verify(bytes, Scene.Tenant.Id, Scene.Service.PublicKey, out _)),
        ["EvidenceVerifier.Claimed"] = new([Scene.Evidence()], bytes => EvidenceVerifier.Claimed(bytes)),
        ["IntegrityEntry.Read"] = new([Encoding.UTF8.GetBytes(
            $$"""{"digest":"{{Digest32.Of([]).Hex}}","kind":"plan","readers":"all","sequence":7,"subject":"one"}""")],
            bytes => IntegrityEntry.Read(bytes)),
        ["IntegrityTail.Read"] = new(
            ["""{"after":null,"bailiwick":"integrity-tail/v1","commitments":"","openings":[]}"""u8.ToArray()],
            bytes => IntegrityTail.Read(bytes, out _)),
        ["IntegrityKinds.Parse"] = Text("plan", text => IntegrityKinds.Parse(text)),
        ["MeasuredBoot.Read"] = new(
            [.. BootLogVectors.Names.Select(BootLogVectors.Bytes)], bytes => MeasuredBoot.Read(bytes)),
        ["PcrSelection.TryRead"] = new(
            [EvidenceRegisters.Selection.Write()], bytes => PcrSelection.TryRead(bytes, out _, out _)),
        ["PredicateJson.Read"] = new(
            [PredicateJson.Write(BootScene.Predicates)], bytes => PredicateJson.Read(bytes)),
        ["RuntimeSigner.TryParse"] = Text(
            Digest32.Of([]).Hex, text => RuntimeSigner.TryParse(text, out _)),
        ["SignatureDatabase.Read"] = new(
            [new BootScene().Database], bytes => SignatureDatabase.Read(bytes)),
        ["SubjectKey.Parse"] = new([Spki], bytes => SubjectKey.Parse(bytes)),
        ["TpmAttest.TryRead"] = new([Quote().Quote.ToArray()], bytes => TpmAttest.TryRead(bytes, out _, out _)),
        ["TpmName.Parse"] = new(
            [[0, 0x0b, .. Digest32.Of([]).Bytes]], bytes => TpmName.Parse(bytes)),
        ["TpmPublic.TryRead"] = new(
            [Scene.Tpm.Quoting.Area.Write(), Scene.Tpm.EndorsementKey.Write(), TpmSamples.EndorsementKey().Write()],
            bytes => TpmPublic.TryRead(bytes, out _, out _)),
        ["TpmPublic.TryReadSized"] = new(
            [Sized(Scene.Tpm.Quoting.Area.Write())], bytes => TpmPublic.TryReadSized(bytes, out _, out _)),
        ["TpmSignature.TryRead"] = new(
            [Quote().Signature.ToArray()], bytes => TpmSignature.TryRead(bytes, out _, out _)),

        // Channel; a body that is refused is an exception of its own there.
        ["ChannelAddress.TryParse"] = Text("10.99.0.2:7443", text => ChannelAddress.TryParse(text, out _)),
        ["StrictJson.Read"] = new(
            [StrictJson.Write(new EnrolmentClaimBody("AA==", "AA==", "AA=="))], ReadBody),

        // What is kept in files
        ["EvidenceBundle.Read"] = new([Scene.Bundle().Write()], bytes => EvidenceBundle.Read(bytes, out _)),
    };

    /// <summary>All parsers.</summary>
    internal static IReadOnlyDictionary<string, Parser> All { get; } =
        Messages.Concat(DiskParsers.All).Concat(RulesetParsers.All).ToDictionary();

    private static Parser Text(string good, Action<string> read) =>
        new([Encoding.UTF8.GetBytes(good)], bytes => read(Encoding.UTF8.GetString(bytes)));

    private static void ReadBody(byte[] bytes)
    {
        try
        {
            StrictJson.Read<EnrolmentClaimBody>(bytes);
        }
        catch (StrictJsonException)
        {
            // The refusal that is promised.
        }
    }

    private static byte[] Payload(byte[] envelope) =>
        Envelope.Read(envelope) is EnvelopeReading.Read read ? [.. read.Envelope.Payload] : [];

    private static TpmClaims Quote() => EvidenceVerifier.Claimed(Scene.Evidence())?.Tpm
        ?? throw new InvalidOperationException();

    private static byte[] Sized(byte[] area) => [(byte)(area.Length >> 8), (byte)area.Length, .. area];

    private static byte[] Der()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.SignData([], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}
