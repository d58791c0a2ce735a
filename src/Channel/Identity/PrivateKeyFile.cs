using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Channel.Identity;

/// <summary>Reads private keys from files that nobody but their owner can use.</summary>
public static class PrivateKeyFile
{
    private const UnixFileMode Loose =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Reads an unencrypted PKCS#8 private key (RFC 5958) on P-256 in PEM (RFC 7468).</summary>
    /// <exception cref="ChannelIdentityException">
    /// The file is missing, a link, larger than <see cref="ChannelLimits.KeyFileBytes"/>, usable by others, or not such
    /// a key.
    /// </exception>
    public static ECDsa Read(string file)
    {
        var text = ReadPrivateText(file);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                return key;
            }
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw NotAKey(file, error);
        }

        key.Dispose();
        throw NotAKey(file, null);
    }

    private static ChannelIdentityException NotAKey(string file, Exception? inner) => new(
        file, "it does not hold exactly one PKCS#8 private key on P-256 in PEM; make the key again", inner);

    private static string ReadPrivateText(string file)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Whether a key file is private is known only on Linux.");
        }

        try
        {
            if (new FileInfo(file).LinkTarget is not null)
            {
                throw new ChannelIdentityException(file, "it is a symbolic link; name the file itself");
            }

            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            var mode = File.GetUnixFileMode(stream.SafeFileHandle);
            if ((mode & Loose) != 0)
            {
                throw new ChannelIdentityException(
                    file, $"its mode is {Convert.ToString((int)mode, 8)}, so others may use the key; make a new key, "
                    + "in a file of mode 600");
            }

            if (stream.Length > ChannelLimits.KeyFileBytes)
            {
                throw new ChannelIdentityException(file, $"it is larger than {ChannelLimits.KeyFileBytes} bytes");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return Encoding.ASCII.GetString(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ChannelIdentityException(file, "it cannot be read: " + error.Message, error);
        }
    }
}
