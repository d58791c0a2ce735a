using System.Text.Json;
using System.Text.Json.Serialization;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy;

/// <summary>
/// The Proxy's configuration file: strict JSON, so that an unknown, repeated or missing member is an error and never a
/// default.
/// </summary>
public sealed record ProxyConfiguration
{
    private const int MaxBytes = 64 * 1024;

    // A socket's address has 108 bytes, the last of them zero (unix(7)); the rest is /machines/<name>/probe.sock.
    private const int MaxDirectoryLength = 107 - 40;

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>
    /// The Proxy's own directory, mode 0700: integrity log, accepted statements, boot files, machines.
    /// </summary>
    public required string Directory { get; init; }
    /// <summary><c>&lt;operator id&gt;/&lt;host name&gt;</c>.</summary>
    public required string Host { get; init; }
    /// <summary>File with the host's private identity key (PKCS#8 PEM, P-256).</summary>
    public required string IdentityKey { get; init; }
    /// <summary>Where the API listens: <c>address:port</c> or <c>unix:/path</c>.</summary>
    public required string[] Listen { get; init; }
    /// <summary>The unix socket that libvirt's hook asks.</summary>
    public required string HookSocket { get; init; }
    /// <summary>The Master: where it is and the id of its TLS key.</summary>
    public required PeerConfiguration Master { get; init; }
    /// <summary>The ledger whose checkpoints are believed.</summary>
    public required LogConfiguration Log { get; init; }
    /// <summary>libvirt's own unix socket; empty for the system's.</summary>
    public required string Libvirt { get; init; }
    /// <summary>The directory of volume files.</summary>
    public required string Pool { get; init; }
    /// <summary>The directory of boot files, each named by its SHA-256.</summary>
    public required string Images { get; init; }

    /// <summary>
    /// This host's TPM: <c>device:/dev/tpmrm0</c> or <c>swtpm:/path</c> of a socket; empty when it has none, and then
    /// its evidence is only its word.
    /// </summary>
    public required string Tpm { get; init; }

    /// <summary>What was measured into the TPM.</summary>
    public required MeasurementConfiguration Measurements { get; init; }

    /// <summary>
    /// <c>kvm</c> or <c>emulated</c>; emulation, which every host can do, when it is not said.
    /// </summary>
    public Hypervisor Hypervisor { get; init; } = Hypervisor.Emulated;

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="ConfigurationException">It cannot be read or is not exactly what is expected.</exception>
    public static ProxyConfiguration Read(string file)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(file);
            if (bytes.Length > MaxBytes)
            {
                throw new ConfigurationException(
                    $"{file} has {bytes.Length} bytes; a configuration has at most {MaxBytes}.");
            }

            return (JsonSerializer.Deserialize<ProxyConfiguration>(bytes, Strict)
                ?? throw new ConfigurationException($"{file} is null.")).Checked(file);
        }
        catch (JsonException error)
        {
            throw new ConfigurationException($"{file}: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{file} cannot be read: {error.Message}");
        }
    }

    private ProxyConfiguration Checked(string file)
    {
        foreach (string path in new[] { Directory, IdentityKey, HookSocket, Pool, Images })
        {
            if (!Path.IsPathFullyQualified(path))
            {
                throw new ConfigurationException($"{file}: \"{path}\" is not an absolute path.");
            }
        }

        if (Directory.Length > MaxDirectoryLength)
        {
            throw new ConfigurationException(
                $"{file}: \"{Directory}\" has {Directory.Length} characters; with more than {MaxDirectoryLength} the " +
                "path of a machine's socket does not fit into a socket's address.");
        }

        return Listen.Length is 0 or > 8
            ? throw new ConfigurationException($"{file}: listen needs 1 to 8 addresses.")
            : this;
    }
}

/// <summary>The logs of what was measured; empty where there is none.</summary>
/// <param name="Boot">
/// The firmware's event log: <c>/sys/kernel/security/tpm0/binary_bios_measurements</c>.
/// </param>
/// <param name="Runtime">The kernel's: <c>/sys/kernel/security/ima/binary_runtime_measurements</c>.</param>
public sealed record MeasurementConfiguration(string Boot, string Runtime);

/// <summary>A peer on the channel.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Key">The id of its TLS key, 64 hex digits.</param>
public sealed record PeerConfiguration(string Address, string Key);

/// <summary>A ledger.</summary>
/// <param name="Origin">The checkpoint's origin line.</param>
/// <param name="Key">The key that signs its checkpoints: SubjectPublicKeyInfo in base64.</param>
public sealed record LogConfiguration(string Origin, string Key);

/// <summary>The configuration cannot be used. The message names the file and what to change.</summary>
public sealed class ConfigurationException(string message) : Exception(message);
