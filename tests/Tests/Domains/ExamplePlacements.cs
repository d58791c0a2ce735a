using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains;

/// <summary>Where the example's machines run, and short names for what its policies describe.</summary>
internal static class ExamplePlacements
{
    public static DateTimeOffset Now { get; } = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Every machine on the one host its tenant chose.</summary>
    public static IReadOnlyList<PlacementProposal> All { get; } =
    [
        Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2"),
        Proposal("bank/web-1", "host-1"), Proposal("bank/web-2", "host-3"),
        Proposal("bank/ledger-1", "host-2"), Proposal("bank/ledger-2", "host-3"),
        Proposal("regulator/inspector-1", "host-3"),
    ];

    public static PlacementProposal Proposal(string machine, string host, bool running = true) =>
        new(Machine(machine), Host(host), running);

    public static CompartmentRef Machine(string text) => new(Party(text), Name(text));

    public static DomainRef Domain(string text) => new(Party(text), Name(text));

    public static HostRef Host(string name) => new(PartyId.Unsigned("alpine"), StatementName.Parse(name));

    /// <summary>The example's datacentre, which has no error to begin with.</summary>
    public static CheckedDatacentre Datacentre(Example? example = null) =>
        (example ?? Example.ThreeTenants).Check().Datacentre;

    private static PartyId Party(string text) => PartyId.Unsigned(text.Split('/')[0]);

    private static StatementName Name(string text) => StatementName.Parse(text.Split('/')[1]);
}
