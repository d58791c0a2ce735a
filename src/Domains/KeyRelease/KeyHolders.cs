using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>Who holds a key: nobody, one machine on one host, or as many as the volume's statement allows.</summary>
public sealed class KeyHolders
{
    private KeyHolders(ImmutableArray<KeyHolder> all) => All = all;

    /// <summary>No host has the key, or all returned it.</summary>
    public static KeyHolders Nobody { get; } = new([]);

    /// <summary>Each of them, in no order that means anything.</summary>
    public ImmutableArray<KeyHolder> All { get; }

    /// <summary>These and no others.</summary>
    public static KeyHolders Of(params ReadOnlySpan<KeyHolder> all) => new([.. all]);

    /// <summary>Whether a host holds the key by the release with a nonce.</summary>
    public bool HasRelease(HostRef host, KeyNonce nonce) =>
        All.Any(one => one.Host == host && one.Nonce.Equals(nonce));
}

/// <summary>One that has a key and has not returned it.</summary>
/// <param name="Host">The host.</param>
/// <param name="Machine">The machine on it that uses it.</param>
/// <param name="Access">What for; null of a TPM.</param>
/// <param name="Nonce">The nonce of the release by which it got it last.</param>
public sealed record KeyHolder(HostRef Host, CompartmentRef Machine, VolumeAccess? Access, KeyNonce Nonce)
{
    /// <summary>What is stored of a holder that copies the volume, where else its access is.</summary>
    public const string CopyWord = "copy";

    /// <summary>Whether the host has it only to copy the volume, before the machine starts.</summary>
    public bool IsCopying { get; init; }

    /// <summary>For people: what it has the volume for; empty of a TPM.</summary>
    public string Purpose => IsCopying ? " to copy it" : Access is { } word ? $" to {WireText.Of(word)}" : "";

    /// <summary>Reads texts of references, of an access and a nonce's base64; null when one is none.</summary>
    /// <param name="host">The host's reference.</param>
    /// <param name="machine">The machine's reference.</param>
    /// <param name="access"><c>read</c>, <c>write</c>, <c>copy</c>, or empty for a TPM.</param>
    /// <param name="nonce">The nonce, base64.</param>
    public static KeyHolder? Read(string host, string machine, string access, string nonce)
    {
        bool isCopying = access == CopyWord;
        VolumeAccess? use = isCopying ? VolumeAccess.Read
            : WireText.TryParse(access, out VolumeAccess word) ? word : null;
        return KeyReferences.Host(host) is { } holder && KeyReferences.Compartment(machine) is { } user
            && KeyNonce.Read(nonce) is { } read && (use is not null || access is { Length: 0 })
                ? new KeyHolder(holder, user, use, read) { IsCopying = isCopying }
                : null;
    }
}
