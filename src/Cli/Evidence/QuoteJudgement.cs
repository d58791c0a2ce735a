using System.Collections.Immutable;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Cli.Evidence;

/// <summary>Everything there is against a quote in files: the key's attributes where they are known, and the quote.
/// </summary>
internal sealed class QuoteJudgement(QuoteKeyFile key, byte[] message, byte[] nonce, VerifierKeyCache keys)
{
    private readonly List<(string Code, string Sentence)> _reasons = [];

    /// <summary>All reasons; none when it holds.</summary>
    internal IReadOnlyList<(string Code, string Sentence)> Reasons => _reasons;

    /// <summary>The registers that the quote proves; null when it proves none.</summary>
    internal PcrValues? Values { get; private set; }

    /// <summary>Judges; registers are judged where their values are given.</summary>
    internal void Judge(byte[] signatureFile, (PcrSelection Selection, PcrValues Values)? registers)
    {
        var quoteKey = JudgeKey();
        TpmAttest.TryRead(message, out var attest, out _);
        ImmutableArray<QuoteRefusal> refusals = [];
        foreach (byte[] signature in QuoteInput.Signatures(signatureFile, key, attest))
        {
            refusals = registers is { Selection.Count: > 0 } given
                ? JudgeQuote(signature, quoteKey, given)
                : JudgeSignature(signature, quoteKey, attest);
            if (refusals.IsEmpty)
            {
                break;
            }
        }

        _reasons.AddRange(refusals.Select(refusal => (EvidenceFile.Code(refusal.Code), refusal.Sentence)));
        if (_reasons.Count > 0)
        {
            Values = null;
        }
    }

    private QuoteKey JudgeKey()
    {
        if (key.Area is null)
        {
            return QuoteKey.Bare(key.Key);
        }

        switch (AttestationKeyCheck.Check(key.Area))
        {
            case AttestationKeyVerdict.Acceptable acceptable:
                return acceptable.Key;
            case AttestationKeyVerdict.Refused refused:
                _reasons.AddRange(refused.Codes.Select(code =>
                    ("key-" + EvidenceFile.Code(code), "The key: " + AttestationKeyCheck.Sentence(code))));
                return QuoteKey.Bare(key.Key);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private ImmutableArray<QuoteRefusal> JudgeQuote(
        byte[] signature, QuoteKey quoteKey, (PcrSelection Selection, PcrValues Values) registers)
    {
        var expectation = new QuoteExpectation
        {
            Key = quoteKey, Nonce = nonce, Selection = registers.Selection, LastSeen = null,
        };
        switch (QuoteVerifier.Verify(new QuoteClaim(message, signature, registers.Values), expectation, keys))
        {
            case QuoteVerdict.Verified verified:
                Values = verified.Quote.Values;
                return [];
            case QuoteVerdict.Refused refused:
                return refused.Refusals;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private ImmutableArray<QuoteRefusal> JudgeSignature(byte[] signature, QuoteKey quoteKey, TpmAttest? attest)
    {
        var refusals = QuoteVerifier.VerifyAttest(message, signature, quoteKey, nonce, keys) switch
        {
            AttestVerdict.Signed => [],
            AttestVerdict.Refused refused => refused.Refusals,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return attest?.Body switch
        {
            null => refusals,
            TpmAttestBody.Quote { Selection.Count: 0 } => refusals.Add(new QuoteRefusal(
                QuoteRefusalCode.SelectionDiffers, "It is over no register.")),
            TpmAttestBody.Quote quote when quote.Selection.Banks.Any(b => b.Mask != 0 && !b.Hash.IsStrong()) =>
                refusals.Add(new QuoteRefusal(
                    QuoteRefusalCode.WeakBank, "It is over the SHA-1 bank, for which collisions are made.")),
            TpmAttestBody.Quote => refusals,
            _ => refusals.Add(new QuoteRefusal(QuoteRefusalCode.NotAQuote, "It attests something else.")),
        };
    }
}
