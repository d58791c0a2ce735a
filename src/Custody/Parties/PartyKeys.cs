using System.Security.Cryptography;
using System.Text;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Custody.Parties;

/// <summary>
/// Private keys as files: PKCS#8 in PEM (RFC 7468), mode 0600, encrypted (PBES2, AES-256-CBC, PBKDF2-SHA-256) when a
/// passphrase is given; or, with the ending <see cref="TokenEnding"/>, the name of a key that stays in a PKCS#11 token.
/// </summary>
public static class PartyKeys
{
    /// <summary>The ending of a file that names a key in a token.</summary>
    public const string TokenEnding = ".token";

    private const int MaximumPemBytes = 8192;
    private const int Iterations = 600_000;

    /// <summary>Makes a P-256 key and writes it durably; an existing file of that name is never overwritten.</summary>
    /// <returns>The public half.</returns>
    /// <exception cref="CustodyException">A file of that name exists.</exception>
    public static PublicKey Create(PrivateDirectory directory, string name, string? passphrase)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ExpectFree(directory, name);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string pem = passphrase is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(
                passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, Iterations));
        byte[] bytes = Encoding.ASCII.GetBytes(pem + "\n");
        DurableFile.Replace(directory, name, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return new EcdsaSigner(key).PublicKey;
    }

    /// <summary>Names a token's key in a file; an existing file of that name is never overwritten.</summary>
    /// <returns>The public half.</returns>
    /// <exception cref="CustodyException">A file of that name exists.</exception>
    public static PublicKey Place(PrivateDirectory directory, string name, TokenReference token)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(token);
        ExpectFree(directory, name);
        DurableFile.Replace(directory, name, token.Write());
        return token.Key;
    }

    /// <summary>Gives a key file another name: the copy is durable before the first name is gone.</summary>
    public static void Move(PrivateDirectory directory, string from, string to)
    {
        byte[] bytes = DurableFile.Read(directory, from, MaximumPemBytes)
            ?? throw new CustodyException($"The key file {from} is missing.");
        DurableFile.Replace(directory, to, bytes);
        DurableFile.Remove(directory, from);
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>What a file says of a key in a token; null for another kind of file.</summary>
    /// <exception cref="CustodyException">It says nothing that can be read.</exception>
    public static TokenReference? Token(PrivateDirectory directory, string name)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(name);
        return !name.EndsWith(TokenEnding, StringComparison.Ordinal)
            ? null
            : TokenReference.Read(DurableFile.Read(directory, name, MaximumPemBytes))
                ?? throw new CustodyException(
                    $"{name} in {directory.Path} names no key of a token and the file of its PIN.");
    }

    /// <summary>Opens a key file for signing.</summary>
    /// <exception cref="CustodyException">The file is missing, is no P-256 key, or the passphrase is wrong.</exception>
    public static EcdsaSigner Open(PrivateDirectory directory, string name, string? passphrase)
    {
        ArgumentNullException.ThrowIfNull(directory);
        byte[] bytes = DurableFile.Read(directory, name, MaximumPemBytes)
            ?? throw new CustodyException($"The key file {name} is missing in {directory.Path}.");
        var key = ECDsa.Create();
        try
        {
            string pem = Encoding.ASCII.GetString(bytes);
            if (!pem.Contains("ENCRYPTED", StringComparison.Ordinal))
            {
                key.ImportFromPem(pem);
            }
            else
            {
                key.ImportFromEncryptedPem(pem, passphrase ?? throw new CustodyException(
                    $"{name} is protected by a passphrase; name its file with --passphrase-file."));
            }

            return new EcdsaSigner(key);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new CustodyException(
                $"{name} in {directory.Path} is no P-256 key, or the passphrase is wrong.", fault);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static void ExpectFree(PrivateDirectory directory, string name)
    {
        if (DurableFile.Read(directory, name, MaximumPemBytes) is not null)
        {
            throw new CustodyException($"{name} exists already; choose an empty directory for new keys.");
        }
    }
}
