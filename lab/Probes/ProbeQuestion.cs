using System.Globalization;
using System.Net;

namespace Bailiwick.Lab.Probes;

/// <summary>What is asked of another machine.</summary>
public enum ProbeKind
{
    /// <summary>An ICMP or ICMPv6 echo.</summary>
    Ping,

    /// <summary>A TCP connection, and the identity of who answers.</summary>
    Tcp,

    /// <summary>A UDP datagram, and the identity of who answers.</summary>
    Udp,

    /// <summary>An ARP request (RFC 826).</summary>
    Arp,

    /// <summary>An IPv6 neighbour solicitation (RFC 4861).</summary>
    Neighbour,
}

/// <summary>One question of a sweep.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Address">Whom.</param>
/// <param name="Port">For TCP and UDP, 1 to 65535; else 0.</param>
/// <param name="Token">Marks the question's frames: 1 to 48 of A-Z a-z 0-9 . _ -</param>
public sealed record ProbeQuestion(ProbeKind Kind, IPAddress Address, int Port, string Token)
{
    internal string Text() => string.Create(
        CultureInfo.InvariantCulture, $"{Word(Kind)},{Address},{Port},{Token}");

    internal static string Word(ProbeKind kind) => kind switch
    {
        ProbeKind.Ping => "ping",
        ProbeKind.Tcp => "tcp",
        ProbeKind.Udp => "udp",
        ProbeKind.Arp => "arp",
        ProbeKind.Neighbour => "nd",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
