using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Domains.Bundles;

/// <summary>
/// All that somebody needs to judge a host's evidence later and without asking anybody: one file, canonical JSON
/// (docs/evidence-bundle.md). Nothing in it is believed because it is in it: whom to believe, which host is asked
/// about, and what makes the evidence fresh are <see cref="BundlePins"/>, which the reader brings along.
/// </summary>
public sealed record EvidenceBundle
{
    /// <summary>The value of the member `bailiwick`.</summary>
    public const string Version = "evidence-bundle/v1";

    private static readonly JsonLimits Limits =
        new(BundleLimits.Depth, BundleLimits.Bytes, BundleLimits.Members);

    /// <summary>The signed evidence: a DSSE envelope as canonical JSON.</summary>
    public required ReadOnlyMemory<byte> Evidence { get; init; }

    /// <summary>What key services signed of the host's TPM; may be empty.</summary>
    public required ImmutableArray<byte[]> Enrolments { get; init; }

    /// <summary>The logs beside the evidence.</summary>
    public required EvidenceLogs Logs { get; init; }

    /// <summary>
    /// Statements as envelopes, in an order in which each is accepted: every revision of the tenant's and the
    /// operator's roots, of the host, and of the domain.
    /// </summary>
    public required ImmutableArray<byte[]> Statements { get; init; }

    /// <summary>Proofs that the checkpoint of the evidence contains one that a reader may hold.</summary>
    public required ImmutableArray<ConsistencyProof> Proofs { get; init; }

    /// <summary>Writes it.</summary>
    public byte[] Write() => CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["bailiwick"] = Version,
        ["evidence"] = Node(Evidence.Span),
        ["enrolments"] = new JsonArray([.. Enrolments.Select(one => Node(one))]),
        ["bootLog"] = Convert.ToBase64String(Logs.BootLog.Span),
        ["runtimeLog"] = Convert.ToBase64String(Logs.RuntimeLog.Span),
        ["integrityLog"] = Convert.ToBase64String(Logs.IntegrityLog.Span),
        ["statements"] = new JsonArray([.. Statements.Select(one => Node(one))]),
        ["proofs"] = new JsonArray([.. Proofs.Select(proof => (JsonNode)new JsonObject
        {
            ["first"] = proof.OldSize,
            ["second"] = proof.NewSize,
            ["hashes"] = new JsonArray([.. proof.Path.Select(hash => (JsonNode)hash.Hex)]),
        })]),
    }));

    /// <summary>Reads one; null with a sentence for anything that <see cref="Write"/> would not have written.</summary>
    public static EvidenceBundle? Read(ReadOnlySpan<byte> canonical, out string fault)
    {
        if (CanonicalJson.ParseCanonical(canonical, Limits) is not JsonReading.Understood { Root: var root })
        {
            fault = $"It is not canonical JSON of at most {BundleLimits.Bytes} bytes.";
            return null;
        }

        fault = $"It has not exactly the members of an {Version}, or one of them has not its form.";
        return DocumentObject.Of(root) is { } value
            && value.HasExactly(
                "bailiwick", "evidence", "enrolments", "bootLog", "runtimeLog", "integrityLog", "statements", "proofs")
            && value.Text("bailiwick") == Version
            && value.Canonical("evidence") is { } evidence
            && value.CanonicalList("enrolments", BundleLimits.Enrolments) is { } enrolments
            && value.Bytes("bootLog", BundleLimits.LogBytes) is { } boot
            && value.Bytes("runtimeLog", BundleLimits.LogBytes) is { } runtime
            && value.Bytes("integrityLog", BundleLimits.LogBytes) is { } integrity
            && value.CanonicalList("statements", BundleLimits.Statements) is { } statements
            && value.ObjectList("proofs", BundleLimits.Proofs) is { } list
            && Proved(list) is { } proofs
                ? new EvidenceBundle
                {
                    Evidence = evidence,
                    Enrolments = enrolments,
                    Logs = new EvidenceLogs(boot, runtime) { IntegrityLog = integrity },
                    Statements = statements,
                    Proofs = proofs,
                }
                : null;
    }

    private static ImmutableArray<ConsistencyProof>? Proved(ImmutableArray<DocumentObject> list)
    {
        var proofs = ImmutableArray.CreateBuilder<ConsistencyProof>(list.Length);
        foreach (DocumentObject item in list)
        {
            if (!item.HasExactly("first", "second", "hashes") || item.Count("first") is not { } first
                || item.Count("second") is not { } second
                || item.DigestList("hashes", LedgerLimits.ProofHashes) is not { } hashes)
            {
                return null;
            }

            proofs.Add(new ConsistencyProof(first, second, hashes));
        }

        return proofs.ToImmutable();
    }

    private static JsonNode? Node(ReadOnlySpan<byte> json) => JsonNode.Parse(json);
}
