using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Keyring.Sealing;

/// <summary>
/// What closes and opens sealed master keys. A closed set: <see cref="PassphraseLock"/>, <see cref="TokenLock"/>.
/// </summary>
public abstract class MasterLock : IDisposable
{
    private protected MasterLock()
    {
    }

    /// <summary>Forgets what it knows.</summary>
    public abstract void Dispose();

    /// <summary>A key to seal with, and what the sealed file says of it.</summary>
    internal abstract (JsonObject Seal, SecretBytes Key) Close();

    /// <summary>The key of a sealed file.</summary>
    /// <param name="seal">What the file says of it.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="KeyringException">The file was not sealed so, or not in the form it must have.</exception>
    internal abstract SecretBytes Open(DocumentObject seal, string place);
}
