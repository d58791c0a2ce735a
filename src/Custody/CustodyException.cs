namespace Bailiwick.Custody;

/// <summary>
/// Something at a party's own desk is not as it must be: a missing key, a wrong passphrase, a file that is not ours.
/// The message names the place and the next step, and is meant for the person at the desk.
/// </summary>
public sealed class CustodyException : Exception
{
    /// <summary>An exception with a sentence for people.</summary>
    public CustodyException(string sentence) : base(sentence) { }

    /// <summary>An exception with a sentence for people and its cause.</summary>
    public CustodyException(string sentence, Exception cause) : base(sentence, cause) { }
}
