using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>A host with an attestation key of its own and a quote over what a boot and a runtime log give.</summary>
internal sealed class AttestedHost : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _bootLog;
    private readonly byte[] _message;
    private readonly byte[] _plain;
    private readonly QuoteClaim _claim;
    private readonly QuoteExpectation _expectation;

    internal AttestedHost(byte[] bootLog, PcrValues values)
    {
        _bootLog = bootLog;
        var selection = PcrSelection.Of(TpmHash.Sha256, Enumerable.Range(0, 16));
        _message = new TpmAttest
        {
            QualifiedSigner = TpmName.OfHandle(0x4000000b), ExtraData = _nonce,
            Clock = new TpmClockInfo(1, 1, 0, true), FirmwareVersion = 1,
            Body = new TpmAttestBody.Quote(selection, values.DigestOver(selection, TpmHash.Sha256)),
        }.Write();
        _plain = _key.SignData(_message, HashAlgorithmName.SHA256);
        _claim = new QuoteClaim(
            _message, new TpmSignature.Ecdsa(TpmHash.Sha256, _plain.AsMemory(0, 32), _plain.AsMemory(32)).Write(),
            values);
        _expectation = new QuoteExpectation
        {
            Key = QuoteKey.Bare(SubjectKey.Parse(_key.ExportSubjectPublicKeyInfo())
                ?? throw new BenchException("A key cannot be read.")),
            Nonce = _nonce, Selection = selection, LastSeen = null,
        };
    }

    /// <summary>The registers after a boot and what ran since.</summary>
    internal static PcrValues Registers(byte[] bootLog, ReadOnlySpan<byte> runtimeRegister)
    {
        byte[] runtime = runtimeRegister.ToArray();
        BootReplay replay = BootReplay.Of(Read(bootLog), TpmHash.Sha256);
        return PcrValues.Of(Enumerable.Range(0, 16).Select(register => new PcrValue(
            TpmHash.Sha256, register,
            register == RuntimeLogLimits.Pcr ? runtime : replay.Value(register).ToArray()))) ?? PcrValues.None;
    }

    internal static string BootLogFile => Vector("bootlogs/keylime__binary_bios_measurements");

    /// <summary>What a domain demands of such a host, all of it met.</summary>
    internal Predicate[] Demands
    {
        get
        {
            BootReplay replay = BootReplay.Of(Read(_bootLog), TpmHash.Sha256);
            return
            [
                new Predicate.CryptoAgile(),
                .. Enumerable.Range(0, 8).Select(register => new Predicate.Pcr(
                    register, ReferenceSet.Of([Convert.ToHexStringLower(replay.Value(register))]))),
            ];
        }
    }

    /// <summary>The lengths of everything that must be hashed: each event's extend, and its data.</summary>
    internal int[] HashedBytes
    {
        get
        {
            MeasuredBoot log = Read(_bootLog);
            return
            [
                .. Enumerable.Range(0, log.Count)
                    .Where(i => log[i].Extends && !log[i].Digest(TpmHash.Sha256).IsEmpty)
                    .SelectMany(i => (int[])[2 * TpmHash.Sha256.Size(), log[i].Data.Length]),
            ];
        }
    }

    /// <summary>For tpm2_checkquote, with <see cref="WriteFor"/>'s files; the registers' values are not asked of it.
    /// </summary>
    internal string[] CheckQuoteArguments =>
        ["-u", "ak.pem", "-m", "quote.msg", "-s", "quote.sig", "-q", Convert.ToHexStringLower(_nonce)];

    public void Dispose() => _key.Dispose();

    internal void WriteFor(string directory)
    {
        File.WriteAllText(Path.Combine(directory, "ak.pem"), _key.ExportSubjectPublicKeyInfoPem());
        File.WriteAllBytes(Path.Combine(directory, "quote.msg"), _message);
        File.WriteAllBytes(Path.Combine(directory, "quote.sig"), _claim.Signature.ToArray());
    }

    internal bool VerifyBare() => _key.VerifyData(_message, _plain, HashAlgorithmName.SHA256);

    /// <summary>What the logs prove by the quote, which is verified for it.</summary>
    internal LogsReading Read(EvidenceLogs shown, VerifierKeyCache keys, KnownBoot? known) =>
        QuoteVerifier.Verify(_claim, _expectation, keys) switch
        {
            QuoteVerdict.Verified { Quote: var quote } => LogsReading.Judge(
                shown, new QuotedMoment(Guid.Empty, quote.Clock, QuotedPcrs.Of(quote, TpmHash.Sha256)), known),
            QuoteVerdict.Refused refused => throw new BenchException(refused.Refusals[0].Sentence),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static MeasuredBoot Read(byte[] log) =>
        MeasuredBoot.Read(log) is BootLogReading.Understood { Log: var read }
            ? read : throw new BenchException("A good boot log is refused.");

    private static string Vector(string relative) => Path.Combine(Checkout.Root, "tests", "Vectors", relative);
}
