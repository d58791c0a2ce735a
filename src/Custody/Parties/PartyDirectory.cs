using System.Globalization;
using System.Text;
using System.Text.Json;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Parties;

/// <summary>
/// The keys of one party (a tenant, or a datacentre's operator) in a directory of its own, mode 0700:
/// <c>party.json</c> (public facts), <c>root-N.pem</c> (or <c>root-N.token</c> for a key in a token),
/// <c>admin.pem</c>, <c>auditor.pem</c>, and for a tenant <c>keyservice.pem</c>. Root keys sign statements; the others
/// are identities on channels.
/// </summary>
public sealed class PartyDirectory : IDisposable
{
    /// <summary>Name of the file with the party's public facts.</summary>
    public const string FactsFile = "party.json";

    private const int MaximumFactsBytes = 65_536;
    private const string Retired = "retired-";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly string? _passphrase;

    private PartyDirectory(PrivateDirectory files, PartyFacts facts, string? passphrase)
    {
        Files = files;
        Facts = facts;
        _passphrase = passphrase;
    }

    /// <summary>The directory.</summary>
    public PrivateDirectory Files { get; }

    /// <summary>The party's public facts.</summary>
    public PartyFacts Facts { get; private set; }

    /// <summary>Makes all keys of a new party.</summary>
    /// <exception cref="CustodyException">The directory holds a party already, or the numbers make no quorum.
    /// </exception>
    public static PartyDirectory Create(string path, PartyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RootKeys is < 1 or > 16 || request.Threshold < 1 || request.Threshold > request.RootKeys)
        {
            throw new CustodyException(
                $"{request.Threshold} of {request.RootKeys} root keys is no quorum: "
                + "at most 16 keys, and a threshold from 1 up to their number.");
        }

        PrivateDirectory files = Desks.OpenOrCreate(path);
        if (DurableFile.Read(files, FactsFile, MaximumFactsBytes) is not null)
        {
            throw new CustodyException($"{path} holds the keys of a party already; choose another directory.");
        }

        PublicKey Make(string name, string? passphrase) => PartyKeys.Create(files, name, passphrase);
        var facts = new PartyFacts
        {
            Kind = request.Kind,
            Name = request.Name,
            Threshold = request.Threshold,
            Roots = [.. Enumerable.Range(1, request.RootKeys).Select(i => Make(RootFile(i), request.Passphrase))],
            Admin = Make("admin.pem", null),
            Auditor = Make("auditor.pem", null),
            KeyService = request.KeyServiceAddress is null ? null : Make("keyservice.pem", null),
            KeyServiceAddress = request.KeyServiceAddress,
        };
        var made = new PartyDirectory(files, facts, request.Passphrase);
        made.Save();
        return made;
    }

    /// <summary>Opens the keys of a party.</summary>
    /// <exception cref="CustodyException">There is none, or its facts are not readable.</exception>
    public static PartyDirectory Open(string path, string? passphrase)
    {
        if (!Directory.Exists(path))
        {
            throw new CustodyException($"There is no key directory {path}; `bailiwick tenant init --out` makes one.");
        }

        PrivateDirectory files = PrivateDirectory.Open(LinuxDisk.Instance, Desks.FullPath(path));
        byte[] text = DurableFile.Read(files, FactsFile, MaximumFactsBytes)
            ?? throw new CustodyException($"{path} holds no party; `bailiwick tenant init --out` makes one.");
        return CanonicalJson.Parse(text) is JsonReading.Understood understood
            && PartyFacts.Read(understood.Root) is { } facts
                ? new PartyDirectory(files, facts, passphrase)
                : throw new CustodyException($"{path}/{FactsFile} is not a party's facts; restore it from a backup.");
    }

    /// <summary>Opens root keys for signing: the first <paramref name="count"/> that are here.</summary>
    /// <exception cref="CustodyException">Fewer are here.</exception>
    public IReadOnlyList<EcdsaSigner> OpenRoots(int count) => OpenRoots(Facts.Roots, count);

    /// <summary>
    /// Opens as many of these root keys as must sign. Keys are found by what they are, not by their files' names, so
    /// one that was replaced at this desk can still sign for a root that is not yet replaced.
    /// </summary>
    /// <exception cref="CustodyException">Fewer are here.</exception>
    public IReadOnlyList<EcdsaSigner> OpenRoots(IReadOnlyCollection<PublicKey> among, int count)
    {
        ArgumentNullException.ThrowIfNull(among);
        List<string> away = [];
        EcdsaSigner[] signers =
        [
            .. Names().Where(n => IsRootKey(n) || n.StartsWith(Retired, StringComparison.Ordinal))
                .Select(n => OpenIfHere(n, among, away)).OfType<EcdsaSigner>()
                .DistinctBy(k => k.Id).Take(count),
        ];
        return signers.Length == count
            ? signers
            : throw new CustodyException(
                $"{count} root keys of {Facts.Name} must sign, and {signers.Length} are in {Files.Path}. "
                + string.Join(" ", away));
    }

    /// <summary>Notes the party's id once its first root statement exists.</summary>
    public void Bind(PartyId id)
    {
        Facts = Facts with { Id = id };
        Save();
    }

    /// <summary>
    /// Puts a new key, in a file of its own, in the place of root key <paramref name="number"/>. The old key stays
    /// until a root without it is signed: see <see cref="RetireRoots"/>.
    /// </summary>
    /// <param name="number">The number of the root key to replace.</param>
    /// <param name="token">The key in a token that takes its place; null makes one in a file.</param>
    /// <exception cref="CustodyException">There is no such root key, or it is replaced already.</exception>
    public void ReplaceRoot(int number, TokenReference? token = null)
    {
        string name = Names().FirstOrDefault(n => IsRootKey(n) && NumberOf(n) == number) ?? RootFile(number);
        PublicKey old = PublicHalf(name);
        if (!Facts.Roots.Contains(old))
        {
            throw new CustodyException($"{name} is no root key of {Facts.Name} any more; "
                + "`bailiwick policy sign` signs the root that replaces it.");
        }

        int next = 1 + Names().Where(n => IsRootKey(n) || n.StartsWith(Retired, StringComparison.Ordinal))
            .Select(NumberOf).Max();
        PublicKey made = token is null
            ? PartyKeys.Create(Files, RootFile(next), _passphrase)
            : PartyKeys.Place(Files, Path.ChangeExtension(RootFile(next), PartyKeys.TokenEnding), token);
        Facts = Facts with { Roots = [.. Facts.Roots.Select(k => k.Equals(old) ? made : k)] };
        Save();
    }

    /// <summary>Renames the files of root keys that the party's root no longer has, so that nobody takes them for one.
    /// </summary>
    public void RetireRoots()
    {
        foreach (string name in Names().Where(IsRootKey).ToArray())
        {
            if (!Facts.Roots.Contains(PublicHalf(name)))
            {
                PartyKeys.Move(Files, name, Retired + name);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Files.Dispose();

    private IEnumerable<string> Names() => Directory.EnumerateFiles(Files.Path)
        .Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private PublicKey PublicHalf(string name) =>
        PartyKeys.Token(Files, name)?.Key ?? PartyKeys.Open(Files, name, _passphrase).PublicKey;

    /// <summary>A root key, if it is one of these; one whose token is away is not here.</summary>
    private EcdsaSigner? OpenIfHere(string name, IReadOnlyCollection<PublicKey> among, List<string> away)
    {
        if (PartyKeys.Token(Files, name) is not { } token)
        {
            EcdsaSigner key = PartyKeys.Open(Files, name, _passphrase);
            return among.Contains(key.PublicKey) ? key : null;
        }

        try
        {
            return among.Contains(token.Key) ? token.Open() : null;
        }
        catch (Exception error) when (error is KeyringException or DurableException)
        {
            away.Add($"{name}: {error.Message}");
            return null;
        }
    }

    private static string RootFile(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"root-{number}.pem");

    private static int NumberOf(string name) =>
        int.TryParse(Path.GetFileNameWithoutExtension(name.AsSpan(name.LastIndexOf('-') + 1)), NumberStyles.None,
            CultureInfo.InvariantCulture, out int number) ? number : 0;

    private static bool IsRootKey(string name) => name.StartsWith("root-", StringComparison.Ordinal)
        && Path.GetExtension(name) is ".pem" or PartyKeys.TokenEnding;

    private void Save() => DurableFile.Replace(
        Files, FactsFile, Encoding.UTF8.GetBytes(Facts.Write().ToJsonString(Indented) + "\n"));
}
