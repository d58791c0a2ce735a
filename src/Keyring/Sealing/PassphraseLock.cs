using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Keyring.Sealing;

/// <summary>
/// A passphrase: PBKDF2 with HMAC-SHA-256 (RFC 8018) and 600,000 iterations. What it gave for one salt is kept in
/// locked memory as long as the lock is, so that what was opened can be sealed again. Safe for use from several
/// threads.
/// </summary>
public sealed class PassphraseLock : MasterLock
{
    /// <summary>The name of this method in a sealed file.</summary>
    public const string Method = "passphrase";

    /// <summary>The shortest passphrase that seals, in bytes.</summary>
    public const int LeastBytes = 12;

    private const int Iterations = 600_000;
    private const int MostIterations = 10_000_000;
    private const int SaltLength = 16;
    private const int MostFileBytes = 1024;
    private readonly Lock _gate = new();
    private readonly SecretBytes _passphrase;
    private (byte[] Salt, int Iterations, SecretBytes Key)? _derived;

    private PassphraseLock(SecretBytes passphrase) => _passphrase = passphrase;

    /// <summary>Takes a passphrase; it becomes the lock's to dispose of.</summary>
    public static PassphraseLock Of(SecretBytes passphrase)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        return new PassphraseLock(passphrase);
    }

    /// <summary>
    /// Reads the first line of a file, mode 0600 in a private directory, straight into locked memory.
    /// </summary>
    /// <exception cref="Durable.DurableException">The file is loose, a link, or another's.</exception>
    /// <exception cref="KeyringException">It is missing, empty or too long.</exception>
    public static PassphraseLock Read(IDisk disk, string path)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new PassphraseLock(FirstLine.Read(disk, path, "passphrase", MostFileBytes));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (_gate)
        {
            _passphrase.Dispose();
            _derived?.Key.Dispose();
        }
    }

    internal override (JsonObject Seal, SecretBytes Key) Close()
    {
        if (_passphrase.Length < LeastBytes)
        {
            throw new KeyringException(
                $"The passphrase has {_passphrase.Length} bytes; choose one of at least {LeastBytes}. "
                + "It is all that keeps whoever has the sealed file from the master key.");
        }

        lock (_gate)
        {
            // What was opened is sealed again under its own salt: the key is there, and the nonce is new.
            byte[] salt = _derived?.Salt ?? RandomNumberGenerator.GetBytes(SaltLength);
            int iterations = _derived?.Iterations ?? Iterations;
            return (
                new JsonObject
                {
                    ["method"] = Method,
                    ["iterations"] = iterations,
                    ["salt"] = Convert.ToBase64String(salt),
                },
                Derive(salt, iterations));
        }
    }

    internal override SecretBytes Open(DocumentObject seal, string place)
    {
        ArgumentNullException.ThrowIfNull(seal);
        if (seal.Text("method") != Method)
        {
            throw new KeyringException(
                $"{place} is not sealed by a passphrase; name what it is sealed by in the settings.");
        }

        if (!seal.HasExactly("method", "iterations", "salt")
            || seal.Count("iterations") is not (>= Iterations and <= MostIterations and var iterations)
            || seal.Bytes("salt", SaltLength) is not { Length: SaltLength } salt)
        {
            throw SealedMasterKey.NotOurs(place);
        }

        lock (_gate)
        {
            return Derive(salt, (int)iterations);
        }
    }

    private SecretBytes Derive(byte[] salt, int iterations)
    {
        if (_derived is not { } known || known.Iterations != iterations || !known.Salt.AsSpan().SequenceEqual(salt))
        {
            SecretBytes key = SecretBytes.Create(MasterKey.Length, derived =>
            {
                using SecretLoan passphrase = _passphrase.Borrow();
                Rfc2898DeriveBytes.Pbkdf2(passphrase.Bytes, salt, derived, iterations, HashAlgorithmName.SHA256);
            });
            _derived?.Key.Dispose();
            _derived = known = (salt, iterations, key);
        }

        return SecretBytes.Create(MasterKey.Length, copy =>
        {
            using SecretLoan loan = known.Key.Borrow();
            loan.Bytes.CopyTo(copy);
        });
    }
}
