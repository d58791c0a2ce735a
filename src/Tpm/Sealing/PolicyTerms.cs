using System.Security.Cryptography;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Sealing;

/// <summary>Shows a TPM, in a policy session, that the terms of an object's policy hold.</summary>
internal static class PolicyTerms
{
    public static void Fulfil(TpmCommands commands, TpmHandle session, UnsealPolicy policy)
    {
        commands.PolicyPcr(session, policy.Pcrs.Write());
        if (policy is UnsealPolicy.ApprovedTerm { Approval: var approval })
        {
            var approved = commands.PolicyDigest(session);
            var signed = SHA256.HashData([.. approved, .. approval.Reference.Span]);
            byte[] name, ticket;
            using (var signer = commands.LoadExternal(approval.SignerPublic.Span))
            {
                name = commands.Name(signer);
                ticket = commands.VerifySignature(signer, signed, approval.Signature.Span);
            }

            commands.PolicyAuthorize(session, approved, approval.Reference.Span, name, ticket);
        }
    }
}
