using Bailiwick.Attestation.Credentials;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Sealing;

/// <summary>
/// Opens what a sender wrapped for this TPM's endorsement key and for a state that it approved. Nothing of it is kept
/// in the TPM or on a disk; the secret crosses the wire only encrypted to a session that is salted to that key.
/// </summary>
public static class DeliveredSecret
{
    /// <summary>Lends the secret, if this is the TPM and the registers hold what was approved.</summary>
    /// <param name="endorsement">The key for which it was wrapped.</param>
    /// <param name="delivery">What was delivered.</param>
    /// <param name="use">Is lent the secret.</param>
    /// <exception cref="TpmException">It was wrapped for another TPM or changed on its way (NotForThisTpm), the
    /// registers hold other values or the approval is none (PolicyRefused), or it is malformed (BadInput).</exception>
    public static T Open<T>(EndorsementKey endorsement, TpmDelivery delivery, SecretUse<T> use)
    {
        ArgumentNullException.ThrowIfNull(endorsement);
        ArgumentNullException.ThrowIfNull(delivery);
        byte[] area = delivery.Import.Public.Write();
        UnsealPolicy terms = UnsealPolicy.ApprovedBy(
            TpmDelivery.Registers,
            new PolicyApproval(
                delivery.Signer.Write(), delivery.Purpose.Bytes.ToArray(), delivery.Approval.Write()));
        return endorsement.Tpm.Use(commands =>
        {
            using var root = endorsement.Open(commands);
            byte[] hidden = Authorized(commands, policy => commands.Import(
                root, area, delivery.Import.Duplicate.Span, delivery.Import.EncryptedSeed.Span, policy));
            using var item = Authorized(commands, policy => commands.Load(root, area, hidden, policy));
            using var session = commands.StartPolicy();
            PolicyTerms.Fulfil(commands, session, terms);
            using var encryption = commands.StartEncryption(root, EncryptedParameter.OfResponse);
            return commands.Unseal(item, session, encryption, use);
        });
    }

    /// <summary>The endorsement key has no password: each use of it is authorized by its hierarchy.</summary>
    private static T Authorized<T>(TpmCommands commands, Func<TpmHandle, T> use)
    {
        using var policy = commands.StartPolicy();
        commands.PolicySecretOfEndorsement(policy);
        return use(policy);
    }
}
