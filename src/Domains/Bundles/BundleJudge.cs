using Bailiwick.Attestation.PublicKeys;

namespace Bailiwick.Domains.Bundles;

/// <summary>
/// Judges a bundle as the tenant's key service would judge the same evidence online, with the reader's pins in the
/// place of what a key service knows by itself.
/// </summary>
public static class BundleJudge
{
    /// <summary>Reads and judges; never throws for what the bytes contain.</summary>
    /// <param name="bundle">The bytes of a bundle.</param>
    /// <param name="pins">What the reader knows.</param>
    /// <param name="keys">The reader's opened keys.</param>
    public static BundleVerdict Judge(ReadOnlySpan<byte> bundle, BundlePins pins, VerifierKeyCache keys) =>
        EvidenceBundle.Read(bundle, out string fault) is { } read
            ? Judge(read, pins, keys)
            : new BundleVerdict.Refused([BundleReason.Of(BundleFault.BundleMalformed, fault)], []);

    /// <summary>Judges; never throws for what the bundle contains.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="pins">What the reader knows.</param>
    /// <param name="keys">The reader's opened keys.</param>
    public static BundleVerdict Judge(EvidenceBundle bundle, BundlePins pins, VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(pins);
        ArgumentNullException.ThrowIfNull(keys);
        return new BundleCase(bundle, pins, keys).Judge();
    }
}
