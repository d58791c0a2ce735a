namespace Bailiwick.Domains.Bundles;

/// <summary>What a bundle of evidence may cost its reader.</summary>
public static class BundleLimits
{
    /// <summary>Largest bundle, in bytes: a key service takes logs of as many in a request.</summary>
    public const int Bytes = 24 * 1024 * 1024;

    /// <summary>Most statements: every revision of two roots, a host and a domain.</summary>
    public const int Statements = 4096;

    /// <summary>Most enrolments.</summary>
    public const int Enrolments = 16;

    /// <summary>Most proofs that one checkpoint contains another.</summary>
    public const int Proofs = 4;

    internal const int LogBytes = 16 * 1024 * 1024;
    internal const int Depth = 16;
    internal const int Members = 200_000;
}
