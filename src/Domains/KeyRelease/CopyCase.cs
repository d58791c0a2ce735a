using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a request for a volume's key to copy that volume needs beside what any other needs: the copy's statement names
/// what it is a copy of, and the host holds the key of the copy for the very machine, so that all that is demanded for
/// the copy was demanded of it. A host that may only have the one gets not the other.
/// </summary>
internal static class CopyCase
{
    /// <summary>Adds every reason; none when nothing is to be copied.</summary>
    public static void Check(ReleaseCase reasons)
    {
        KeyWish wish = reasons.Wish;
        if (wish.Copy is not { } copy)
        {
            return;
        }

        if (copy.Tenant != wish.Tenant)
        {
            reasons.Add(
                KeyRefusalCode.ForeignReference,
                $"{copy} must be of the tenant {wish.Tenant.Short}, as {wish.Key}.");
        }

        VolumeModel? model = reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(copy.ToString());
        if (wish.Key is not KeySubject.Volume { Ref: var source } || model is null || copy.Tenant != source.Tenant
            || model.FromVolume != source.Name
            || reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(source.ToString())?.Colour != model.Colour)
        {
            reasons.Add(
                KeyRefusalCode.CopyNotStated,
                $"No accepted statement says that {copy.Name} is a copy of {wish.Key}, in its domain.",
                model?.Origin);
        }

        if (!reasons.Facts.CopyHolders.All.Any(one => one.Host == wish.Host
            && one.Machine == wish.Compartment && !one.IsCopying))
        {
            reasons.Add(
                KeyRefusalCode.CopyNotHeld,
                $"{wish.Host} does not hold the key of {copy.Name} for {wish.Compartment.Name}, and only who may "
                + "have the copy may read what is copied. Ask for that key first.");
        }

        if (reasons.Facts.CopyHeader is VolumeHeaderMark.Bound made)
        {
            reasons.Add(
                KeyRefusalCode.CopyMade, $"{copy.Name} was made already: it has its header since {made.Since:u}.");
        }
    }
}
