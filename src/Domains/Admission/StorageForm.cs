using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// Whether a domain's volumes are ciphertext on a host. In clear they are only where the domain asks for nothing else,
/// or where it trusts, by its own word, the very medium that the host's operator states for its pool: the operator
/// alone decides nothing, and a medium that nobody stated is none.
/// </summary>
/// <param name="Encrypted">Whether they are under a key of the tenant.</param>
/// <param name="Because">Why, in words that follow "the volume is".</param>
public sealed record StorageForm(bool Encrypted, string Because)
{
    /// <summary>What it is.</summary>
    public static StorageForm Of(DomainModel domain, HostModel host)
    {
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(host);
        return domain.Storage switch
        {
            StorageConfidentiality.None =>
                new(false, $"in clear because {Display.Of(domain)} does not demand ciphertext."),
            StorageConfidentiality.Required when domain.TrustedMedia.IsEmpty =>
                new(true, $"ciphertext because {Display.Of(domain)} demands it."),
            StorageConfidentiality.Required when host.Medium is null =>
                new(true, $"ciphertext because nobody states on which medium the pool of {Display.Of(host)} is."),
            StorageConfidentiality.Required => On(domain, host, host.Medium),
            _ => throw new UnreachableException(),
        };
    }

    private static StorageForm On(DomainModel domain, HostModel host, StatementName medium) =>
        domain.TrustedMedia.Contains(new MediumRef(host.Ref.Operator, medium))
            ? new(false, $"in clear because {Display.Of(domain)} trusts the medium {medium}, on which its operator "
                + $"states the pool of {Display.Of(host)} to be.")
            : new(true, $"ciphertext because {Display.Of(domain)} does not trust the medium {medium} of the pool of "
                + $"{Display.Of(host)}.");
}
