using Bailiwick.Domains.Policy;

namespace Bailiwick.KeyService.Custody;

/// <summary>A key that was decided to go to a host.</summary>
/// <param name="Key">What it opens.</param>
/// <param name="Domain">The domain it is of: `tenant id/name`. A key that has one already keeps it.</param>
/// <param name="Holder">The host, the machine that is to use it, and the nonce of this release.</param>
public sealed record KeyGrant(string Key, string Domain, VaultHolder Holder)
{
    /// <summary>Who else may hold it at the same time.</summary>
    public VolumeSharing Sharing { get; init; } = VolumeSharing.Exclusive;

    /// <summary>What is known of a TPM's state, or of a volume's header, from now on.</summary>
    public string Mark { get; init; } = "";

    /// <summary>The revision of the statement that describes the volume or the machine.</summary>
    public long Revision { get; init; }

    /// <summary>
    /// Whether another holder leaves room for this one: the same machine's on the same host for the same use, whose
    /// place it takes, or one that the volume's sharing lets keep the key beside it.
    /// </summary>
    public bool MayBeBeside(VaultHolder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Holder.IsInPlaceOf(other))
        {
            return Holder.IsCopying == other.IsCopying;
        }

        return (Holder.IsCopying, other.IsCopying) switch
        {
            (false, false) => SharingRule.Conflict(Sharing, Access(Holder), Access(other)),
            (true, _) => SharingRule.ConflictWithCopy(Sharing, Access(other)),
            (false, true) => SharingRule.ConflictWithCopy(Sharing, Access(Holder)),
        } is null;
    }

    // What was released before volumes were shared may be written.
    private static VolumeAccess Access(VaultHolder holder) =>
        holder.IsCopying ? VolumeAccess.Read
        : WireText.TryParse(holder.Access, out VolumeAccess access) ? access : VolumeAccess.Write;
}
