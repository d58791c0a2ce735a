using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Names of devices, MAC addresses and UUIDs, derived from references alone, so that every host derives the same for a
/// machine or gateway anywhere without asking. Interfaces have at most 15 characters (Linux IFNAMSIZ).
/// </summary>
internal static class DeviceNames
{
    // Two references of a party's digits, a slash and a name, and 20 letters around them.
    private const int MostOfLeg = (2 * (64 + 1 + 40)) + 32;

    public static string Bridge(DomainRef domain) => "bwb" + Digits(domain.ToString());

    public static string Vxlan(DomainRef domain) => "bwx" + Digits(domain.ToString());

    public static string Vlan(DomainRef domain) => "bwv" + Digits(domain.ToString());

    public static string Table(DomainRef domain) => "bw_" + Digits(domain.ToString());

    public static string Namespace(DomainRef domain) => "bwg" + Digits(domain.ToString());

    public static string GatewayPort(DomainRef domain) => "bwp" + Digits(domain.ToString());

    public static string GatewayMac(DomainRef domain) => Mac($"gateway {domain}");

    /// <summary>A service point's namespace, and the host's end of the pair into it.</summary>
    public static string ServicePoint(DomainRef domain) => "bwn" + Digits(domain.ToString());

    public static string ServiceMac(DomainRef domain) => Mac($"service point {domain}");

    public static string Machine(CompartmentRef machine) =>
        "bw-" + DerivedNames.Digits(machine.ToString(), DerivedNames.MachineDigits);

    public static Guid MachineUuid(CompartmentRef machine) => Uuid($"machine {machine}");

    public static string Tap(CompartmentRef machine, int index) => "bwt" + Digits(Port(machine, index));

    public static string TapMac(CompartmentRef machine, int index) => Mac(Port(machine, index));

    public static string VolumeFile(VolumeRef volume, bool encrypted) =>
        DerivedNames.Digits(volume.ToString(), DerivedNames.VolumeDigits) + (encrypted ? ".luks" : ".raw");

    public static string TpmState(CompartmentRef machine) => DerivedNames.Digits($"tpm {machine}", 32) + ".tpm";

    public static Guid VolumeSecret(CompartmentRef machine, VolumeRef volume) =>
        Uuid($"volume {volume} of {machine}");

    /// <summary>10 hex digits of both references, whichever comes first.</summary>
    public static string Passage(DomainRef left, DomainRef right) => Digits(PassageReference(left, right));

    /// <summary>Both references in their order.</summary>
    public static string PassageReference(DomainRef left, DomainRef right)
    {
        var (first, second) = (left.ToString(), right.ToString());
        return string.CompareOrdinal(first, second) <= 0 ? $"passage {first} {second}" : $"passage {second} {first}";
    }

    public static string PassageBridge(string passage) => "bwb" + passage;

    public static string PassageVxlan(string passage) => "bwx" + passage;

    public static string PassageTable(string passage) => "bw_" + passage;

    /// <summary>Both places of a switch's encrypted tunnels, on a host with these addresses inside.</summary>
    public static EncryptedTunnels Encrypted(string segment, ImmutableArray<string> addresses) => new(segment,
    [
        .. addresses.Select((address, number) => new EncryptedTunnel(
            Placed("bws", segment, number), Placed("bww", segment, number), Placed("bwy", segment, number), address)),
    ]);

    /// <summary>The digits by which hosts name a domain's switch to each other.</summary>
    public static string Segment(DomainRef domain) => Digits(domain.ToString());

    public static string LegPort(DomainRef domain, string passage) => "bwq" + Digits($"leg {domain} {passage}");

    public static string LegDevice(string passage) => "leg" + passage;

    public static string LegMac(HostRef host, DomainRef domain, string passage)
    {
        var (party, tenant) = (host.Operator.Digest, domain.Tenant.Digest);
        // Made of every leg of every host: as few texts as can be.
        Span<char> text = stackalloc char[MostOfLeg];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        DerivedNames.Hash(
            text.TryWrite(
                $"mac leg {party.Hex}/{host.Name.Text} {tenant.Hex}/{domain.Name.Text} {passage}", out var length)
                ? text[..length] : throw new System.Diagnostics.UnreachableException(), hash);
        return MacText(hash);
    }

    /// <summary>The link-local address that follows from a MAC (RFC 4291, appendix A).</summary>
    public static string LinkLocal(string mac)
    {
        Span<byte> bytes = stackalloc byte[16];
        LinkLocal(mac, bytes);
        return new IPAddress(bytes).ToString();
    }

    /// <summary>The same as 32 hex digits.</summary>
    public static string LinkLocalDigits(string mac)
    {
        Span<byte> bytes = stackalloc byte[16];
        LinkLocal(mac, bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static void LinkLocal(string mac, Span<byte> bytes)
    {
        // Two digits and a colon for each byte; the second bit of the first says that the whole is universal.
        Span<byte> own = stackalloc byte[6];
        for (var i = 0; i < own.Length; i++)
        {
            own[i] = byte.Parse(mac.AsSpan(3 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }

        bytes.Clear();
        ReadOnlySpan<byte> last =
            [(byte)(own[0] ^ 2), own[1], own[2], 0xff, 0xfe, own[3], own[4], own[5]];
        (bytes[0], bytes[1]) = (0xfe, 0x80);
        last.CopyTo(bytes[8..]);
    }

    private static string Placed(string prefix, string segment, int number) =>
        string.Concat(prefix, segment, number.ToString(CultureInfo.InvariantCulture));

    private static string Port(CompartmentRef machine, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"port {machine} {index}");

    private static string Digits(string reference) => DerivedNames.Digits(reference, DerivedNames.DeviceDigits);

    /// <summary>A locally administered unicast address (IEEE 802, section 8.4).</summary>
    private static string Mac(string reference)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        DerivedNames.Hash("mac " + reference, hash);
        return MacText(hash);
    }

    private static string MacText(ReadOnlySpan<byte> hash)
    {
        Span<char> text = stackalloc char[17];
        text.Fill(':');
        "02".CopyTo(text);
        for (var i = 0; i < 5; i++)
        {
            Convert.TryToHexStringLower(hash.Slice(i, 1), text.Slice(3 * (i + 1), 2), out _);
        }

        return new string(text);
    }

    /// <summary>A UUID of version 8 (RFC 9562, section 5.8).</summary>
    private static Guid Uuid(string reference)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        DerivedNames.Hash("uuid " + reference, hash);
        var bytes = hash[..16];
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
