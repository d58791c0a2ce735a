using Bailiwick.Domains.KeyRelease;

namespace Bailiwick.Proxy.Host;

/// <summary>A tenant's key service said nothing: it cannot be reached, or cannot judge anything now.</summary>
public sealed class KeyServiceSilentException(KeySubject key, string cause)
    : WorldException(["ask the key service for", key.ToString()], -1, cause);
