using System.Collections.Immutable;

namespace Bailiwick.Channel.Contexts;

/// <summary>A peer on the channel, as a context file names it.</summary>
/// <param name="Address"><c>10.0.0.1:7443</c> or <c>unix:/path</c>.</param>
/// <param name="Key">KeyId of its TLS key, 64 lower-hex digits: whoever shows another key is refused.</param>
public sealed record ContextPeer(string Address, string Key);

/// <summary>The log whose checkpoints are believed.</summary>
/// <param name="Origin">Origin line of its checkpoints.</param>
/// <param name="Key">SubjectPublicKeyInfo of its key, base64.</param>
public sealed record ContextLog(string Origin, string Key);

/// <summary>
/// What somebody at a desk needs to reach a datacentre: whom to call, by which keys to know them, and as whom. Holds
/// no secret itself; <see cref="Identity"/> names the file of the private key.
/// </summary>
/// <param name="Master">The board.</param>
/// <param name="Log">The board's log.</param>
/// <param name="Datacentre">The operator's id.</param>
/// <param name="Identity">File of the caller's private key (PKCS#8 PEM, mode 0600).</param>
/// <param name="Hosts">The hosts' Proxies, by <c>&lt;operator id&gt;/&lt;host&gt;</c>.</param>
/// <param name="KeyService">Where the caller's tenant's key service is reached; null for the address in the tenant's
/// root. By which key to know it only the root says.</param>
public sealed record ContextFile(
    ContextPeer Master, ContextLog Log, string Datacentre, string Identity,
    ImmutableDictionary<string, ContextPeer> Hosts,
    string? KeyService = null);
