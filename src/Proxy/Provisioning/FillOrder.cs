using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>One volume that is to be filled, with an image's disk or as a copy of another volume.</summary>
/// <param name="Disk">The volume.</param>
/// <param name="Key">Its key.</param>
/// <param name="Source">What opens the volume that it is a copy of; null for an image's disk.</param>
public sealed record FillOrder(DiskPlan Disk, SecretBytes Key, CopySource? Source) : IDisposable
{
    /// <summary>How much is written, in bytes.</summary>
    public long Bytes => (long)(Disk.Content?.SizeMib ?? Disk.CopyOf?.SizeMib ?? 0) << 20;

    /// <summary>What it is filled with, as marks have it.</summary>
    public string Identity => Disk.Content?.Sha256 ?? $"copy of {Disk.CopyOf?.Volume} {Source?.Header.Hex}";

    /// <summary>The same, with keys of its own to dispose of.</summary>
    public FillOrder Keep() => this with
    {
        Key = Copy(Key), Source = Source is { } source ? source with { Key = Copy(source.Key) } : null,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        Key.Dispose();
        Source?.Dispose();
    }

    private static SecretBytes Copy(SecretBytes key) => SecretBytes.Create(key.Length, target =>
    {
        using SecretLoan loan = key.Borrow();
        loan.Bytes.CopyTo(target);
    });
}

/// <summary>What opens a volume that is copied.</summary>
/// <param name="Key">Its key, released for that alone.</param>
/// <param name="Header">The digest of the header that the key is for.</param>
public sealed record CopySource(SecretBytes Key, Digest32 Header) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Key.Dispose();
}
