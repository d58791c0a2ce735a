using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;

namespace Bailiwick.Tests.Attestation.RuntimeLog;

/// <summary>Writes runtime logs as Linux does, or as a liar would, and quotes them.</summary>
internal sealed class RuntimeScene
{
    internal const string Proxy = "/usr/lib/bailiwick/Bailiwick.Proxy";
    private readonly ArrayBufferWriter<byte> _log = new();

    internal byte[] Bytes => _log.WrittenSpan.ToArray();

    internal static IReadOnlyList<Predicate> Predicates { get; } =
    [
        new Predicate.RuntimeFiles(null, ReferenceSet.Of([BootScene.Sha256("bash"), BootScene.Sha256("proxy")]), []),
        new Predicate.NoViolations(),
        new Predicate.Program(Proxy, ReferenceSet.Of([BootScene.Sha256("proxy")])),
    ];

    /// <summary>The aggregate, a shell and the Proxy.</summary>
    internal static RuntimeScene Good()
    {
        var scene = new RuntimeScene();
        scene.File("boot_aggregate", "aggregate");
        scene.File("/usr/bin/bash", "bash");
        scene.File(Proxy, "proxy");
        return scene;
    }

    internal void File(string path, string content, byte[]? signature = null, string? template = null)
    {
        byte[] digest = [.. "sha256:\0"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(content))];
        byte[] fields = [.. Field(digest), .. Field(Encoding.UTF8.GetBytes(path + '\0'))];
        Entry(template ?? (signature is null ? "ima-ng" : "ima-sig"),
            signature is null ? fields : [.. fields, .. Field(signature)]);
    }

    internal void Violation(string path) => Entry("ima-ng",
        [.. Field([.. "sha256:\0"u8, .. new byte[32]]), .. Field(Encoding.UTF8.GetBytes(path + '\0'))], new byte[20]);

    internal void Oldest(string path, string content)
    {
        byte[] digest = Sha1(Encoding.UTF8.GetBytes(content)), name = Encoding.UTF8.GetBytes(path);
        byte[] hashed = [.. digest, .. name, .. new byte[256 - name.Length]];
        Header("ima", Sha1(hashed), 10);
        _log.Write(digest);
        _log.Write(Field(name));
    }

    internal void Entry(string template, byte[] data, byte[]? digest = null, int pcr = 10)
    {
        Header(template, digest ?? Sha1(data), pcr);
        _log.Write(Field(data));
    }

    internal static byte[] Field(byte[] data) => [.. BitConverter.GetBytes(data.Length), .. data];

    internal static QuotedPcrs Quote(byte[] log, TpmHash bank = TpmHash.Sha256) => QuotedPcrs.Of(
        bank, [new(10, RuntimeReplay.Of(RuntimeLogState.Start(bank), log).State.Pcr10(bank).ToArray())]);

    internal static ExplainedRuntime Explained(byte[] log) =>
        Explained(RuntimeLogState.Start(TpmHash.Sha256), log, log);

    internal static ExplainedRuntime Explained(RuntimeLogState from, byte[] tail, byte[] quoted) =>
        Assert.IsType<RuntimeExplanation.Explained>(RuntimeExplanation.Judge(from, tail, Quote(quoted))).Runtime;

    /// <summary>The kinds of the predicates that this log breaks.</summary>
    internal string[] Broken(IReadOnlyList<Predicate>? predicates = null)
    {
        AppraisalReport report = Appraisal.Judge(predicates ?? Predicates, null, Explained(Bytes));
        Assert.All(report.Outcomes, o => Assert.NotEmpty(o.Sentence));
        return [.. report.Outcomes.Where(o => !o.Satisfied).Select(o => o.Predicate.GetType().Name)];
    }

    private static byte[] Sha1(byte[] data) => CryptographicOperations.HashData(HashAlgorithmName.SHA1, data);

    private void Header(string template, byte[] digest, int pcr)
    {
        _log.Write(BitConverter.GetBytes(pcr));
        _log.Write(digest);
        _log.Write(Field(Encoding.ASCII.GetBytes(template)));
    }
}
