namespace Bailiwick.Domains.Policy;

/// <summary>How much of a host's uplink can be reserved.</summary>
public static class UplinkShare
{
    /// <summary>
    /// Nine tenths: the host itself, and domains without a reservation, are never without any.
    /// </summary>
    /// <param name="uplinkMbit">The whole, 10^6 bits a second.</param>
    public static int Of(int uplinkMbit) => (int)(uplinkMbit * 9L / 10);
}
