using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>The example as statements that a book accepted: each party with its own keys, id and root.</summary>
internal sealed class SignedExample
{
    private static readonly DateTimeOffset Issued = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private static readonly ConcurrentDictionary<string, EcdsaSigner> Signers = new(StringComparer.Ordinal);

    private static readonly string[] Parties = ["hospital", "bank", "regulator", "alpine"];
    private static readonly string[] Hosts = ["host-1", "host-2", "host-3"];

    private readonly Dictionary<string, PartyId> _ids = new(StringComparer.Ordinal);
    private readonly List<VerifiedStatement> _statements = [];
    private StatementBook _book = StatementBook.Empty;

    private SignedExample(Example example)
    {
        foreach (var party in Parties)
        {
            foreach (var document in Read(example, party).Where(document => document.Origin.Kind.IsRoot()))
            {
                Add(document, party, first: true);
            }
        }

        foreach (var party in _ids.Keys)
        {
            foreach (var document in Read(example, party).Where(document => !document.Origin.Kind.IsRoot()))
            {
                Add(document, party, first: false);
            }
        }
    }

    public IReadOnlyList<VerifiedStatement> Statements => _statements;

    public PartyNames Names => PartyNames.Of(_ids);

    public static SignedExample Of(Example example) => new(example);

    /// <summary>A party of it.</summary>
    public PartyId Party(string name) => _ids[name];

    /// <summary>What is checked of the newest revisions.</summary>
    public CheckedDatacentre Datacentre() => PolicyCheck.Run(PolicyDocuments.FromStatements(_statements).Documents)
        .Datacentre;

    /// <summary>The same parties after they signed what another example has changed, each as a next revision.</summary>
    public SignedExample Then(Example next)
    {
        foreach (var party in _ids.Keys.ToArray())
        {
            foreach (var document in Read(next, party).Where(document => !document.Origin.Kind.IsRoot()))
            {
                Add(document, party, first: false);
            }
        }

        return this;
    }

    public static PublicKey Key(string name) => Signer(name).PublicKey;

    public static SigningMaterial Material(PartyNames names, string party) => new(
        names,
        ImmutableDictionary<string, string>.Empty.Add("vmlinuz", new('a', 64)).Add("initrd.gz", new('b', 64))
            .Add("vendors.pem", new('c', 64)),
        new RootMembers(
            [Key(party), Key(party + " second")], 1, [Key(party + " admin")], [],
            new RootService(party == "alpine" ? "alpine.example/log" : "10.99.0.3:7600", Key(party + " service"))),
        Hosts.ToImmutableDictionary(host => host, Key), ImmutableDictionary<string, string>.Empty);

    private static EcdsaSigner Signer(string name) =>
        Signers.GetOrAdd(name, _ => new EcdsaSigner(ECDsa.Create(ECCurve.NamedCurves.nistP256)));

    // What a party names may not be signed yet, so ids that are not known stand in where only roots are read.
    private ImmutableArray<PolicyDocument> Read(Example example, string party)
    {
        var names = PartyNames.Of(_ids.Concat(PartyNames.UnsignedOfPaths(example.Files.Keys).Names
            .Where(name => !_ids.ContainsKey(name)).Select(name => KeyValuePair.Create(name, PartyId.Unsigned(name)))));
        return PolicyDocuments.ReadYaml(
            example.Files.Where(file => file.Key.StartsWith(party + "/", StringComparison.Ordinal))
                .Select(file => (file.Key, (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(file.Value))),
            names).Documents;
    }

    private void Add(PolicyDocument document, string party, bool first)
    {
        var body = Assert.IsType<SignedBody.Ready>(document.ToSignedBody(Material(Names, party)));
        var before = _statements.SingleOrDefault(one => one.Kind == document.Origin.Kind
            && !first && one.Owner == _ids[party] && one.Name == document.Origin.Name);
        if (before is not null && CanonicalJson.Write(before.Body).AsSpan().SequenceEqual(body.Canonical.Span))
        {
            return;
        }

        var payload = StatementPayload.Compose(
            document.Origin.Kind, first ? null : _ids[party], document.Origin.Name, (before?.Revision ?? 0) + 1,
            before?.Digest, Issued, JsonElement.Parse(body.Canonical.Span));
        var verdict = Assert.IsType<StatementVerdict.Accepted>(
            _book.Consider(EnvelopeWriter.Sign(payload, Signer(party))));
        _book = verdict.Next;
        _statements.RemoveAll(one => one == before);
        _statements.Add(verdict.Statement);
        _ids[party] = verdict.Statement.Owner;
    }
}
