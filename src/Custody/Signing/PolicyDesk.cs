using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>What signing fills in that nobody writes by hand.</summary>
/// <param name="Files">Directory of the boot files that images name; null when there is none.</param>
/// <param name="HostKeys">Directory with <c>NAME.pub</c> (base64 SubjectPublicKeyInfo) of each enrolled host.</param>
/// <param name="LogOrigin">Origin line of the board's checkpoints; for an operator's root.</param>
/// <param name="LogKey">The board's log key; for an operator's root.</param>
public sealed record SigningFacts(string? Files, string? HostKeys, string? LogOrigin, PublicKey? LogKey);

/// <summary>A directory of authored policies, and the signing of what one party wrote in it.</summary>
/// <param name="directory">One subdirectory a party, named like it.</param>
public sealed class PolicyDesk(string directory)
{
    /// <summary>File in the directory that says who is who.</summary>
    public const string PartiesFile = "parties.json";

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
        File.WriteAllBytes(path, PartyNames.Of(known.Names.Where(n => n != name)
            .Select(n => KeyValuePair.Create(n, known.Find(n) ?? throw new System.Diagnostics.UnreachableException()))
            .Append(KeyValuePair.Create(name, id))).ToJson());
    }

    /// <summary>Reads everything.</summary>
    public PolicyReading Read(PartyNames names) => PolicyDocuments.ReadYaml(Files(), names);

    /// <summary>The files, by path below the directory.</summary>
    /// <exception cref="CustodyException">The directory is missing.</exception>
    public IReadOnlyList<(string Path, ReadOnlyMemory<byte> Text)> Files() => Directory.Exists(directory)
        ? [.. Directory.EnumerateFiles(directory, "*.y*ml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => (Path.GetRelativePath(directory, f), (ReadOnlyMemory<byte>)File.ReadAllBytes(f)))]
        : throw new CustodyException($"There is no directory {directory}.");

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
        foreach (PolicyDocument document in Own(party).OrderBy(d => d.Origin.Kind).ThenBy(d => d.Origin.Name))
        {
            if (signer.Sign(Wish(party, document, facts)) is { } statement)
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
        VerifiedStatement? signed = new StatementSigner(party, folder, now).Sign(Wish(party, OwnRoot(party), facts));
        if (party.Facts.Id is { } id)
        {
            Introduce(party.Facts.Name.Text, id);
        }

        return signed;
    }

    /// <summary>Signs a root in which one key is replaced by a new one.</summary>
    public VerifiedStatement Rotate(
        PartyDirectory party, StatementFolder folder, SigningFacts facts, int number, DateTimeOffset now) =>
        new StatementSigner(party, folder, now).Rotate(number, () => Wish(party, OwnRoot(party), facts));

    private PolicyDocument OwnRoot(PartyDirectory party) =>
        Own(party).FirstOrDefault(d => d.Origin.Kind == party.Facts.Kind) ?? throw new CustodyException(
            $"{directory}/{party.Facts.Name} has no {party.Facts.Kind} document; write one.");

    /// <summary>Before a party has an id, its documents are known by its directory's name.</summary>
    private IEnumerable<PolicyDocument> Own(PartyDirectory party)
    {
        PartyNames known = Names();
        string name = party.Facts.Name.Text;
        PartyId owner = party.Facts.Id ?? PartyId.Unsigned(name);
        PartyNames names = PartyNames.Of(PartyNames.UnsignedOfPaths(Files().Select(f => f.Path)).Names.Union(known.Names)
            .Select(n => KeyValuePair.Create(n, n == name ? owner : known.Find(n) ?? PartyId.Unsigned(n))));
        PolicyReading reading = Read(names);
        Finding? first = reading.Findings.FirstOrDefault(f => f.File.Split('/')[0] == name);
        return first is null
            ? reading.Documents.Where(d => d.Origin.Owner == owner)
            : throw new CustodyException($"{first.File}:{first.Line}: {first.Sentence} `bailiwick policy check` shows all.");
    }

    private StatementWish Wish(PartyDirectory party, PolicyDocument document, SigningFacts facts)
    {
        var material = new SigningMaterial(Names(), Digests(facts), Root(party.Facts, facts), HostKeys(facts));
        switch (document.ToSignedBody(material))
        {
            case SignedBody.Ready ready:
                return new StatementWish(
                    document.Origin.Kind, document.Origin.Name, JsonElement.Parse(ready.Canonical.Span));
            case SignedBody.Unready unready:
                Finding first = unready.Findings[0];
                throw new CustodyException($"{first.File}:{first.Line}: {first.Sentence}");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static RootMembers Root(PartyFacts party, SigningFacts facts) => new(
        party.Roots, party.Threshold, [party.Admin], [party.Auditor],
        party.KeyService is { } service && party.KeyServiceAddress is { } address ? new RootService(address, service)
        : facts.LogKey is { } log && facts.LogOrigin is { } origin ? new RootService(origin, log)
        : null);

    private static ImmutableDictionary<string, string> Digests(SigningFacts facts) => facts.Files is null
        ? ImmutableDictionary<string, string>.Empty
        : Directory.EnumerateFiles(facts.Files).ToImmutableDictionary(f => Path.GetFileName(f), DigestOf);

    private static ImmutableDictionary<string, PublicKey> HostKeys(SigningFacts facts) => facts.HostKeys is null
        ? ImmutableDictionary<string, PublicKey>.Empty
        : Directory.EnumerateFiles(facts.HostKeys, "*.pub").ToImmutableDictionary(
            f => Path.GetFileNameWithoutExtension(f),
            f => PublicKey.TryParseBase64(File.ReadAllText(f).Trim(), out PublicKey? key) ? key
                : throw new CustodyException($"{f} holds no public identity key in base64; enrol the host again."));

    private static string DigestOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
