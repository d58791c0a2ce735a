namespace Bailiwick.Keyring;

/// <summary>
/// A master key cannot be opened, made, shared or restored. The message names the place and the next step, is meant for
/// the person at the desk, and holds no byte of a secret.
/// </summary>
public sealed class KeyringException : Exception
{
    /// <summary>A failure, as sentences.</summary>
    public KeyringException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
