namespace Bailiwick.KeyService.Custody;

/// <summary>A key that was decided to go to a host.</summary>
/// <param name="Key">What it opens.</param>
/// <param name="Domain">The domain it is of: `tenant id/name`. A key that has one already keeps it.</param>
/// <param name="Compartment">The machine that is to use it.</param>
/// <param name="Holder">The host, and the nonce of this release.</param>
public sealed record KeyGrant(string Key, string Domain, string Compartment, VaultHolder Holder)
{
    /// <summary>What is known of a TPM's state, or of a volume's header, from now on.</summary>
    public string Mark { get; init; } = "";

    /// <summary>The revision of the statement that describes the volume or the machine.</summary>
    public long Revision { get; init; }
}
