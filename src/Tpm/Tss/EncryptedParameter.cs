namespace Bailiwick.Tpm.Tss;

/// <summary>Which parameter a session encrypts.</summary>
internal enum EncryptedParameter
{
    /// <summary>The first of the command, such as what is to be sealed.</summary>
    OfCommand,

    /// <summary>The first of the response, such as what was unsealed.</summary>
    OfResponse,
}
