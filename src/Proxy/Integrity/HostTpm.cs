using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.Proxy.Integrity;

/// <summary>This host's TPM, as far as the Proxy needs it.</summary>
public sealed class HostTpm : IDisposable
{
    private readonly TpmConnection _tpm;
    private readonly EndorsementKey _endorsement;
    private readonly AttestationKey _attestation;
    private readonly IntegrityRegister _integrity;

    private HostTpm(TpmConnection tpm)
    {
        _tpm = tpm;
        _endorsement = EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048);
        _attestation = AttestationKey.OpenOrCreate(tpm);
        _integrity = IntegrityRegister.Open(tpm, EvidenceRegisters.IntegrityLog);
    }

    /// <summary>Opens the TPM, its endorsement key and its attestation key; they are made where they are not.</summary>
    /// <exception cref="ConfigurationException">There is no such TPM, or it refuses.</exception>
    public static HostTpm Open(string address)
    {
        TpmConnection? tpm = null;
        try
        {
            tpm = TpmConnection.Open(TpmAddress.Parse(address));
            return new HostTpm(tpm);
        }
        catch (Exception error) when (error is TpmException or FormatException or ArgumentException)
        {
            tpm?.Dispose();
            throw new ConfigurationException($"tpm: {error.Message}");
        }
    }

    /// <summary>What it shows when it enrols.</summary>
    /// <exception cref="WorldException">The TPM does not answer.</exception>
    public EnrolmentClaimBody Claim() => Ask("read its certificate", () => new EnrolmentClaimBody(
        Convert.ToBase64String((_endorsement.ReadCertificate() ?? default).Span),
        Convert.ToBase64String(_endorsement.Public.Write()), Convert.ToBase64String(_attestation.Public.Write())));

    /// <summary>Opens a challenge; the answer proves that both keys are here.</summary>
    /// <exception cref="WorldException">The challenge is not for this TPM, or it does not answer.</exception>
    public EnrolmentAnswerBody Answer(EnrolmentChallengeBody challenge) => Ask("answer a challenge", () =>
        _attestation.Activate(
            _endorsement,
            new TpmCredential(
                Convert.FromBase64String(challenge.Blob), Convert.FromBase64String(challenge.Secret)),
            secret => new EnrolmentAnswerBody(Convert.ToBase64String(secret))));

    /// <summary>The key for which others wrap what only this TPM opens.</summary>
    public TpmPublic EndorsementArea => _endorsement.Public;

    /// <summary>Opens what was wrapped for this TPM in the state that its registers hold now.</summary>
    /// <exception cref="WorldException">It is for another TPM or state, or the TPM does not answer.</exception>
    public SecretBytes Open(TpmDelivery delivery) => Ask("open what was wrapped for it", () =>
        DeliveredSecret.Open(_endorsement, delivery, static lent =>
        {
            // Pinned, so that the collector leaves no copy behind; overwritten by the taking.
            byte[] copy = GC.AllocateUninitializedArray<byte>(lent.Length, pinned: true);
            lent.CopyTo(copy);
            return SecretBytes.Take(copy);
        }));

    /// <summary>Quotes over what the host says; the values belong to the quote.</summary>
    /// <exception cref="WorldException">The TPM does not answer, or its registers change all the time.</exception>
    public TpmClaims Quote(Digest32 binding) => Ask("quote", () =>
    {
        QuoteClaim quote = _attestation.Quote(EvidenceRegisters.Selection, binding.Bytes);
        return new TpmClaims(_attestation.Public, quote.Message, quote.Signature, quote.Values);
    });

    /// <summary>Extends the digest of an entry of the integrity log. Cannot be taken back.</summary>
    /// <exception cref="WorldException">The TPM does not answer: what was to be recorded must not happen.</exception>
    public void Extend(Digest32 entry) => Ask("extend the integrity log", () =>
    {
        _integrity.Extend(entry.Bytes);
        return true;
    });

    /// <summary>What the integrity log's register holds now.</summary>
    /// <exception cref="WorldException">The TPM does not answer.</exception>
    public Digest32 ReadIntegrityRegister() =>
        Ask("read the integrity log's register", () => Digest32.FromBytes(_integrity.Read().Span));

    /// <inheritdoc/>
    public void Dispose() => _tpm.Dispose();

    private static T Ask<T>(string what, Func<T> question)
    {
        try
        {
            return question();
        }
        catch (Exception error) when (error is TpmException or FormatException)
        {
            throw new WorldException(["have the TPM", what], -1, error.Message);
        }
    }
}
