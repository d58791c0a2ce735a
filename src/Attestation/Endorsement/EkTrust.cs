using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>
/// Whom a verifier believes about TPMs: vendors' roots, and the intermediates known to it, indexed by their names so
/// that a path is found without trying them all. Immutable; one serves many checks at once.
/// </summary>
public sealed class EkTrust
{
    private readonly Dictionary<string, ImmutableArray<TpmCertificate>> _bySubject;
    private readonly ImmutableHashSet<Digest32> _roots;

    private EkTrust(ImmutableArray<TpmCertificate> roots, ImmutableArray<TpmCertificate> intermediates, int unreadable)
    {
        _roots = [.. roots.Select(root => root.Digest)];
        _bySubject = roots.Concat(intermediates).DistinctBy(one => one.Digest)
            .GroupBy(one => NameKey(one.Fields.Subject))
            .ToDictionary(group => group.Key, group => group.ToImmutableArray(), StringComparer.Ordinal);
        Roots = _roots.Count;
        Intermediates = intermediates.DistinctBy(one => one.Digest).Count();
        Unreadable = unreadable;
    }

    /// <summary>How many different roots.</summary>
    public int Roots { get; }

    /// <summary>How many different intermediates.</summary>
    public int Intermediates { get; }

    /// <summary>How many certificates could not be read and are left out.</summary>
    public int Unreadable { get; }

    /// <summary>Takes certificates in DER.</summary>
    /// <param name="roots">Believed as they are.</param>
    /// <param name="intermediates">Believed only when a root leads to them.</param>
    public static EkTrust Of(
        IEnumerable<ReadOnlyMemory<byte>> roots, IEnumerable<ReadOnlyMemory<byte>> intermediates)
    {
        ArgumentNullException.ThrowIfNull(roots);
        ArgumentNullException.ThrowIfNull(intermediates);
        var (readRoots, lostRoots) = Read(roots);
        var (readOthers, lostOthers) = Read(intermediates);
        return new EkTrust(readRoots, readOthers, lostRoots + lostOthers);
    }

    /// <summary>Takes certificates in PEM (RFC 7468); text between them is passed over.</summary>
    public static EkTrust FromPem(string roots, string intermediates)
    {
        ArgumentNullException.ThrowIfNull(roots);
        ArgumentNullException.ThrowIfNull(intermediates);
        return Of(Certificates(roots), Certificates(intermediates));
    }

    internal bool IsRoot(TpmCertificate certificate) => _roots.Contains(certificate.Digest);

    internal ImmutableArray<TpmCertificate> Named(ReadOnlyMemory<byte> subject) =>
        _bySubject.TryGetValue(NameKey(subject), out var found) ? found : [];

    // Names are compared byte by byte: a vendor writes its own name in one way.
    private static string NameKey(ReadOnlyMemory<byte> name) => Convert.ToHexString(name.Span);

    private static (ImmutableArray<TpmCertificate> Read, int Lost) Read(IEnumerable<ReadOnlyMemory<byte>> encoded)
    {
        var all = encoded.Select(one => TpmCertificate.Parse(one.Span)).ToArray();
        return ([.. all.OfType<TpmCertificate>()], all.Count(one => one is null));
    }

    private static List<ReadOnlyMemory<byte>> Certificates(string pem)
    {
        List<ReadOnlyMemory<byte>> found = [];
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label] is "CERTIFICATE")
            {
                found.Add(Convert.FromBase64String(rest[fields.Base64Data].ToString()));
            }

            rest = rest[fields.Location.End..];
        }

        return found;
    }
}
