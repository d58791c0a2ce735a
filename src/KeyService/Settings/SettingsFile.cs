using System.Collections.Immutable;
using Bailiwick.Channel.Pinned;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.KeyService.Settings;

/// <summary>The settings file as written: strict JSON, every member needed.</summary>
/// <param name="Directory">Absolute path of the private directory with the store.</param>
/// <param name="Listen">Addresses: `10.99.0.3:7600`, `unix:/path`.</param>
/// <param name="TlsKey">File with the private key of the channel, which the tenant's root names.</param>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="TenantRoot">File with the envelope of the tenant's first root.</param>
/// <param name="Datacentre">The id of the operator whose hosts and board are meant.</param>
/// <param name="Master">The board.</param>
/// <param name="Log">The board's log.</param>
/// <param name="MasterKey">The tenant's master key, as it lies sealed, and what it is sealed by.</param>
/// <param name="Vendors">
/// PEM file of the root certificates of the vendors of TPMs whom the tenant believes, the one its domains name; empty
/// when none is.
/// </param>
/// <param name="VendorIntermediates">PEM file of certificates between those roots and TPMs; empty when none.</param>
public sealed record SettingsFile(
    string Directory, ImmutableArray<string> Listen, string TlsKey, string Tenant, string TenantRoot, string Datacentre,
    MasterPin Master, LogPin Log, MasterKeySetting MasterKey, string Vendors, string VendorIntermediates);

/// <summary>The sealed master key of the tenant, and one of two things that it is sealed by.</summary>
/// <param name="File">Absolute path of the sealed file; its directory is written to when the key is rotated.</param>
/// <param name="PassphraseFile">Absolute path of the file whose first line is the passphrase.</param>
/// <param name="Token">The key in a PKCS#11 token (RFC 7512).</param>
/// <param name="PinFile">Absolute path of the file with the token's PIN.</param>
public sealed record MasterKeySetting(
    string File, string? PassphraseFile = null, string? Token = null, string? PinFile = null)
{
    /// <summary>What is wrong with it; empty when nothing is.</summary>
    public IEnumerable<string> Problems()
    {
        bool byPassphrase = PassphraseFile is not null && Token is null && PinFile is null;
        bool byToken = PassphraseFile is null && Token is not null && PinFile is not null;
        if (!byPassphrase && !byToken)
        {
            yield return "masterKey must name what it is sealed by: either passphraseFile, or token and pinFile.";
        }

        (string Member, string? Path)[] paths =
            [("file", File), ("passphraseFile", PassphraseFile), ("pinFile", PinFile)];
        foreach (var (member, path) in paths)
        {
            if (path is not null && !Path.IsPathFullyQualified(path))
            {
                yield return $"masterKey.{member} must be an absolute path, not '{path}'.";
            }
        }
    }

    /// <summary>Makes the lock ready; the caller disposes of it.</summary>
    /// <exception cref="KeyringException">The passphrase is missing, or the token's key is not named.</exception>
    /// <exception cref="DurableException">A file is loose, a link, or another's.</exception>
    /// <exception cref="InvalidOperationException">It has <see cref="Problems"/>.</exception>
    public MasterLock Lock() => (PassphraseFile, Token, PinFile) switch
    {
        ({ } file, null, null) => PassphraseLock.Read(LinuxDisk.Instance, file),
        (null, { } token, { } pin) => new TokenLock(TokenUri.Read(token), pin),
        _ => throw new InvalidOperationException("a setting that was not checked"),
    };
}

/// <summary>Where the board listens, and the id of its key.</summary>
public sealed record MasterPin(string Address, string Key);

/// <summary>The log's name and its key, SubjectPublicKeyInfo in base64.</summary>
public sealed record LogPin(string Origin, string Key);

/// <summary>The board as this key service knows it beforehand, checked.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Key">The id of its channel key.</param>
/// <param name="Log">The key of its log, under the log's name.</param>
public sealed record BoardPin(ChannelAddress Address, KeyId Key, NoteKey Log);

/// <summary>The settings cannot be used; the message says why and where.</summary>
public sealed class SettingsException(string path, string cause)
    : Exception($"The settings '{path}' are refused. {cause}");
