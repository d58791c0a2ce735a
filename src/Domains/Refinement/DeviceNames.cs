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

    /// <summary>Both places of a switch's encrypted tunnels.</summary>
    public static EncryptedTunnels Encrypted(string segment, string underlayIpv4) => new(segment,
    [
        .. Enumerable.Range(0, EncryptedTunnels.Places).Select(number => new EncryptedTunnel(
            Placed("bws", segment, number), Placed("bww", segment, number), Placed("bwy", segment, number),
            InnerAddress.Of(underlayIpv4, number))),
    ]);

    /// <summary>The digits by which hosts name a domain's switch to each other.</summary>
    public static string Segment(DomainRef domain) => Digits(domain.ToString());

    public static string LegPort(DomainRef domain, string passage) => "bwq" + Digits($"leg {domain} {passage}");

    public static string LegDevice(string passage) => "leg" + passage;

    public static string LegMac(HostRef host, DomainRef domain, string passage) =>
        Mac(Leg(host, domain, passage));

    /// <summary>The link-local address that follows from a MAC (RFC 4291, appendix A).</summary>
    public static string LinkLocal(string mac) => new IPAddress(Convert.FromHexString(LinkLocalDigits(mac))).ToString();

    /// <summary>The same as 32 hex digits.</summary>
    public static string LinkLocalDigits(string mac)
    {
        // Two digits and a colon for each byte; the second bit of the first says that the whole is universal.
        var first = Convert.ToHexStringLower([(byte)(Convert.ToByte(mac[..2], 16) ^ 2)]);
        return string.Concat(
            "fe80000000000000", first,
            string.Concat(mac.AsSpan(3, 2), mac.AsSpan(6, 2), "fffe", mac.AsSpan(9, 2)),
            string.Concat(mac.AsSpan(12, 2), mac.AsSpan(15, 2)));
    }

    private static string Placed(string prefix, string segment, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{segment}{number}");

    private static string Port(CompartmentRef machine, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"port {machine} {index}");

    private static string Leg(HostRef host, DomainRef domain, string passage) => $"leg {host} {domain} {passage}";

    private static string Digits(string reference) => DerivedNames.Digits(reference, DerivedNames.DeviceDigits);

    /// <summary>A locally administered unicast address (IEEE 802, section 8.4).</summary>
    private static string Mac(string reference)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        DerivedNames.Hash("mac " + reference, hash);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"02:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}:{hash[3]:x2}:{hash[4]:x2}");
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
