using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bailiwick.Channel.Pinned;

/// <summary>
/// Where a part listens: an IP address and a port (`10.99.0.2:7443`, `[::1]:7443`) or a Unix socket (`unix:/run/x`).
/// No names: what a name means is for others to decide.
/// </summary>
public sealed record ChannelAddress
{
    private const string UnixScheme = "unix:";

    /// <summary>Longest path of a Unix socket on Linux, in bytes (unix(7)).</summary>
    private const int SocketPathBytes = 107;

    private ChannelAddress(string text, EndPoint endPoint, string? path)
    {
        Text = text;
        EndPoint = endPoint;
        SocketPath = path;
    }

    /// <summary>The address as written.</summary>
    public string Text { get; }

    /// <summary>The address for the socket.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The absolute path of the Unix socket, or null for TCP.</summary>
    public string? SocketPath { get; }

    /// <summary>Reads an address in one of its three forms; the port 0 (any) is only for listeners.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ChannelAddress? address)
    {
        address = null;
        if (text is null)
        {
            return false;
        }

        if (text.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            var path = text[UnixScheme.Length..];
            if (path.Length < 2 || path[0] != '/' || path.Contains('\0', StringComparison.Ordinal)
                || Encoding.UTF8.GetByteCount(path) > SocketPathBytes)
            {
                return false;
            }

            address = new ChannelAddress(text, new UnixDomainSocketEndPoint(path), path);
            return true;
        }

        // The standard reader takes 1, 0x7f.1 and the like; only the form that it writes itself is accepted.
        if (!IPEndPoint.TryParse(text, out var endPoint) || endPoint.ToString() != text)
        {
            return false;
        }

        address = new ChannelAddress(text, endPoint, null);
        return true;
    }

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException">It has none of the three forms.</exception>
    public static ChannelAddress Parse(string text) => TryParse(text, out var address)
        ? address
        : throw new FormatException(
            $"'{text}' is not an address: give 10.0.0.1:7443, [::1]:7443 or unix:/absolute/path.");

    /// <inheritdoc/>
    public override string ToString() => Text;
}
