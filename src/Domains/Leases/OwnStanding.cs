namespace Bailiwick.Domains.Leases;

/// <summary>Whether a host is trusted for a domain, as far as it knows itself. Closed.</summary>
public enum OwnTrust
{
    /// <summary>Nobody has said anything yet: what runs goes on, and what was paused stays so.</summary>
    Unknown = 1,

    /// <summary>The domain's key service lends it trust.</summary>
    Held,

    /// <summary>The domain's key service refuses it, or it cannot make evidence.</summary>
    Lost,
}

/// <summary>How a host stands for a domain, as far as it knows itself.</summary>
/// <param name="Trust">Whether it is trusted.</param>
/// <param name="Because">Why not; empty otherwise.</param>
public sealed record OwnStanding(OwnTrust Trust, string Because)
{
    /// <summary>Nobody has said anything yet.</summary>
    public static OwnStanding Unknown { get; } = new(OwnTrust.Unknown, "");

    /// <summary>Trusted.</summary>
    public static OwnStanding Held { get; } = new(OwnTrust.Held, "");
}
