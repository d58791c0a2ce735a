using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Attestation.Predicates;

/// <summary>One thing that is wrong with a list of predicates.</summary>
/// <param name="Pointer">Where (RFC 6901), from the list's own root: `/3/digests/phase`.</param>
/// <param name="Sentence">What, for people.</param>
public sealed record PredicateFinding(string Pointer, string Sentence);

/// <summary>What was read: the predicates, and everything that is wrong.</summary>
/// <param name="Predicates">Those that could be read; use them only if there is no finding.</param>
/// <param name="Findings">Every finding.</param>
public sealed record PredicateReading(
    ImmutableArray<Predicate> Predicates, ImmutableArray<PredicateFinding> Findings);

/// <summary>
/// The list of predicates as JSON: an array of objects, each with a `kind` and that kind's members and no others. An
/// unknown member is a finding and never ignored.
/// </summary>
public static class PredicateJson
{
    /// <summary>Most predicates in a list.</summary>
    public const int MostPredicates = 64;

    /// <summary>The kinds of predicates, as they are written.</summary>
    public static ImmutableArray<string> Kinds { get; } =
    [
        "boot-applications", "boot-events", "boot-files", "command-line", "command-line-words", "crypto-agile",
        "exit-boot-services", "firmware-version", "initrd", "kernel", "no-violations", "pcr", "program",
        "runtime-files", "secure-boot", "secure-boot-keys",
    ];

    /// <summary>Reads a document that is the list.</summary>
    public static PredicateReading Read(ReadOnlySpan<byte> utf8) => CanonicalJson.Parse(utf8) switch
    {
        JsonReading.Understood understood => Read(understood.Root),
        JsonReading.Rejected rejected => new PredicateReading([], [new PredicateFinding("", rejected.Fault.Clause)]),
        _ => throw new UnreachableException(),
    };

    /// <summary>Reads a list that is part of a document that was read strictly.</summary>
    public static PredicateReading Read(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MostPredicates)
        {
            return new PredicateReading([],
                [new PredicateFinding("", $"A list of at most {MostPredicates} predicates is expected.")]);
        }

        var findings = ImmutableArray.CreateBuilder<PredicateFinding>();
        var predicates = ImmutableArray.CreateBuilder<Predicate>();
        int i = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (new PredicateReader(item, $"/{i++}", findings).Read() is { } predicate)
            {
                predicates.Add(predicate);
            }
        }

        return new PredicateReading(predicates.ToImmutable(), findings.ToImmutable());
    }

    /// <summary>The list in canonical form (RFC 8785).</summary>
    public static byte[] Write(IEnumerable<Predicate> predicates)
    {
        ArgumentNullException.ThrowIfNull(predicates);
        return Canonical(new JsonArray([.. predicates.Select(ToNode)]));
    }

    /// <summary>Whether two predicates demand the same, to the letter.</summary>
    public static bool AreEqual(Predicate left, Predicate right) =>
        ReferenceEquals(left, right) || Canonical(ToNode(left)).AsSpan().SequenceEqual(Canonical(ToNode(right)));

    /// <summary>One predicate as a JSON object.</summary>
    public static JsonObject ToNode(Predicate predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        JsonObject members = Members(predicate);
        members["kind"] = KindOf(predicate);
        return members;
    }

    /// <summary>The text of a database in JSON.</summary>
    internal static string NameOf(KeyDatabase database) => database switch
    {
        KeyDatabase.PlatformKey => "PK",
        KeyDatabase.KeyExchangeKeys => "KEK",
        KeyDatabase.Allowed => "db",
        KeyDatabase.Forbidden => "dbx",
        _ => throw new UnreachableException(),
    };

    /// <summary>The text of a phase in JSON.</summary>
    internal static string NameOf(UpdatePhase phase) => phase switch
    {
        UpdatePhase.Old => "old",
        UpdatePhase.Both => "both",
        UpdatePhase.New => "new",
        _ => throw new UnreachableException(),
    };

    private static string KindOf(Predicate predicate) => predicate switch
    {
        Predicate.CryptoAgile => "crypto-agile",
        Predicate.SecureBoot => "secure-boot",
        Predicate.SecureBootKeys => "secure-boot-keys",
        Predicate.FirmwareVersion => "firmware-version",
        Predicate.BootApplications => "boot-applications",
        Predicate.Kernel => "kernel",
        Predicate.Initrd => "initrd",
        Predicate.BootFiles => "boot-files",
        Predicate.CommandLine => "command-line",
        Predicate.CommandLineWords => "command-line-words",
        Predicate.Pcr => "pcr",
        Predicate.BootEvents => "boot-events",
        Predicate.ExitBootServices => "exit-boot-services",
        Predicate.RuntimeFiles => "runtime-files",
        Predicate.NoViolations => "no-violations",
        Predicate.Program => "program",
        _ => throw new UnreachableException(),
    };

    private static JsonObject Members(Predicate predicate) => predicate switch
    {
        Predicate.CryptoAgile or Predicate.ExitBootServices or Predicate.NoViolations => [],
        Predicate.SecureBoot one => new JsonObject { ["state"] = one.On ? "on" : "off" },
        Predicate.SecureBootKeys one => Members(one),
        Predicate.FirmwareVersion one => new JsonObject { ["versions"] = Texts(one.Versions) },
        Predicate.BootApplications one => new JsonObject { ["digests"] = Set(one.Digests) },
        Predicate.Kernel one => new JsonObject { ["digests"] = Set(one.Digests) },
        Predicate.Initrd one => new JsonObject { ["digests"] = Set(one.Digests) },
        Predicate.BootFiles one => new JsonObject { ["digests"] = Set(one.Digests) },
        Predicate.CommandLine one => new JsonObject { ["lines"] = Texts(one.Lines) },
        Predicate.CommandLineWords one => new JsonObject
        {
            ["required"] = Texts(one.Required), ["forbidden"] = Texts(one.Forbidden),
        },
        Predicate.Pcr one => new JsonObject { ["pcr"] = one.Number, ["values"] = Set(one.Values) },
        Predicate.BootEvents one => new JsonObject { ["pcr"] = one.Number, ["digests"] = Set(one.Digests) },
        Predicate.RuntimeFiles one => Members(one),
        Predicate.Program one => new JsonObject { ["path"] = one.Path, ["digests"] = Set(one.Digests) },
        _ => throw new UnreachableException(),
    };

    private static JsonObject Members(Predicate.SecureBootKeys keys)
    {
        var members = new JsonObject { ["database"] = NameOf(keys.Database) };
        if (keys.Owners is { } owners)
        {
            members["owners"] = Texts(owners.Select(o => o.ToString()));
        }

        if (keys.Fingerprints is { } set)
        {
            members["fingerprints"] = Set(set);
        }

        return members;
    }

    private static JsonObject Members(Predicate.RuntimeFiles files)
    {
        var members = new JsonObject();
        if (files.Path is { } path)
        {
            members["path"] = path;
        }

        if (files.Digests is { } set)
        {
            members["digests"] = Set(set);
        }

        if (!files.Signers.IsEmpty)
        {
            members["signers"] = Texts(files.Signers.Select(s => s.Spki));
        }

        return members;
    }

    private static JsonObject Set(ReferenceSet set)
    {
        var members = new JsonObject { ["current"] = Texts(set.Current), ["phase"] = NameOf(set.Phase) };
        if (set.Next is { } next)
        {
            members["next"] = Texts(next);
        }

        return members;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    private static byte[] Canonical(JsonNode node) => CanonicalJson.Write(JsonSerializer.SerializeToElement(node));
}
