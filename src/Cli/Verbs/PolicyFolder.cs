using System.CommandLine;
using System.Collections.Immutable;
using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>A directory of authored policies, read and checked.</summary>
internal sealed record PolicyFolder(CheckedDatacentre Datacentre, ImmutableArray<Finding> Findings, PartyNames Names)
{
    /// <summary>What was checked.</summary>
    internal required ImmutableArray<PolicyDocument> Documents { get; init; }

    /// <summary>The findings, and what follows from the policies at a moment.</summary>
    internal ImmutableArray<Finding> WithConsequences(DateTimeOffset at) =>
        [.. Findings, .. PolicyConsequences.Of(Documents, Datacentre, at)];

    /// <summary>Findings as a party of the directory may read them; all where no party is named.</summary>
    internal ImmutableArray<Finding> For(string? reader, ImmutableArray<Finding> findings) => reader is null
        ? findings
        : Names.Find(reader) is { } party
            ? TenantFindings.For(findings, Documents, Datacentre, Names, party)
            : throw new CustodyException($"There is no party '{reader}' in the directory; --reader names one.");

    internal static Argument<string> Argument(string name = "DIR") =>
        new(name) { Description = "directory of policies: one subdirectory a party" };

    /// <summary>For verbs that look at a directory or at the running datacentre.</summary>
    internal static Option<string?> Instead() => new("--policies")
    {
        Description = "a directory of policies to look at; without, the running datacentre",
    };

    /// <summary>As whom such a verb looks at a directory.</summary>
    internal static Option<string?> ReaderOption() => new("--reader")
    {
        Description = "with --policies: as this tenant would see it, like bank",
    };

    /// <summary>The tenant who reads; null where none is named.</summary>
    internal PartyId? Reader(string? name) => name is null ? null
        : Names.Find(name) ?? throw new CustodyException($"No party is called {name}.");

    internal static PolicyFolder Read(string directory)
    {
        var desk = new PolicyDesk(directory);
        return Check(desk, desk.Names());
    }

    /// <summary>As if nobody had an id yet, so that two directories can be compared.</summary>
    internal static PolicyFolder ReadByName(string directory)
    {
        var desk = new PolicyDesk(directory);
        return Check(desk, PartyNames.UnsignedOfPaths(desk.Files().Select(f => f.Path)));
    }

    private static PolicyFolder Check(PolicyDesk desk, PartyNames names)
    {
        PolicyReading reading = desk.Read(names);
        PolicyCheckResult result = PolicyCheck.Run(reading);
        return new PolicyFolder(result.Datacentre, result.Findings, names) { Documents = reading.Documents };
    }
}
