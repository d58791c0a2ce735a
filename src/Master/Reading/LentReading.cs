using System.Text.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Reading;

/// <summary>
/// What a tenant may read of another because a machine of that other names a volume of the tenant's: its key service
/// must judge for what the key is. That is the machine's statement and what it refers to of its own tenant: image,
/// domains, volumes and their domains, with all revisions before and after. What was once open stays open, for a
/// revision that takes the disk away is the most important one. For one thread at a time.
/// </summary>
internal sealed class LentReading
{
    private readonly Dictionary<Subject, long> _first = [];
    private readonly Dictionary<Subject, Subject[]> _ofVolumes = [];
    private readonly Dictionary<Subject, HashSet<PartyId>> _readers = [];
    private readonly Dictionary<PartyId, List<(long At, long First)>> _opened = [];

    /// <summary>Takes the next entry of the log.</summary>
    public void Take(long index, VerifiedStatement statement)
    {
        var subject = Subject.Of(statement);
        _first.TryAdd(subject, index);
        if (statement.Kind == StatementKind.Volume)
        {
            _ofVolumes[subject] = [.. Concerned(statement.Owner, statement.Body)];
            Open(_readers.GetValueOrDefault(subject) ?? [], WithSources(subject), index);
        }
        else if (statement.Kind == StatementKind.Compartment)
        {
            HashSet<PartyId> readers = [.. _readers.GetValueOrDefault(subject) ?? [], .. Lenders(statement)];
            Open(readers, readers.Count == 0 ? [] : Concerned(statement), index);
        }
    }

    /// <summary>Whether a tenant may read another's statement.</summary>
    public bool MayRead(PartyId reader, VerifiedStatement statement) =>
        _readers.TryGetValue(Subject.Of(statement), out var readers) && readers.Contains(reader);

    /// <summary>
    /// Whether an entry from an index on opens to a tenant what came before that index, so that whoever has read so far
    /// must read again.
    /// </summary>
    public bool Opens(PartyId reader, long from, long to) => _opened.GetValueOrDefault(reader) is { } opened
        && opened.Exists(one => one.At >= from && one.At < to && one.First < from);

    private void Open(IEnumerable<PartyId> readers, IReadOnlyCollection<Subject> subjects, long index)
    {
        foreach (PartyId reader in readers.ToArray())
        {
            foreach (Subject subject in subjects)
            {
                if (!_readers.TryGetValue(subject, out var known))
                {
                    _readers[subject] = known = [];
                }

                if (known.Add(reader) && _first.TryGetValue(subject, out long first) && first < index)
                {
                    if (!_opened.TryGetValue(reader, out var opened))
                    {
                        _opened[reader] = opened = [];
                    }

                    opened.Add((index, first));
                }
            }
        }
    }

    /// <summary>The machine, and what its statement refers to of its own tenant.</summary>
    private List<Subject> Concerned(VerifiedStatement machine)
    {
        List<Subject> all = [Subject.Of(machine)];
        if (machine.Body.TryGetProperty("boot", out var boot) && Name(boot, "image") is { } image)
        {
            all.Add(new(StatementKind.Image, machine.Owner, image));
        }

        all.AddRange(Items(machine.Body, "nics").Select(nic => Name(nic, "domain")).OfType<StatementName>()
            .Select(domain => new Subject(StatementKind.Domain, machine.Owner, domain)));
        foreach (var volume in Items(machine.Body, "disks").Select(disk => Name(disk, "volume"))
            .OfType<StatementName>())
        {
            Subject own = new(StatementKind.Volume, machine.Owner, volume);
            all.AddRange(WithSources(own));
        }

        return all;
    }

    /// <summary>A volume, what its statement refers to, and the same of what it is a copy of, each once.</summary>
    private HashSet<Subject> WithSources(Subject volume)
    {
        HashSet<Subject> all = [];
        Queue<Subject> open = new([volume]);
        while (open.TryDequeue(out var next))
        {
            if (all.Add(next) && next.Kind == StatementKind.Volume)
            {
                foreach (var concerned in _ofVolumes.GetValueOrDefault(next, []))
                {
                    open.Enqueue(concerned);
                }
            }
        }

        return all;
    }

    /// <summary>What a volume's statement refers to: its domain, and the image or volume that it begins with.</summary>
    private static IEnumerable<Subject> Concerned(PartyId owner, JsonElement volume)
    {
        if (Name(volume, "domain") is { } colour)
        {
            yield return new(StatementKind.Domain, owner, colour);
        }

        if (volume.ValueKind != JsonValueKind.Object || !volume.TryGetProperty("from", out var from))
        {
            yield break;
        }

        if (Name(from, "image") is { } image)
        {
            yield return new(StatementKind.Image, owner, image);
        }

        if (Name(from, "volume") is { } source)
        {
            yield return new(StatementKind.Volume, owner, source);
        }
    }

    /// <summary>The other tenants whose volumes the machine names.</summary>
    private static IEnumerable<PartyId> Lenders(VerifiedStatement machine)
    {
        foreach (var disk in Items(machine.Body, "disks"))
        {
            if (Text(disk, "volume")?.Split('/') is [var party, _] && PartyId.TryParse(party, out var lender)
                && lender != machine.Owner)
            {
                yield return lender;
            }
        }
    }

    private static JsonElement[] Items(JsonElement body, string member) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(member, out var list)
        && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray()] : [];

    private static StatementName? Name(JsonElement body, string member) =>
        StatementName.TryParse(Text(body, member), out var name) ? name : null;

    private static string? Text(JsonElement body, string member) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(member, out var text)
        && text.ValueKind == JsonValueKind.String
            ? text.GetString() : null;

    private sealed record Subject(StatementKind Kind, PartyId Owner, StatementName Name)
    {
        public static Subject Of(VerifiedStatement statement) =>
            new(statement.Kind, statement.Owner, statement.Name);
    }
}
