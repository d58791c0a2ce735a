using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Quotes;

/// <summary>
/// Checks quotes against one verifier's expectation and reports every reason against them. Never throws for what the
/// bytes contain.
/// </summary>
public static class QuoteVerifier
{
    /// <summary>Judges a quote.</summary>
    /// <param name="claim">What the host sent.</param>
    /// <param name="expectation">What this verifier demands.</param>
    /// <param name="keys">The verifier's opened keys.</param>
    /// <exception cref="ArgumentException">The expectation demands no register at all (CVE-2022-0317).</exception>
    public static QuoteVerdict Verify(QuoteClaim claim, QuoteExpectation expectation, VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(expectation);
        ArgumentNullException.ThrowIfNull(keys);
        if (expectation.Selection.Count == 0)
        {
            throw new ArgumentException("A quote over no register proves nothing.", nameof(expectation));
        }

        var refusals = ImmutableArray.CreateBuilder<QuoteRefusal>();
        var attest = CheckAttest(
            claim.Message.Span, claim.Signature.Span, expectation.Key, expectation.Nonce.Span, keys, refusals);
        var values = PcrValues.None;
        var continuity = QuoteContinuity.First;
        if (attest is not null)
        {
            CheckSigner(attest, expectation, refusals);
            values = CheckRegisters(attest, claim.Values, expectation, refusals) ?? values;
            continuity = CheckClock(attest.Clock, expectation.LastSeen, refusals);
        }

        return refusals.Count > 0 || attest is null
            ? new QuoteVerdict.Refused(refusals.ToImmutable())
            : new QuoteVerdict.Verified(VerifiedQuote.After(
                expectation.Key, attest, values, continuity, Digest32.Of(claim.Message.Span)));
    }

    /// <summary>
    /// Judges what all attestations have in common: form, signature and nonce. What it attests is for the caller to
    /// judge; for quotes use <see cref="Verify"/>.
    /// </summary>
    /// <param name="message">The TPMS_ATTEST.</param>
    /// <param name="signature">The TPMT_SIGNATURE.</param>
    /// <param name="key">The key that must have signed.</param>
    /// <param name="nonce">What the extra data must be.</param>
    /// <param name="keys">The verifier's opened keys.</param>
    public static AttestVerdict VerifyAttest(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, QuoteKey key, ReadOnlySpan<byte> nonce,
        VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keys);
        var refusals = ImmutableArray.CreateBuilder<QuoteRefusal>();
        var attest = CheckAttest(message, signature, key, nonce, keys, refusals);
        return refusals.Count > 0 || attest is null
            ? new AttestVerdict.Refused(refusals.ToImmutable())
            : new AttestVerdict.Signed(SignedAttest.After(key, attest));
    }

    private static TpmAttest? CheckAttest(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, QuoteKey key, ReadOnlySpan<byte> nonce,
        VerifierKeyCache keys, ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        if (!TpmAttest.TryRead(message, out var attest, out var fault))
        {
            refusals.Add(new QuoteRefusal(
                fault == TpmFault.WrongMagic ? QuoteRefusalCode.NotMadeByTpm : QuoteRefusalCode.Malformed,
                $"The message is not what a TPM attests: {(fault ?? TpmFault.Truncated).Clause()}."));
        }

        CheckSignature(message, signature, key, keys, refusals);
        if (attest is not null && !CryptographicOperations.FixedTimeEquals(attest.ExtraData.Span, nonce))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.NonceMismatch, "It does not carry the nonce that it was asked for with."));
        }

        return attest;
    }

    private static void CheckSignature(
        ReadOnlySpan<byte> message, ReadOnlySpan<byte> bytes, QuoteKey key, VerifierKeyCache keys,
        ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        if (!TpmSignature.TryRead(bytes, out var signature, out var fault))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.SignatureMalformed,
                $"The signature cannot be read: {(fault ?? TpmFault.Truncated).Clause()}."));
            return;
        }

        if (!signature.Hash.IsStrong())
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.WeakSignatureHash, "The signature is over SHA-1, for which collisions are made."));
            return;
        }

        if (Scheme(key) is { } scheme && scheme != new TpmScheme(signature.Scheme, signature.Hash))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.OtherScheme,
                $"The signature is {signature.Scheme} with {signature.Hash}; the key's scheme is {scheme.Kind} with "
                + $"{scheme.Hash}."));
        }

        if (!Holds(message, signature, key.Key, keys))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.NotSignedByKey, $"The signature is not that of the key {key.Key.Id.Hex[..16]}."));
        }
    }

    private static TpmScheme? Scheme(QuoteKey key) => key.Area?.Detail switch
    {
        TpmKeyDetail.Rsa rsa => rsa.Scheme,
        TpmKeyDetail.Ecc ecc => ecc.Scheme,
        _ => null,
    };

    private static bool Holds(
        ReadOnlySpan<byte> message, TpmSignature signature, SubjectKey key, VerifierKeyCache keys)
    {
        switch (signature)
        {
            case TpmSignature.Rsa rsa:
                var form = rsa.Scheme == TpmSchemeKind.RsaPss ? SignatureForm.RsaPss : SignatureForm.RsaPkcs1;
                return keys.Verifies(key, form, rsa.Hash, message, rsa.Value.Span);
            case TpmSignature.Ecdsa ecdsa when key.Curve is { } curve:
                int length = SubjectKey.CoordinateBytes(curve);
                if (ecdsa.R.Length > length || ecdsa.S.Length > length)
                {
                    return false;
                }

                Span<byte> both = stackalloc byte[2 * length];
                both.Clear();
                ecdsa.R.Span.CopyTo(both[(length - ecdsa.R.Length)..]);
                ecdsa.S.Span.CopyTo(both[((2 * length) - ecdsa.S.Length)..]);
                return keys.Verifies(key, SignatureForm.EcdsaFixed, ecdsa.Hash, message, both);
            case TpmSignature.Ecdsa:
                return false;
            default:
                throw new UnreachableException();
        }
    }

    private static void CheckSigner(
        TpmAttest attest, QuoteExpectation expectation, ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        if (expectation.QualifiedSigner is { } known && known != attest.QualifiedSigner)
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.OtherSigner,
                $"It names the signer {attest.QualifiedSigner.Hex}; the key was enrolled as {known.Hex}."));
        }
    }

    private static PcrValues? CheckRegisters(
        TpmAttest attest, PcrValues values, QuoteExpectation expectation,
        ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        if (attest.Body is not TpmAttestBody.Quote quote)
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.NotAQuote, $"It attests {attest.Body.GetType().Name}, and not registers."));
            return null;
        }

        if (!quote.Selection.Equals(expectation.Selection))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.SelectionDiffers,
                $"It is over {quote.Selection}; demanded is {expectation.Selection}."));
        }

        if (quote.Selection.Banks.Any(bank => bank.Mask != 0 && !bank.Hash.IsStrong()))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.WeakBank, "It is over the SHA-1 bank, for which collisions are made."));
        }

        return CheckValues(quote, values, refusals);
    }

    private static PcrValues? CheckValues(
        TpmAttestBody.Quote quote, PcrValues values, ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        var quoted = values.Selected(quote.Selection);
        if ((quoted?.Count ?? 0) < values.Count && values.All.Any(value => !quote.Selection.Banks.Any(
            bank => bank.Hash == value.Bank && (bank.Mask >> value.Register & 1) != 0)))
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.ValuesNotQuoted, "Values were sent along of registers that are not quoted."));
        }

        if (quoted is null)
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.ValuesMissing, "The value of a quoted register was not sent along."));
            return null;
        }

        // The digest's algorithm is that of the key's scheme, and its length tells which.
        bool same = Enum.GetValues<TpmHash>().FirstOrDefault(h => h.Size() == quote.PcrDigest.Length) is var hash
            && hash != default
            && quoted.DigestOver(quote.Selection, hash) is { } digest
            && CryptographicOperations.FixedTimeEquals(digest, quote.PcrDigest.Span);
        if (!same)
        {
            refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.ValuesDiffer, "The values sent along do not have the digest that is quoted."));
        }

        return quoted;
    }

    private static QuoteContinuity CheckClock(
        TpmClockInfo now, TpmClockInfo? last, ImmutableArray<QuoteRefusal>.Builder refusals)
    {
        if (last is null)
        {
            return QuoteContinuity.First;
        }

        // A TPM may add a constant to its counts, so that they can pass zero: they are compared as serial numbers.
        if (now.ResetCount != last.ResetCount)
        {
            if ((int)(now.ResetCount - last.ResetCount) < 0)
            {
                refusals.Add(RolledBack(
                    QuoteRefusalCode.ResetCountRolledBack, "resets", now.ResetCount, last.ResetCount));
            }

            return QuoteContinuity.NewBoot;
        }

        if (now.RestartCount != last.RestartCount)
        {
            if ((int)(now.RestartCount - last.RestartCount) < 0)
            {
                refusals.Add(RolledBack(
                    QuoteRefusalCode.RestartCountRolledBack, "restarts", now.RestartCount, last.RestartCount));
            }

            return QuoteContinuity.Resumed;
        }

        if (now.Clock < last.Clock)
        {
            refusals.Add(RolledBack(QuoteRefusalCode.ClockRolledBack, "milliseconds", now.Clock, last.Clock));
        }

        return QuoteContinuity.SameBoot;
    }

    private static QuoteRefusal RolledBack(QuoteRefusalCode code, string what, ulong now, ulong last) =>
        new(code, string.Create(CultureInfo.InvariantCulture,
            $"The TPM counts {now} {what} and counted {last} before: its state was put back, or it is another."));
}
