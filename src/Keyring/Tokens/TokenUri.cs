using System.Buffers;

namespace Bailiwick.Keyring.Tokens;

/// <summary>
/// Names one private key in a PKCS#11 token (RFC 7512), like <c>pkcs11:token=bank;object=master</c>. Only what names a
/// token and an object is understood: a PIN in it would be shown wherever the name is, a module's path would be a
/// program to load.
/// </summary>
public sealed class TokenUri
{
    private const string Scheme = "pkcs11:";
    private const int MostLength = 512;
    private static readonly string[] Tokens = ["token", "serial"];
    private static readonly string[] Objects = ["object", "id"];
    private static readonly string[] Known = [.. Tokens, .. Objects, "manufacturer", "model"];

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private TokenUri(string text) => Text = text;

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a name.</summary>
    /// <exception cref="KeyringException">It names no key, or more than that.</exception>
    public static TokenUri Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[][] parts = text.StartsWith(Scheme, StringComparison.Ordinal) && text.Length <= MostLength
            ? [.. text[Scheme.Length..].Split(';').Select(part => part.Split('=', 2))] : [];
        string[] names = [.. parts.Select(part => part[0])];
        return parts.Length > 0 && parts.All(part => part.Length == 2 && IsValue(part[1]))
            && names.All(Known.Contains) && names.Distinct(StringComparer.Ordinal).Count() == names.Length
            && names.Any(Tokens.Contains) && names.Any(Objects.Contains)
                ? new TokenUri(text)
                : throw new KeyringException(
                    $"'{text}' names no key of a token. Give a token (or serial) and an object (or id), like "
                    + "pkcs11:token=bank;object=master; everything but letters, digits and -._~ is written %20. The "
                    + "PIN comes from a file of its own, and the module from PKCS11_MODULE_PATH.");
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool IsValue(string value)
    {
        for (int at = 0; at < value.Length; at++)
        {
            if (value[at] == '%')
            {
                if (at + 2 >= value.Length || !char.IsAsciiHexDigit(value[at + 1])
                    || !char.IsAsciiHexDigit(value[at + 2]))
                {
                    return false;
                }

                at += 2;
            }
            else if (!Plain.Contains(value[at]))
            {
                return false;
            }
        }

        return value.Length > 0;
    }
}
