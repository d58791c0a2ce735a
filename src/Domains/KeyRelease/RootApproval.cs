using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>Whether enough root keys in force of the tenant approved a document: one rule for all that they approve.
/// </summary>
internal static class RootApproval
{
    /// <summary>Adds what is against it.</summary>
    /// <param name="refusals">Where to add.</param>
    /// <param name="signed">The document.</param>
    /// <param name="root">The root in force.</param>
    /// <param name="demanded">How many must sign.</param>
    /// <param name="act">What they approve, after "Only root keys in force of the tenant may".</param>
    /// <param name="because">The statement that says how many; null when the root itself does.</param>
    public static void Check(
        List<KeyRefusal> refusals, SignedDocument signed, RootKeys root, int demanded, string act,
        StatementOrigin? because)
    {
        switch (signed.Signers(root.Find))
        {
            case SignatureVerdict.Refused refused:
                refusals.Add(new KeyRefusal(
                    KeyRefusalCode.DocumentSignature,
                    $"Only root keys in force of the tenant may {act}, but {refused.Clause}.", null));
                break;
            case SignatureVerdict.Verified { Keys: var keys } when keys.Length < demanded:
                refusals.Add(new KeyRefusal(
                    KeyRefusalCode.TooFewApprovals,
                    $"{because?.ToString() ?? "The tenant's root"} asks for {demanded} root keys; {keys.Length} "
                    + "approved.",
                    because));
                break;
            case SignatureVerdict.Verified:
                break;
            default:
                throw new UnreachableException();
        }
    }
}
