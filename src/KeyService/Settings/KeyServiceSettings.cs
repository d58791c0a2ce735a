using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Wire;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Settings;

/// <summary>The settings, checked.</summary>
/// <param name="File">The paths, as written.</param>
/// <param name="Listen">Where to listen; at least one address.</param>
/// <param name="Tenant">The tenant, whose first root was held against its id.</param>
/// <param name="Datacentre">The operator.</param>
/// <param name="Board">The board's address, its key's id and its log's key.</param>
/// <param name="Vendors">The vendors of TPMs whom the tenant believes, or null.</param>
public sealed record KeyServiceSettings(
    SettingsFile File, ImmutableArray<ChannelAddress> Listen, PartyId Tenant, PartyId Datacentre, BoardPin Board,
    VendorTrust? Vendors)
{
    private const int MaxFileBytes = 8 * 1024 * 1024;

    /// <summary>Reads a settings file, mode 0600 in a private directory; names all its problems at once.</summary>
    /// <exception cref="SettingsException">It cannot be used.</exception>
    public static KeyServiceSettings Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SettingsFile file = Parse(path);
        List<string> problems = [];
        ImmutableArray<ChannelAddress> listen = Addresses(file, problems);
        PartyId? tenant = Party(file.Tenant, "tenant", problems);
        PartyId? datacentre = Party(file.Datacentre, "datacentre", problems);
        foreach (var (member, text) in new[]
            {
                ("directory", file.Directory), ("tlsKey", file.TlsKey), ("tenantRoot", file.TenantRoot),
            })
        {
            if (!Path.IsPathFullyQualified(text))
            {
                problems.Add($"{member} must be an absolute path, not '{text}'.");
            }
        }

        problems.AddRange(file.MasterKey.Problems());
        CheckRoot(file.TenantRoot, tenant, problems);
        BoardPin? board = Pin(file, problems);
        VendorTrust? vendors = Trust(file, problems);
        return problems.Count == 0 && tenant is not null && datacentre is not null && board is not null
            ? new KeyServiceSettings(file, listen, tenant, datacentre, board, vendors)
            : throw new SettingsException(path, string.Join(" ", problems));
    }

    private static SettingsFile Parse(string path)
    {
        try
        {
            return StrictJson.Read<SettingsFile>(Bytes(Path.GetFullPath(path)));
        }
        catch (Exception error) when (error is DurableException or StrictJsonException or ArgumentException)
        {
            throw new SettingsException(path, error.Message);
        }
    }

    private static byte[] Bytes(string path)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(
            LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "/");
        return DurableFile.Read(directory, Path.GetFileName(path), MaxFileBytes)
            ?? throw new DurableException("open", path, "there is no such file");
    }

    private static ImmutableArray<ChannelAddress> Addresses(SettingsFile file, List<string> problems)
    {
        var listen = ImmutableArray.CreateBuilder<ChannelAddress>();
        foreach (string text in file.Listen)
        {
            if (ChannelAddress.TryParse(text, out var address))
            {
                listen.Add(address);
            }
            else
            {
                problems.Add($"listen has '{text}'; give 10.0.0.1:7600, [::1]:7600 or unix:/absolute/path.");
            }
        }

        if (file.Listen.IsDefaultOrEmpty)
        {
            problems.Add("listen must have at least one address.");
        }

        return listen.ToImmutable();
    }

    private static PartyId? Party(string text, string member, List<string> problems)
    {
        if (!PartyId.TryParse(text, out var party))
        {
            problems.Add($"{member} must be a party id: 64 lower-case hexadecimal digits.");
        }

        return party;
    }

    private static void CheckRoot(string path, PartyId? tenant, List<string> problems)
    {
        try
        {
            bool isRoot = StatementBook.Empty.Consider(Bytes(path)) is StatementVerdict.Accepted accepted
                && accepted.Statement.Kind == StatementKind.Tenant
                && (tenant is null || accepted.Statement.Owner == tenant);
            if (!isRoot)
            {
                problems.Add($"tenantRoot '{path}' is not the first root of the tenant.");
            }
        }
        catch (Exception error) when (error is DurableException or ArgumentException)
        {
            problems.Add($"tenantRoot: {error.Message}.");
        }
    }

    private static VendorTrust? Trust(SettingsFile file, List<string> problems)
    {
        if (file.Vendors.Length == 0)
        {
            return null;
        }

        try
        {
            byte[] roots = Bytes(file.Vendors);
            byte[] others = file.VendorIntermediates.Length == 0 ? [] : Bytes(file.VendorIntermediates);
            EkTrust trust = EkTrust.FromPem(Encoding.UTF8.GetString(roots), Encoding.UTF8.GetString(others));
            if (trust.Roots == 0 || trust.Unreadable > 0)
            {
                problems.Add(string.Create(CultureInfo.InvariantCulture,
                    $"vendors: {trust.Roots} roots can be read, {trust.Unreadable} certificates cannot."));
            }

            return new VendorTrust(Digest32.Of(roots), trust);
        }
        catch (Exception error) when (error is DurableException or ArgumentException)
        {
            problems.Add($"vendors: {error.Message}.");
            return null;
        }
    }

    private static BoardPin? Pin(SettingsFile file, List<string> problems)
    {
        int before = problems.Count;
        if (!ChannelAddress.TryParse(file.Master.Address, out var address))
        {
            problems.Add("master.address must be like 10.0.0.2:7443 or unix:/absolute/path.");
        }

        if (!KeyId.TryParse(file.Master.Key, out var key))
        {
            problems.Add("master.key must be the id of the board's key: 64 lower-case hexadecimal digits.");
        }

        if (!PublicKey.TryParseBase64(file.Log.Key, out var logKey))
        {
            problems.Add("log.key must be a P-256 SubjectPublicKeyInfo in base64.");
        }

        if (problems.Count > before || address is null || key is null || logKey is null)
        {
            return null;
        }

        try
        {
            return new BoardPin(address, key, NoteKey.Of(file.Log.Origin, logKey));
        }
        catch (ArgumentException error)
        {
            problems.Add($"log.origin: {error.Message}");
            return null;
        }
    }
}
