using System.Collections.Immutable;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring.Sharing;

/// <summary>Whether shares give a master key back. A closed set.</summary>
public abstract record ShareVerdict
{
    private ShareVerdict()
    {
    }

    /// <summary>Puts shares together. All reasons against them are named at once.</summary>
    /// <param name="shares">Each with its file's name; null for one that could not be read.</param>
    /// <param name="tenant">Whose key it must be.</param>
    public static ShareVerdict Of(IReadOnlyList<(string Name, KeyShare? Share)> shares, PartyId tenant)
    {
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentNullException.ThrowIfNull(tenant);
        var refusals = ImmutableArray.CreateBuilder<ShareRefusal>();
        foreach (var (name, _) in shares.Where(one => one.Share is null))
        {
            refusals.Add(new(
                ShareRefusalCode.Damaged, $"{name} is no share of this version, or a byte of it was changed."));
        }

        (string Name, KeyShare Share)[] read = [.. shares.SelectMany(
            one => one.Share is { } share ? new[] { (one.Name, share) } : [])];
        CheckTogether(refusals, read, tenant);
        if (refusals.Count > 0 || read.Length == 0)
        {
            return new Refused(refusals.Count > 0 ? refusals.ToImmutable() : [TooFew(0, 2)]);
        }

        ShareOrigin origin = read[0].Share.Origin;
        if (read.Length < origin.Threshold)
        {
            return new Refused([TooFew(read.Length, origin.Threshold)]);
        }

        SecretBytes secret = SecretSharing.Join(
            [.. read.Take(origin.Threshold).Select(one => ((byte)one.Share.Index, one.Share.Bytes))]);
        MasterKey key = MasterKey.Of(origin.Tenant, origin.Generation, secret);
        if (key.Id == origin.Master)
        {
            return new Restored(key);
        }

        key.Dispose();
        return new Refused([new(
            ShareRefusalCode.NotTheKey,
            $"Together they do not give the key {origin.Master.Hex[..16]}: at least one was forged. "
            + "Try other shares.")]);
    }

    private static void CheckTogether(
        ImmutableArray<ShareRefusal>.Builder refusals, (string Name, KeyShare Share)[] read, PartyId tenant)
    {
        foreach (var (name, share) in read.Where(one => one.Share.Origin.Tenant != tenant))
        {
            refusals.Add(new(
                ShareRefusalCode.OtherTenant,
                $"{name} is of the tenant {share.Origin.Tenant.Short}, not of {tenant.Short}."));
        }

        foreach (var (name, share) in read.Where(one => one.Share.Origin.Tenant == tenant
            && one.Share.Origin != read.First(first => first.Share.Origin.Tenant == tenant).Share.Origin))
        {
            refusals.Add(new(
                ShareRefusalCode.OtherSet,
                $"{name} is of another set than the first: of generation {share.Origin.Generation}, "
                + $"{share.Origin.Threshold} of {share.Origin.Count}, made as {share.Origin.Set[..8]}."));
        }

        foreach (var same in read.GroupBy(one => (one.Share.Origin, one.Share.Index)).Where(same => same.Count() > 1))
        {
            refusals.Add(new(
                ShareRefusalCode.SameIndex,
                $"{string.Join(" and ", same.Select(one => one.Name))} are both share {same.Key.Index}."));
        }
    }

    private static ShareRefusal TooFew(int have, int need) => new(
        ShareRefusalCode.TooFew, $"{need} shares are needed, and {have} are here. Fewer tell nothing of the key.");

    /// <summary>The key, exactly as it was; the caller's to dispose of.</summary>
    public sealed record Restored(MasterKey Key) : ShareVerdict;

    /// <summary>Why not.</summary>
    public sealed record Refused(ImmutableArray<ShareRefusal> Refusals) : ShareVerdict;
}

/// <summary>One reason against shares.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record ShareRefusal(ShareRefusalCode Code, string Sentence);

/// <summary>Why shares give no key. Closed.</summary>
public enum ShareRefusalCode
{
    /// <summary>A file is no share, or was changed.</summary>
    Damaged = 1,

    /// <summary>A share is another tenant's.</summary>
    OtherTenant,

    /// <summary>A share is of another key, generation, or time of sharing out.</summary>
    OtherSet,

    /// <summary>The same share is there twice.</summary>
    SameIndex,

    /// <summary>Fewer shares than needed.</summary>
    TooFew,

    /// <summary>Together they give another key than they say.</summary>
    NotTheKey,
}
