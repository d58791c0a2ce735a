using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Custody;

/// <summary>A desk in a directory of its own: a copy of the example's policies, keys, and folders to sign into.
/// </summary>
internal sealed class SigningScene : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public SigningScene()
    {
        Policies = Path.Combine(Root, "policies");
        CopyExample(Policies);
        string guest = Directory.CreateDirectory(Path.Combine(Root, "guest")).FullName;
        File.WriteAllText(Path.Combine(guest, "vmlinuz"), "a kernel");
        File.WriteAllText(Path.Combine(guest, "initrd.gz"), "an initrd");
        string enrolled = Directory.CreateDirectory(Path.Combine(Root, "enrolled")).FullName;
        foreach (string host in new[] { "host-1", "host-2", "host-3" })
        {
            File.WriteAllText(Path.Combine(enrolled, host + ".pub"), NewKey().Base64 + "\n");
        }

        Facts = new SigningFacts(guest, enrolled, "log.example", NewKey());
        Desk = new PolicyDesk(Policies);
    }

    public string Root => _root.FullName;

    public string Policies { get; }

    public PolicyDesk Desk { get; }

    public SigningFacts Facts { get; }

    public static void CopyExample(string to)
    {
        foreach (var (path, text) in Domains.Policy.Example.ThreeTenants.Files)
        {
            string file = Path.Combine(to, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file) ?? to);
            File.WriteAllText(file, text);
        }
    }

    public static PublicKey NewKey() => Signatory.NewKey().PublicKey;

    public string Keys(string party) => Path.Combine(Root, "keys", party);

    public string Signed(string party) => Path.Combine(Root, "signed", party);

    public PartyDirectory Create(string party, int keys = 3, int threshold = 2, string? passphrase = null) =>
        PartyDirectory.Create(Keys(party), new PartyRequest(
            party == "alpine" ? StatementKind.Datacentre : StatementKind.Tenant, StatementName.Parse(party), keys,
            threshold, party == "alpine" ? null : "10.99.0.3:7600", passphrase));

    public PartyDirectory Open(string party) => PartyDirectory.Open(Keys(party), null);

    public StatementFolder Folder(string party) => new(Signed(party));

    /// <summary>Makes the keys of all four parties and signs all roots: the tenants' first, then the operator's.
    /// </summary>
    public void SignRoots()
    {
        foreach (string party in new[] { "bank", "hospital", "regulator", "alpine" })
        {
            using PartyDirectory keys = Create(party);
            using StatementFolder folder = Folder(party);
            Assert.NotNull(Desk.SignRoot(keys, folder, Facts, Now));
        }
    }

    /// <summary>Signs what a party changed, as a process that starts anew would.</summary>
    public IReadOnlyList<VerifiedStatement> Sign(string party)
    {
        using PartyDirectory keys = Open(party);
        using StatementFolder folder = Folder(party);
        return Desk.Sign(keys, folder, Facts, Now);
    }

    public VerifiedStatement Rotate(string party, int number, TokenReference? token = null)
    {
        using PartyDirectory keys = Open(party);
        using StatementFolder folder = Folder(party);
        return Desk.Rotate(keys, folder, Facts, number, Now, token);
    }

    /// <summary>What anybody makes of the party's folder.</summary>
    public StatementBook Replay(string party)
    {
        using StatementFolder folder = Folder(party);
        return folder.Book;
    }

    /// <summary>Replaces a text in a policy file; the text must be there.</summary>
    public void Edit(string file, string old, string replacement)
    {
        string path = Path.Combine(Policies, file);
        string text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    public void Dispose() => _root.Delete(recursive: true);
}
