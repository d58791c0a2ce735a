namespace Bailiwick.Tpm.Tss;

/// <summary>
/// Response codes in words. A code's layer stands in bits 16 to 23 (TSS 2.0 Overview, 3.2.2); the TPM's own are those
/// of TPM 2.0 part 2, 6.6: format one (bit 7, with the number of the parameter, handle or session) or format zero.
/// </summary>
internal static class ResponseCode
{
    private const uint FormatOne = 0x080;
    private const uint Warning = 0x900;
    private const uint Version2 = 0x100;

    private static readonly Dictionary<uint, (AccessFault Fault, string Words)> Known = new()
    {
        [FormatOne | 0x01] = (AccessFault.Unsupported, "TPM_RC_ASYMMETRIC: the key algorithm is not supported"),
        [FormatOne | 0x02] = (AccessFault.BadInput, "TPM_RC_ATTRIBUTES: the attributes do not go together"),
        [FormatOne | 0x03] = (AccessFault.Unsupported, "TPM_RC_HASH: the hash is not supported"),
        [FormatOne | 0x04] = (AccessFault.BadInput, "TPM_RC_VALUE: a value is out of range or not right here"),
        [FormatOne | 0x05] = (AccessFault.Unsupported, "TPM_RC_HIERARCHY: the hierarchy is disabled or wrong here"),
        [FormatOne | 0x07] = (AccessFault.Unsupported, "TPM_RC_KEY_SIZE: the key size is not supported"),
        [FormatOne | 0x09] = (AccessFault.Unsupported, "TPM_RC_MODE: the mode is not supported"),
        [FormatOne | 0x0a] = (AccessFault.BadInput, "TPM_RC_TYPE: the object is of another type"),
        [FormatOne | 0x0b] = (AccessFault.Missing, "TPM_RC_HANDLE: nothing lies at the handle"),
        [FormatOne | 0x0c] = (AccessFault.Unsupported, "TPM_RC_KDF: the key derivation is not supported"),
        [FormatOne | 0x0e] = (AccessFault.AuthorizationRefused, "TPM_RC_AUTH_FAIL: the authorization is wrong"),
        [FormatOne | 0x12] = (AccessFault.Unsupported, "TPM_RC_SCHEME: the scheme is not supported here"),
        [FormatOne | 0x15] = (AccessFault.BadInput, "TPM_RC_SIZE: a structure has the wrong size"),
        [FormatOne | 0x16] = (AccessFault.Unsupported, "TPM_RC_SYMMETRIC: the symmetric algorithm is not supported"),
        [FormatOne | 0x1a] = (AccessFault.BadInput, "TPM_RC_INSUFFICIENT: a structure ends too early"),
        [FormatOne | 0x1b] = (AccessFault.PolicyRefused, "TPM_RC_SIGNATURE: the signature is not valid"),
        [FormatOne | 0x1c] = (AccessFault.BadInput, "TPM_RC_KEY: the key does not fit its use"),
        [FormatOne | 0x1d] = (AccessFault.PolicyRefused, "TPM_RC_POLICY_FAIL: the policy does not hold"),
        [FormatOne | 0x1f] = (AccessFault.NotForThisTpm, "TPM_RC_INTEGRITY: the integrity check failed"),
        [FormatOne | 0x20] = (AccessFault.PolicyRefused, "TPM_RC_TICKET: the ticket is not valid"),
        [FormatOne | 0x21] = (AccessFault.BadInput, "TPM_RC_RESERVED_BITS: a reserved bit is set"),
        [FormatOne | 0x22] = (AccessFault.AuthorizationRefused, "TPM_RC_BAD_AUTH: the authorization is wrong"),
        [FormatOne | 0x23] = (AccessFault.PolicyRefused, "TPM_RC_EXPIRED: the policy has expired"),
        [FormatOne | 0x24] = (AccessFault.PolicyRefused, "TPM_RC_POLICY_CC: the policy is for another command"),
        [FormatOne | 0x25] = (AccessFault.NotForThisTpm, "TPM_RC_BINDING: public and private part are of two objects"),
        [FormatOne | 0x26] = (AccessFault.Unsupported, "TPM_RC_CURVE: the curve is not supported"),
        [FormatOne | 0x27] = (AccessFault.NotForThisTpm, "TPM_RC_ECC_POINT: the point is not on the curve"),
        [Version2 | 0x01] = (AccessFault.Failed, "TPM_RC_FAILURE: the TPM is in failure mode"),
        [Version2 | 0x27] = (AccessFault.PolicyRefused, "TPM_RC_PCR: the PCR check failed"),
        [Version2 | 0x28] = (AccessFault.PolicyRefused, "TPM_RC_PCR_CHANGED: a PCR changed since the check"),
        [Version2 | 0x2f] = (AccessFault.AuthorizationRefused, "TPM_RC_AUTH_UNAVAILABLE: only a policy authorizes it"),
        [Version2 | 0x43] = (AccessFault.Unsupported, "TPM_RC_COMMAND_CODE: the command is not supported"),
        [Version2 | 0x49] = (AccessFault.AuthorizationRefused, "TPM_RC_NV_AUTHORIZATION: this may not read the index"),
        [Version2 | 0x4a] = (AccessFault.Missing, "TPM_RC_NV_UNINITIALIZED: the index was never written"),
        [Version2 | 0x4b] = (AccessFault.Full, "TPM_RC_NV_SPACE: no NV space is left"),
        [Version2 | 0x4c] = (AccessFault.Occupied, "TPM_RC_NV_DEFINED: the handle is taken"),
        [Warning | 0x02] = (AccessFault.Full, "TPM_RC_OBJECT_MEMORY: no slot for an object is left"),
        [Warning | 0x03] = (AccessFault.Full, "TPM_RC_SESSION_MEMORY: no slot for a session is left"),
        [Warning | 0x04] = (AccessFault.Full, "TPM_RC_MEMORY: no memory is left"),
        [Warning | 0x05] = (AccessFault.Full, "TPM_RC_SESSION_HANDLES: no handle for a session is left"),
        [Warning | 0x06] = (AccessFault.Full, "TPM_RC_OBJECT_HANDLES: no handle for an object is left"),
        [Warning | 0x07] = (AccessFault.AuthorizationRefused, "TPM_RC_LOCALITY: not from this locality"),
        [Warning | 0x10] = (AccessFault.Missing, "TPM_RC_REFERENCE_H0: the first handle is not loaded"),
        [Warning | 0x21] = (AccessFault.LockedOut, "TPM_RC_LOCKOUT: locked out after wrong authorizations"),
    };

    /// <summary>What a code other than 0 means.</summary>
    public static (AccessFault Fault, string Words) Read(uint code)
    {
        var layer = (code >> 16) & 0xff;
        if (layer is not (0 or 11 or 12))
        {
            return (AccessFault.Failed, $"tpm2-tss, layer {layer}: error 0x{code & 0xffff:x4}");
        }

        var own = code & 0xffff;
        var bare = (own & FormatOne) != 0 ? own & 0x0bf : own;
        var (fault, words) = Known.TryGetValue(bare, out var known)
            ? known : (AccessFault.Failed, "not a usual answer");
        return (fault, $"response code 0x{own:x3}, {words}{Position(own)}");
    }

    private static string Position(uint code)
    {
        if ((code & FormatOne) == 0)
        {
            return "";
        }

        var number = (code >> 8) & 0xf;
        return (code & 0x040) != 0 ? $" (parameter {number})"
            : number >= 8 ? $" (session {number - 8})"
            : number > 0 ? $" (handle {number})" : "";
    }
}
