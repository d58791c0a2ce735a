using System.Collections.Immutable;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Settings;

/// <summary>The settings file as written: strict JSON, every member needed.</summary>
/// <param name="Directory">Absolute path of the private directory with the store.</param>
/// <param name="Listen">Addresses: `10.99.0.2:7443`, `unix:/path`.</param>
/// <param name="TlsKey">File with the private key of the channel.</param>
/// <param name="LogKey">File with the private key that signs checkpoints.</param>
/// <param name="Origin">The log's name.</param>
/// <param name="Datacentre">The operator's id, 64 hexadecimal digits.</param>
public sealed record SettingsFile(
    string Directory, ImmutableArray<string> Listen, string TlsKey, string LogKey, string Origin, string Datacentre);

/// <summary>The settings, checked.</summary>
public sealed class MasterSettings
{
    private MasterSettings(SettingsFile file, ImmutableArray<ChannelAddress> listen, PartyId datacentre)
    {
        File = file;
        Listen = listen;
        Datacentre = datacentre;
    }

    /// <summary>The paths and the origin, as written.</summary>
    public SettingsFile File { get; }

    /// <summary>Where to listen; at least one address.</summary>
    public ImmutableArray<ChannelAddress> Listen { get; }

    /// <summary>The operator whose datacentre this is.</summary>
    public PartyId Datacentre { get; }

    /// <summary>Reads the file; every problem in it is named at once.</summary>
    /// <exception cref="MasterSettingsException">It cannot be used.</exception>
    public static MasterSettings Read(string path)
    {
        var file = Parse(path);
        var problems = new List<string>();
        foreach (var (member, text) in new[]
            { ("directory", file.Directory), ("tlsKey", file.TlsKey), ("logKey", file.LogKey) })
        {
            if (!Path.IsPathFullyQualified(text))
            {
                problems.Add($"{member} must be an absolute path, not '{text}'.");
            }
        }

        var listen = ImmutableArray.CreateBuilder<ChannelAddress>();
        foreach (var text in file.Listen)
        {
            if (ChannelAddress.TryParse(text, out var address))
            {
                listen.Add(address);
            }
            else
            {
                problems.Add($"listen has '{text}'; give 10.0.0.1:7443, [::1]:7443 or unix:/absolute/path.");
            }
        }

        if (file.Listen.IsDefaultOrEmpty)
        {
            problems.Add("listen must have at least one address.");
        }

        if (!PartyId.TryParse(file.Datacentre, out var datacentre))
        {
            problems.Add("datacentre must be a party id: 64 lower-case hexadecimal digits.");
        }

        return problems.Count == 0 && datacentre is not null
            ? new MasterSettings(file, listen.ToImmutable(), datacentre)
            : throw new MasterSettingsException(path, string.Join(" ", problems));
    }

    /// <summary>The log's key under the log's name.</summary>
    /// <exception cref="MasterSettingsException">The origin cannot be a name.</exception>
    public NoteKey LogName(PublicKey key)
    {
        try
        {
            return NoteKey.Of(File.Origin, key);
        }
        catch (ArgumentException error)
        {
            throw new MasterSettingsException(File.Origin, error.Message);
        }
    }

    private static SettingsFile Parse(string path)
    {
        const UnixFileMode othersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("The board runs on Linux.");
        }

        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if ((System.IO.File.GetUnixFileMode(stream.SafeFileHandle) & othersWrite) != 0)
            {
                throw new MasterSettingsException(path, "Others may write it; set its mode to 600.");
            }

            if (stream.Length > MasterLimits.SettingsBytes)
            {
                throw new MasterSettingsException(path, $"It is larger than {MasterLimits.SettingsBytes} bytes.");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return StrictJson.Read<SettingsFile>(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or StrictJsonException)
        {
            throw new MasterSettingsException(path, error.Message);
        }
    }
}

/// <summary>The settings cannot be used; the message says why and where.</summary>
public sealed class MasterSettingsException(string path, string cause)
    : Exception($"The settings '{path}' are refused. {cause}");
