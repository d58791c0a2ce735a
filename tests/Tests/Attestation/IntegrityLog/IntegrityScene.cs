using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Attestation.IntegrityLog;

/// <summary>A host's integrity log since one boot, and what the host shows of it.</summary>
internal sealed class IntegrityScene
{
    internal static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    internal static readonly PartyId Bank = PartyId.Unsigned("bank");
    internal static readonly PartyId Hospital = PartyId.Unsigned("hospital");
    private readonly List<IntegrityOpening> _entries = [];
    private readonly Guid _boot;
    private readonly long _first;

    internal IntegrityScene(long first = 0, Guid? boot = null)
    {
        _first = first;
        _boot = boot ?? Boot;
        Add(IntegrityKind.Boot, IntegrityReaders.Everyone, _boot.ToString("D"));
    }

    /// <summary>A boot, a plan with a part for each of two tenants, and what nobody may read.</summary>
    internal static IntegrityScene Good(long first = 0)
    {
        IntegrityScene scene = new(first);
        scene.Add(IntegrityKind.Plan, IntegrityReaders.Everyone, "host-1");
        scene.Add(IntegrityKind.PlanPart, IntegrityReaders.Of(Bank), $"{Bank}/ledger");
        scene.Add(IntegrityKind.PlanPart, IntegrityReaders.Of(Hospital), $"{Hospital}/records");
        scene.Add(IntegrityKind.PortOpened, IntegrityReaders.Of(Bank, Hospital), "bwq0123456789");
        scene.Add(IntegrityKind.StatementRefused, IntegrityReaders.Nobody, "entry 12");
        return scene;
    }

    internal IntegrityHead Head => HeadAt(_entries.Count);

    internal IntegrityPosition Position => At(_entries.Count);

    internal IReadOnlyList<IntegrityOpening> Entries => _entries;

    internal void Add(IntegrityKind kind, IntegrityReaders readers, string subject) => Add(new IntegrityEntry(
        _first + _entries.Count, kind, readers, subject, Digest32.Of(RandomNumberGenerator.GetBytes(8))));

    internal void Add(IntegrityEntry entry) => _entries.Add(
        new IntegrityOpening(RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes), entry));

    internal IntegrityHead HeadAt(int count) => _entries.Take(count).Aggregate(
        new IntegrityHead(_first, IntegrityHead.Zero), (head, opening) => head.Extend(opening.Commitment()));

    internal IntegrityPosition At(int count) => new(_boot, _first, HeadAt(count));

    /// <summary>What an honest host shows.</summary>
    internal IntegrityTail Tail(PartyId? reader, int after = 0) => new(
        after == 0 ? null : At(after),
        _entries.Skip(after).SelectMany(opening => opening.Commitment().Bytes.ToArray()).ToArray(),
        [.. _entries.Skip(after).Where(o => reader is not null && o.Entry.Readers.Include(reader))]);
}
