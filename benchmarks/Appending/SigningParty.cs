using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Identity;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>A party of the bench: three root keys of which two must sign, and an administrator.</summary>
internal sealed class SigningParty : IDisposable
{
    private const int Keys = 3;
    private const int Threshold = 2;
    private static readonly DateTimeOffset Issued = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ECDsa[] _keys = [.. Enumerable.Range(0, Keys).Select(_ => NewKey())];
    private readonly EcdsaSigner[] _signers;
    private int _volumes;

    internal SigningParty() => _signers = [.. _keys.Select(key => new EcdsaSigner(key))];

    /// <summary>The keys that sign a statement.</summary>
    internal IReadOnlyList<EcdsaSigner> Signing => [.. _signers.Take(Threshold)];

    internal ChannelIdentity Admin { get; } = ChannelIdentity.FromKey(NewKey());

    /// <summary>The id; known once the root is made.</summary>
    internal PartyId Id { get; private set; } = PartyId.Unsigned("none");

    internal static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal byte[] DatacentreRoot(string origin, PublicKey log, PartyId tenant) => Root(
        StatementKind.Datacentre, "alpine", new
        {
            roots = Roots(),
            threshold = Threshold,
            admins = new[] { Admin.Key.Base64 },
            auditors = Array.Empty<string>(),
            tenants = new[] { tenant.ToString() },
            log = new { origin, key = log.Base64 },
        });

    internal byte[] TenantRoot() => Root(StatementKind.Tenant, "bank", new
    {
        legalName = "Example Bank plc",
        roots = Roots(),
        threshold = Threshold,
        admins = new[] { Admin.Key.Base64 },
        auditors = Array.Empty<string>(),
        keyService = new { key = new EcdsaSigner(_keys[^1]).PublicKey.Base64, address = "10.99.0.3:7600" },
    });

    /// <summary>The payload of one more statement of the party's: another volume.</summary>
    internal byte[] VolumePayload() => StatementPayload.Compose(
        StatementKind.Volume, Id, StatementName.Parse($"volume-{_volumes++}"), 1, null, Issued,
        JsonElement.Parse("""{"domain":"web","sizeMiB":16,"wipe":"crypto-erase"}"""));

    internal byte[] Volume() => EnvelopeWriter.Sign(VolumePayload(), Signing);

    public void Dispose()
    {
        Admin.Dispose();
        foreach (var key in _keys)
        {
            key.Dispose();
        }
    }

    private object[] Roots() => [.. _signers.Select(one => new { key = one.PublicKey.Base64 })];

    private byte[] Root(StatementKind kind, string name, object body)
    {
        var payload = StatementPayload.Compose(
            kind, null, StatementName.Parse(name), 1, null, Issued, JsonSerializer.SerializeToElement(body));
        Id = PartyId.OfFirstRoot(payload);
        return EnvelopeWriter.Sign(payload, Signing);
    }
}
