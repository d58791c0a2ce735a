using System.Net;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// A host's address inside its encrypted tunnels: a unique local address (RFC 4193) that follows from its underlay
/// address and the number of the key pair, so that nobody has to be asked for it. It is on no wire: WireGuard accepts
/// it from the one key it belongs to, and every tunnel is alone in its network namespace.
/// </summary>
public static class InnerAddress
{
    /// <summary>The prefix that all of them share.</summary>
    public const string Prefix = "fd62:7277::/32";

    /// <summary>The address.</summary>
    /// <param name="underlayIpv4">The host's underlay address.</param>
    /// <param name="generation">0 or 1.</param>
    public static string Of(string underlayIpv4, int generation)
    {
        byte[] host = IPAddress.Parse(underlayIpv4).GetAddressBytes();
        return new IPAddress(
            [0xfd, 0x62, 0x72, 0x77, 0, 0, 0, (byte)generation, 0, 0, 0, 1, .. host]).ToString();
    }
}
