using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Decides whether a header is bound to a volume's key: on the word of the host that holds the key, and only while the
/// volume has none.
/// </summary>
public static class HeaderControl
{
    /// <summary>Decides.</summary>
    /// <param name="document">The host's word as read.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="custody">What the key service knows; the nonce's standing plays no part.</param>
    public static HeaderVerdict Decide(HolderDocument.Header document, CheckedDatacentre datacentre, KeyCustody custody)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(custody);
        List<KeyRefusal> refusals = [];
        HolderControl.CheckTenant(refusals, document.Key, custody);
        HolderControl.CheckHost(refusals, document, datacentre, custody);
        HolderControl.CheckHeld(refusals, document, custody);
        if (custody.Header is VolumeHeaderMark.Bound bound && bound.Header != document.Made)
        {
            refusals.Add(new KeyRefusal(
                KeyRefusalCode.HeaderDiffers,
                $"{document.Key} has the header {bound.Header.Hex[..16]} since {bound.Since:u}, and the host says that "
                + $"it made {document.Made.Hex[..16]}.", null));
        }

        return refusals.Count > 0
            ? new HeaderVerdict.Refused([.. refusals])
            : new HeaderVerdict.Accepted(document);
    }
}

/// <summary>Whether a header is bound. Made only by <see cref="HeaderControl"/>.</summary>
public abstract class HeaderVerdict
{
    private HeaderVerdict()
    {
    }

    /// <summary>It is: from now on the key is released with this header alone.</summary>
    public sealed class Accepted : HeaderVerdict
    {
        internal Accepted(HolderDocument.Header document) => Document = document;

        /// <summary>The verified document.</summary>
        public HolderDocument.Header Document { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : HeaderVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
