using System.Security.Cryptography;
using Bailiwick.Durable.Files;

namespace Bailiwick.Keyring.Tokens;

/// <summary>
/// A private key that stays in its PKCS#11 token, reached through OpenSSL's engine `pkcs11`, which loads the module
/// that <c>PKCS11_MODULE_PATH</c> names. The engine reads the PIN's file itself, so that the PIN is in no string of
/// ours; it stays logged in for the life of the process. Safe for use from several threads.
/// </summary>
public static class TokenKey
{
    private const string Engine = "pkcs11";
    private const int LeastPin = 4;
    private const int MostPin = 255;

    // Finding and opening keys is not safe for several threads in the engine.
    private static readonly Lock Gate = new();

    /// <summary>A key that decrypts.</summary>
    /// <param name="uri">The key.</param>
    /// <param name="pinFile">Absolute path of the file with the PIN.</param>
    /// <exception cref="KeyringException">There is no such RSA key, no token, no engine, or the PIN is wrong.
    /// </exception>
    /// <exception cref="Durable.DurableException">The PIN's file is loose, a link, or another's.</exception>
    public static RSA OpenRsa(TokenUri uri, string pinFile) => Open<RSA>(uri, pinFile, key => new RSAOpenSsl(key));

    /// <summary>A key that signs.</summary>
    /// <param name="uri">The key.</param>
    /// <param name="pinFile">Absolute path of the file with the PIN.</param>
    /// <exception cref="KeyringException">There is no such key on an elliptic curve, no token, no engine, or the PIN is
    /// wrong.</exception>
    /// <exception cref="Durable.DurableException">The PIN's file is loose, a link, or another's.</exception>
    public static ECDsa OpenEcdsa(TokenUri uri, string pinFile) =>
        Open<ECDsa>(uri, pinFile, key => new ECDsaOpenSsl(key));

    private static T Open<T>(TokenUri uri, string pinFile, Func<SafeEvpPKeyHandle, T> wrap)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentException.ThrowIfNullOrEmpty(pinFile);
        CheckPin(pinFile);
        try
        {
            lock (Gate)
            {
                using SafeEvpPKeyHandle handle = SafeEvpPKeyHandle.OpenPrivateKeyFromEngine(
                    Engine, $"{uri.Text};type=private;pin-source=file:{Escaped(pinFile)}");
                return wrap(handle);
            }
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            throw new KeyringException(
                $"The token's key {uri} does not open ({error.Message}). Is the token there, is the key of the right "
                + $"kind, is the PIN in '{pinFile}' right, is OpenSSL's engine pkcs11 installed (Debian: "
                + "libengine-pkcs11-openssl), and does PKCS11_MODULE_PATH name the token's module? Tokens lock "
                + "themselves after some wrong PINs.",
                error);
        }
    }

    private static void CheckPin(string path)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(
            LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "/");
        using PrivateFile file = directory.OpenFile(Path.GetFileName(path), DiskOpen.Read)
            ?? throw new KeyringException(
                $"The file '{path}' with the token's PIN is missing. Put it there, mode 0600.");
        if (file.Length is < LeastPin or > MostPin)
        {
            throw new KeyringException(
                $"The file '{path}' is to hold a token's PIN of {LeastPin} to {MostPin} bytes and nothing else.");
        }

        Span<byte> last = stackalloc byte[1];
        file.ReadExactly(file.Length - 1, last);
        if (last[0] is (byte)'\n' or (byte)'\r')
        {
            // The engine would take it for a part of the PIN, and the token count one more wrong PIN.
            throw new KeyringException(
                $"The file '{path}' with the token's PIN ends with a line's end. Write it without one: "
                + "printf %s PIN > FILE.");
        }
    }

    private static string Escaped(string path) =>
        string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
