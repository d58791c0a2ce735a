using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Proxy.Signed;

/// <summary>A tenant or an operator with keys of its own, which signs statements in order.</summary>
internal sealed class SignedParty : IDisposable
{
    private readonly StatementKind _root;
    private readonly StatementName _name;
    private readonly List<ECDsa> _keys = [];
    private readonly Dictionary<string, (long Revision, Digest32 Digest)> _heads = [];
    private readonly Dictionary<string, Digest32> _history = [];
    private readonly int _threshold;
    private PartyId? _id;

    /// <summary>A party; its keys are made by chance, or by whatever a test makes them from.</summary>
    public SignedParty(StatementKind root, string name, int keys, int threshold, Func<ECDsa>? make = null)
    {
        make ??= Key;
        _root = root;
        _name = NameOf(name);
        _threshold = threshold;
        _keys.AddRange(Enumerable.Range(0, keys).Select(_ => make()));
        Admin = make();
        Auditor = make();
    }

    public PartyId Id => _id ?? throw new InvalidOperationException("no root yet");

    public ECDsa Admin { get; }

    public ECDsa Auditor { get; }

    public IReadOnlyList<EcdsaSigner> Signers => [.. _keys.Take(_threshold).Select(k => new EcdsaSigner(k))];

    public byte[] SignRoot(JsonObject more)
    {
        JsonObject body = new()
        {
            ["roots"] = new JsonArray([.. _keys.Select(k => (JsonNode)new JsonObject { ["key"] = Base64(k) })]),
            ["threshold"] = _threshold,
            ["admins"] = new JsonArray(Base64(Admin)),
            ["auditors"] = new JsonArray(Base64(Auditor)),
        };
        foreach ((string name, JsonNode? value) in more)
        {
            body[name] = value?.DeepClone();
        }

        return Sign(_root, _name.Text, body);
    }

    /// <summary>The next revision of a subject.</summary>
    public byte[] Sign(StatementKind kind, string name, JsonObject body, IReadOnlyList<ISigner>? signers = null)
    {
        byte[] payload = Compose(kind, name, body);
        return EnvelopeWriter.Sign(payload, signers ?? Signers);
    }

    private byte[] Compose(StatementKind kind, string name, JsonObject body)
    {
        string subject = $"{kind}/{name}";
        bool first = !_heads.TryGetValue(subject, out var head);
        byte[] payload = StatementPayload.Compose(
            kind, kind == _root && first ? null : Id, NameOf(name), first ? 1 : head.Revision + 1,
            first ? null : head.Digest, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            JsonElement.Parse(body.ToJsonString()));
        _heads[subject] = (first ? 1 : head.Revision + 1, Digest32.Of(payload));
        _history[$"{subject} {_heads[subject].Revision}"] = Digest32.Of(payload);
        if (kind == _root && first)
        {
            _id = PartyId.OfFirstRoot(payload);
        }

        return payload;
    }

    /// <summary>Signs a statement that this party then forgets, as if another had forged it.</summary>
    public byte[] SignAside(StatementKind kind, string name, JsonObject body, IReadOnlyList<ISigner> signers)
    {
        string subject = $"{kind}/{name}";
        _heads.TryGetValue(subject, out var before);
        byte[] envelope = Sign(kind, name, body, signers);
        if (before.Digest is null)
        {
            _heads.Remove(subject);
        }
        else
        {
            _heads[subject] = before;
        }

        return envelope;
    }

    /// <summary>
    /// Forgets revisions of a subject from one on, so that the next one competes with what was signed.
    /// </summary>
    public void Forget(StatementKind kind, string name, long revision)
    {
        string subject = $"{kind}/{name}";
        _heads[subject] = (revision - 1, _history[$"{subject} {revision - 1}"]);
    }

    public static ECDsa Key() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static string Base64(ECDsa key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

    public static StatementName NameOf(string text) =>
        StatementName.TryParse(text, out StatementName? name) ? name : throw new FormatException(text);

    public void Dispose()
    {
        _keys.ForEach(k => k.Dispose());
        Admin.Dispose();
        Auditor.Dispose();
    }
}
