using System.Text.RegularExpressions;

namespace Bailiwick.Attestation;

/// <summary>
/// The public half of a WireGuard key pair (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", NDSS 2017;
/// Curve25519, RFC 7748) that a host made for one virtual switch, and where it listens for it.
/// </summary>
/// <param name="Segment">The virtual switch: the 10 lower hex digits of its devices' names.</param>
/// <param name="Generation">0 or 1: a new pair takes the other place, so that both stand while peers change over.
/// </param>
/// <param name="Port">UDP port on the host's underlay address.</param>
/// <param name="Key">The public key: base64 of 32 bytes.</param>
public sealed partial record TunnelKey(string Segment, int Generation, int Port, string Key)
{
    /// <summary>Bytes of a key (RFC 7748, section 5).</summary>
    public const int KeyBytes = 32;

    /// <summary>True when every member has the form it must have.</summary>
    public bool IsWellFormed => SegmentForm().IsMatch(Segment) && Generation is 0 or 1 && Port is > 0 and <= 65535
        && IsKey(Key);

    /// <summary>True if it stands before another in the one order that a list of keys has.</summary>
    public bool Precedes(TunnelKey other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return string.CompareOrdinal(Segment, other.Segment) is var order
            && (order < 0 || (order == 0 && Generation < other.Generation));
    }

    /// <summary>True for base64 of 32 bytes in its one accepted encoding.</summary>
    public static bool IsKey(string text)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return text is { Length: 44 } && Convert.TryFromBase64String(text, bytes, out int written)
            && written == KeyBytes && Convert.ToBase64String(bytes) == text;
    }

    [GeneratedRegex(@"\A[0-9a-f]{10}\z", RegexOptions.NonBacktracking)]
    private static partial Regex SegmentForm();
}
