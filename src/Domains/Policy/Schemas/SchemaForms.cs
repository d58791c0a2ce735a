namespace Bailiwick.Domains.Policy.Schemas;

/// <summary>
/// Forms of texts as patterns of ECMA 262, for editors. They refuse nothing that a reader takes; a reader may still
/// refuse what they let pass.
/// </summary>
internal static class SchemaForms
{
    /// <summary>A statement's name.</summary>
    public const string Name = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$";

    /// <summary>Something of a party's: <c>bank/ledger</c>.</summary>
    public const string Reference = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?/[a-z]([a-z0-9-]{0,38}[a-z0-9])?$";

    /// <summary>A moment in UTC, RFC 3339.</summary>
    public const string Moment = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";

    /// <summary>A country, ISO 3166-1 alpha-2.</summary>
    public const string Country = "^[A-Z]{2}$";

    /// <summary>A SHA-256 digest.</summary>
    public const string Sha256 = "^[0-9a-f]{64}$";

    /// <summary>An IPv4 address.</summary>
    public const string Ipv4 = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$";

    /// <summary>An IPv6 address.</summary>
    public const string Ipv6 = "^[0-9a-f:.]*:[0-9a-f:.]*$";

    /// <summary>A prefix of either family.</summary>
    public const string Prefix = "^[0-9a-f:.]+/[0-9]{1,3}$";

    /// <summary>A port, or a range of ports.</summary>
    public const string Ports = "^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$";

    /// <summary>A duration in minutes or hours.</summary>
    public const string Duration = "^[1-9][0-9]{0,4}[mh]$";

    /// <summary>The name of a file.</summary>
    public const string FileName = "^[A-Za-z0-9][A-Za-z0-9._-]*$";

    /// <summary>A public key, base64.</summary>
    public const string Key = "^[A-Za-z0-9+/]+={0,2}$";
}
