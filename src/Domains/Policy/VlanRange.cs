namespace Bailiwick.Domains.Policy;

/// <summary>
/// Numbers of VLANs (IEEE 802.1Q, section 9.6) that the switches of a segment carry for this datacentre's domains and
/// for nothing else, in the operator's word.
/// </summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them, not before the first.</param>
public sealed record VlanRange(int First, int Last)
{
    /// <summary>0 is no VLAN, and 1 is every switch's own.</summary>
    public const int Least = 2;

    /// <summary>4095 is reserved.</summary>
    public const int Most = 4094;

    /// <summary>How many there are.</summary>
    public int Count => Last - First + 1;
}
