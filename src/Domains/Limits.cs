namespace Bailiwick.Domains;

/// <summary>
/// Every limit of policies and inventories. A limit is checked before the input it bounds is believed; what breaks one
/// is a finding, never an exception.
/// </summary>
public static class PolicyLimits
{
    /// <summary>Largest authored file, in bytes.</summary>
    public const int FileBytes = 1024 * 1024;

    /// <summary>Most authored files read at once.</summary>
    public const int Files = 1_000;

    /// <summary>Most documents in one authored file.</summary>
    public const int DocumentsInFile = 1_000;

    /// <summary>Deepest nesting of lists and members in a document, in levels.</summary>
    public const int Depth = 32;

    /// <summary>Most values in one document, members' names not counted.</summary>
    public const int Nodes = 10_000;

    /// <summary>Longest single text in a document, in UTF-16 code units.</summary>
    public const int TextLength = 4_096;

    /// <summary>Most findings kept for one document; one more says that there are others.</summary>
    public const int FindingsInDocument = 200;

    /// <summary>Largest integer that a document may hold (RFC 8785, section 6).</summary>
    public const long Integer = 9_007_199_254_740_991;

    /// <summary>Longest name of a legal owner, in UTF-16 code units.</summary>
    public const int LegalNameLength = 120;

    /// <summary>Longest kernel command line of an image, in characters.</summary>
    public const int ArgumentsLength = 512;

    /// <summary>Longest name of a file that an image is made from, in characters.</summary>
    public const int FileNameLength = 100;

    /// <summary>Most entries of a list of names.</summary>
    public const int Names = 1_000;

    /// <summary>Most subnets of one domain.</summary>
    public const int Subnets = 8;

    /// <summary>Most domains in one list of where a domain's information may, or may not, come.</summary>
    public const int InformationNames = 64;

    /// <summary>Most violations told of one domain's demands on where its information may come.</summary>
    public const int InformationViolations = 4;

    /// <summary>Most classes of conflict of interest of one domain.</summary>
    public const int ConflictClasses = 16;

    /// <summary>Most groups of one domain.</summary>
    public const int Groups = 64;

    /// <summary>Most terms on one side of a domain's flows.</summary>
    public const int FlowTerms = 256;

    /// <summary>Most ports or ranges of ports in one flow term.</summary>
    public const int PortRanges = 64;

    /// <summary>
    /// Most ranges of ports in the flows between two domains, counted once for each grant and acceptance that meet;
    /// what has no ports counts one. Two statements within their limits could meet in millions, at every host's and
    /// every tenant's cost.
    /// </summary>
    public const int FlowRanges = 4_096;

    /// <summary>
    /// Most rules of one domain's gateway on one host, shared out evenly between the peers that its statement names:
    /// one for each pair of machines, of which one is on the host, and range of ports.
    /// </summary>
    public const int GatewayRules = 65_536;

    /// <summary>The shortest time for which a restart without the key service can be allowed.</summary>
    public static TimeSpan RestartLeast { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest time for which a restart without the key service can be allowed.</summary>
    public static TimeSpan RestartMost { get; } = TimeSpan.FromDays(7);

    /// <summary>Most disks of one machine.</summary>
    public const int Disks = 16;

    /// <summary>Most network ports of one machine.</summary>
    public const int Nics = 8;

    /// <summary>Most keys in one list of a root statement.</summary>
    public const int Keys = 64;

    /// <summary>Most hosts on one link.</summary>
    public const int LinkHosts = 1_000;
}
