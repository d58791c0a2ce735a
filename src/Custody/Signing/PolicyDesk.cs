using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains;
using Bailiwick.Domains.Policy;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>What signing fills in that nobody writes by hand.</summary>
/// <param name="Files">Directory of the boot files that images name; null when there is none.</param>
/// <param name="HostKeys">Directory with <c>NAME.pub</c> (base64 SubjectPublicKeyInfo) of each enrolled host, and
/// <c>NAME.ek</c> (SHA-256 of its TPM's endorsement key, hex) where it has one.</param>
/// <param name="LogOrigin">Origin line of the board's checkpoints; for an operator's root.</param>
/// <param name="LogKey">The board's log key; for an operator's root.</param>
public sealed record SigningFacts(string? Files, string? HostKeys, string? LogOrigin, PublicKey? LogKey);

/// <summary>A directory of authored policies, and the signing of what one party wrote in it.</summary>
/// <param name="directory">One subdirectory a party, named like it.</param>
public sealed class PolicyDesk(string directory)
{
    /// <summary>File in the directory that says who is who.</summary>
    public const string PartiesFile = "parties.json";

    private const int MaximumFileBytes = 64 << 20;

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Who is who: from <c>parties.json</c>, or ids that stand in for parties that have none yet.</summary>
    /// <exception cref="CustodyException">The file is there and not readable.</exception>
    public PartyNames Names()
    {
        string path = Path.Combine(directory, PartiesFile);
        return !File.Exists(path)
            ? PartyNames.UnsignedOfPaths(Files().Select(f => f.Path))
            : PartyNames.ReadJson(File.ReadAllBytes(path)) ?? throw new CustodyException(
                $"{path} is not {{\"parties\":{{\"name\":\"<id>\"}}}}; correct it, or remove it to check without ids.");
    }

    /// <summary>Writes down a party's id.</summary>
    public void Introduce(string name, PartyId id)
    {
        string path = Path.Combine(directory, PartiesFile);
        PartyNames known = File.Exists(path) ? Names() : PartyNames.None;
        string beside = path + ".new";
        File.WriteAllBytes(beside, PartyNames.Of(known.Names.Where(n => n != name)
            .Select(n => KeyValuePair.Create(n, known.Find(n) ?? throw new System.Diagnostics.UnreachableException()))
            .Append(KeyValuePair.Create(name, id))).ToJson());
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Reads everything.</summary>
    public PolicyReading Read(PartyNames names) => PolicyDocuments.ReadYaml(Files(), names);

    /// <summary>The files, by path below the directory; hidden ones, as editors leave them, are passed over.</summary>
    /// <exception cref="CustodyException">The directory is missing, or something in it is no plain file.</exception>
    public IReadOnlyList<(string Path, ReadOnlyMemory<byte> Text)> Files()
    {
        if (!Directory.Exists(directory))
        {
            throw new CustodyException(File.Exists(directory)
                ? $"{directory} is a file; name the directory that holds one subdirectory a party."
                : $"There is no directory {directory}.");
        }

        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden, IgnoreInaccessible = false,
            MaxRecursionDepth = 8,
        };
        // Links are seen, and refused: a checkout of somebody else's could point anywhere on this machine.
        FileSystemInfo[] found = [.. new DirectoryInfo(directory).EnumerateFileSystemInfos("*", options)];
        return found.FirstOrDefault(f => f.LinkTarget is not null) is { } link
            ? throw new CustodyException($"{link.FullName} is a symbolic link; put the file itself there.")
            : [.. found.OfType<FileInfo>().Where(f => f.Extension is ".yaml" or ".yml")
                .OrderBy(f => f.FullName, StringComparer.Ordinal).Take(PolicyLimits.Files + 1)
                .Select(f => (Path.GetRelativePath(directory, f.FullName), Text(f)))];
    }

    /// <summary>Signs what a party wrote and has not signed yet: its root first, then the rest.</summary>
    /// <returns>The new statements, in order.</returns>
    /// <exception cref="CustodyException">Something cannot be signed as it is written.</exception>
    public IReadOnlyList<VerifiedStatement> Sign(
        PartyDirectory party, StatementFolder folder, SigningFacts facts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(party);
        ArgumentNullException.ThrowIfNull(folder);
        var signer = new StatementSigner(party, folder, now);
        var signed = new List<VerifiedStatement>();
        Enclosures enclosed = Enclosures.Of(facts);
        foreach (PolicyDocument document in Own(party).OrderBy(d => d.Origin.Kind).ThenBy(d => d.Origin.Name))
        {
            if (signer.Sign(Wish(party, document, enclosed)) is { } statement)
            {
                signed.Add(statement);
            }
        }

        return signed;
    }

    /// <summary>Signs only a party's root, so that it has an id others can name.</summary>
    public VerifiedStatement? SignRoot(
        PartyDirectory party, StatementFolder folder, SigningFacts facts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(party);
        VerifiedStatement? signed = new StatementSigner(party, folder, now).Sign(
            Wish(party, OwnRoot(party), Enclosures.Of(facts)));
        if (party.Facts.Id is { } id)
        {
            Introduce(party.Facts.Name.Text, id);
        }

        return signed;
    }

    /// <summary>Signs a root in which one key is replaced by a new one.</summary>
    public VerifiedStatement Rotate(
        PartyDirectory party, StatementFolder folder, SigningFacts facts, int number, DateTimeOffset now,
        TokenReference? token = null) =>
        new StatementSigner(party, folder, now).Rotate(
            number, () => Wish(party, OwnRoot(party), Enclosures.Of(facts)), token);

    /// <summary>The root of a tenant that has no policies yet.</summary>
    /// <exception cref="CustodyException">Nobody would accept a root with this name or these members.</exception>
    public static StatementWish TenantRoot(StatementName name, string legalName, RootMembers members)
    {
        ArgumentNullException.ThrowIfNull(name);
        var text = new JsonObject
        {
            ["kind"] = nameof(StatementKind.Tenant), ["name"] = name.Text, ["legalName"] = legalName,
        };
        // A JSON object is a YAML document too; so a root made here reads as one that is written by hand.
        byte[] yaml = Encoding.UTF8.GetBytes(text.ToJsonString(Relaxed));
        PolicyReading reading =
            PolicyDocuments.ReadYaml([($"{name}/tenant.yaml", yaml)], PartyNames.Unsigned([name.Text]));
        IReadOnlyCollection<Finding> findings = reading.Findings;
        if (findings.Count == 0)
        {
            switch (reading.Documents[0].ToSignedBody(SigningMaterial.Of(PartyNames.None) with { Root = members }))
            {
                case SignedBody.Ready ready:
                    return new StatementWish(StatementKind.Tenant, name, JsonElement.Parse(ready.Canonical.Span));
                case SignedBody.Unready unready:
                    findings = unready.Findings;
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        throw new CustodyException(string.Join('\n', findings.Select(f => f.Sentence)));
    }

    private static ReadOnlyMemory<byte> Text(FileInfo file) => file.Length switch
    {
        // Neither empty files nor pipes and devices are opened: those could be read for ever.
        0 => ReadOnlyMemory<byte>.Empty,
        > MaximumFileBytes => throw new CustodyException(
            $"{file.FullName} has {file.Length} bytes; a policy file has at most {PolicyLimits.FileBytes}."),
        _ => File.ReadAllBytes(file.FullName),
    };

    private PolicyDocument OwnRoot(PartyDirectory party) =>
        Own(party).FirstOrDefault(d => d.Origin.Kind == party.Facts.Kind) ?? throw new CustodyException(
            $"{directory}/{party.Facts.Name} has no {party.Facts.Kind} document; write one.");

    /// <summary>Before a party has an id, its documents are known by its directory's name.</summary>
    private PolicyDocument[] Own(PartyDirectory party)
    {
        PartyNames known = Names();
        string name = party.Facts.Name.Text;
        PartyId owner = party.Facts.Id ?? PartyId.Unsigned(name);
        PartyNames names = PartyNames.Of(PartyNames.UnsignedOfPaths(Files().Select(f => f.Path)).Names
            .Union(known.Names)
            .Select(n => KeyValuePair.Create(n, n == name ? owner : known.Find(n) ?? PartyId.Unsigned(n))));
        PolicyReading reading = Read(names);
        Finding[] findings = [.. reading.Findings.Where(f => f.File.Split('/')[0] == name)];
        PolicyDocument[] own = [.. reading.Documents.Where(d => d.Origin.Owner == owner)];
        IGrouping<(StatementKind Kind, StatementName Name), PolicyDocument>? twice =
            own.GroupBy(d => (d.Origin.Kind, d.Origin.Name)).FirstOrDefault(g => g.Count() > 1);
        return findings.Length > 0 ? throw Unsignable(findings)
            : twice is null ? own
            : throw new CustodyException($"{twice.Key.Kind} {name}/{twice.Key.Name} is written twice: "
                + string.Join(" and ", twice.Select(d => $"{d.File}:{d.Origin.Line}")) + ". Keep one.");
    }

    private StatementWish Wish(PartyDirectory party, PolicyDocument document, Enclosures enclosed)
    {
        // Names that stand in for ids are good for checking, never for signing: who they mean must be known.
        PartyNames known = File.Exists(Path.Combine(directory, PartiesFile)) ? Names() : PartyNames.None;
        string own = party.Facts.Name.Text;
        IEnumerable<KeyValuePair<string, PartyId>> names = known.Names.Where(n => n != own)
            .Select(n => KeyValuePair.Create(n, known.Find(n) ?? throw new System.Diagnostics.UnreachableException()));
        PartyNames all = PartyNames.Of(party.Facts.Id is { } id ? names.Append(KeyValuePair.Create(own, id)) : names);
        return document.ToSignedBody(new SigningMaterial(
            all, enclosed.Digests, Root(party.Facts, enclosed.Facts), enclosed.HostKeys,
            enclosed.EndorsementKeys)) switch
        {
            SignedBody.Ready ready =>
                new StatementWish(document.Origin.Kind, document.Origin.Name, JsonElement.Parse(ready.Canonical.Span)),
            SignedBody.Unready unready => throw Unsignable(unready.Findings),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static CustodyException Unsignable(IReadOnlyCollection<Finding> findings)
    {
        string list = string.Join('\n', findings.Select(f => $"{f.File}:{f.Line}: {f.Sentence}"));
        return new CustodyException(findings.Any(f => f.Code == FindingCode.UnknownParty)
            ? $"{list}\nWrite the ids of the parties you name into {PartiesFile}: "
                + "{\"parties\":{\"name\":\"<id>\"}}."
            : list);
    }

    private static RootMembers Root(PartyFacts party, SigningFacts facts) => party.ToRootMembers(
        facts.LogKey is { } log && facts.LogOrigin is { } origin ? new RootService(origin, log) : null);

    /// <summary>What lies beside the policies, read once for all of them.</summary>
    private sealed record Enclosures(
        SigningFacts Facts, ImmutableDictionary<string, string> Digests,
        ImmutableDictionary<string, PublicKey> HostKeys, ImmutableDictionary<string, string> EndorsementKeys)
    {
        internal static Enclosures Of(SigningFacts facts) => new(
            facts,
            In(facts.Files, "*").ToImmutableDictionary(f => Path.GetFileName(f), DigestOf),
            In(facts.HostKeys, "*.pub").ToImmutableDictionary(f => Path.GetFileNameWithoutExtension(f), KeyOf),
            In(facts.HostKeys, "*.ek").ToImmutableDictionary(
                f => Path.GetFileNameWithoutExtension(f), f => File.ReadAllText(f).Trim()));
    }

    private static IEnumerable<string> In(string? path, string pattern) => path is null ? []
        : Directory.Exists(path) ? Directory.EnumerateFiles(path, pattern)
        : throw new CustodyException($"There is no directory {path}.");

    private static PublicKey KeyOf(string path) =>
        PublicKey.TryParseBase64(File.ReadAllText(path).Trim(), out PublicKey? key) ? key
            : throw new CustodyException($"{path} holds no public identity key in base64; enrol the host again.");

    private static string DigestOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
