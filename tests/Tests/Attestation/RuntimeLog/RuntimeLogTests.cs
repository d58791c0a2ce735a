using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.RuntimeLog;

public sealed class RuntimeLogTests
{
    [Fact]
    public void A_good_log_satisfies_every_predicate()
    {
        AppraisalReport report =
            Appraisal.Judge(RuntimeScene.Predicates, null, RuntimeScene.Explained(RuntimeScene.Good().Bytes));
        Assert.True(report.Holds);
        Assert.Equal([2L], report.Outcomes[2].Events);
    }

    [Fact]
    public void Without_an_explained_log_every_predicate_is_broken() =>
        Assert.All(Appraisal.Judge(RuntimeScene.Predicates, null, null).Outcomes, o => Assert.False(o.Satisfied));

    [Fact]
    public void Refuses_a_file_that_is_not_accepted_and_names_its_entry()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.File("/tmp/evil", "evil");
        PredicateOutcome outcome =
            Appraisal.Judge(RuntimeScene.Predicates, null, RuntimeScene.Explained(scene.Bytes)).Outcomes[0];
        Assert.False(outcome.Satisfied);
        Assert.Equal([3L], outcome.Events);
        Assert.Contains("/tmp/evil", outcome.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_first_entry_may_be_the_boot_aggregate()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.File("boot_aggregate", "evil");
        Assert.Equal(["RuntimeFiles"], scene.Broken());
    }

    [Fact]
    public void A_violation_breaks_the_demand_for_none()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.Violation("/var/log/wtmp");
        Assert.Equal(["NoViolations"], scene.Broken());
    }

    [Fact]
    public void An_unknown_template_could_be_a_file_and_breaks_the_list()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.Entry("d-new", [1, 2, 3]);
        Assert.Equal(["RuntimeFiles"], scene.Broken());
    }

    [Fact]
    public void A_buffer_is_no_file()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.File("kexec-cmdline", "buffer", template: "ima-buf");
        Assert.Empty(scene.Broken());
    }

    [Fact]
    public void A_program_that_was_not_measured_or_changed_breaks_its_predicate()
    {
        var scene = new RuntimeScene();
        scene.File("boot_aggregate", "aggregate");
        Assert.Equal(["Program"], scene.Broken());
        scene = RuntimeScene.Good();
        scene.File(RuntimeScene.Proxy, "bash");
        Assert.Equal(["Program"], scene.Broken());
    }

    [Fact]
    public void Digests_of_SHA1_are_accepted_from_nobody()
    {
        var scene = new RuntimeScene();
        scene.Oldest("/bin/sh", "bash");
        string sha1 = Convert.ToHexStringLower(
            CryptographicOperations.HashData(HashAlgorithmName.SHA1, "bash"u8));
        Assert.Equal(["RuntimeFiles"], scene.Broken([new Predicate.RuntimeFiles(null, ReferenceSet.Of([sha1]), [])]));
    }

    [Fact]
    public void Refuses_a_log_with_an_entry_changed_removed_or_swapped()
    {
        byte[] good = RuntimeScene.Good().Bytes;
        QuotedPcrs quoted = RuntimeScene.Quote(good);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] log = [.. good];
            log[at] ^= 1;
            // What PCR 10's SHA-256 bank does not cover is the SHA-1 digest and the template's name.
            RuntimeExplanation found = RuntimeExplanation.Judge(RuntimeLogState.Start(TpmHash.Sha256), log, quoted);
            if (found is RuntimeExplanation.Explained one)
            {
                Assert.Equal(Datas(good), Datas(log));
            }
        }

        Assert.IsType<RuntimeExplanation.Refused>(RuntimeExplanation.Judge(
            RuntimeLogState.Start(TpmHash.Sha256), good.AsMemory(0, good.Length - 1), quoted));
    }

    [Fact]
    public void In_the_SHA1_bank_the_digest_must_be_that_of_the_data()
    {
        var scene = new RuntimeScene();
        scene.Entry("ima-ng", [1, 2, 3], new byte[19].Append((byte)1).ToArray());
        Assert.Equal(RuntimeLogFaultCode.DigestMismatch,
            RuntimeReplay.Of(RuntimeLogState.Start(TpmHash.Sha1), scene.Bytes).Fault?.Code);
    }

    [Fact]
    public void Goes_on_from_a_state_with_only_the_new_tail()
    {
        RuntimeScene scene = RuntimeScene.Good();
        byte[] first = scene.Bytes;
        ExplainedRuntime before = RuntimeScene.Explained(first);
        AppraisalReport earlier = Appraisal.Judge(RuntimeScene.Predicates, null, before);
        scene.File("/usr/bin/bash2", "bash");
        byte[] whole = scene.Bytes, tail = whole[first.Length..];

        ExplainedRuntime next = RuntimeScene.Explained(before.After, tail, whole);
        AppraisalReport report = Appraisal.Judge(RuntimeScene.Predicates, null, next, earlier);
        Assert.True(report.Holds);
        Assert.Equal((4L, (long)whole.Length), (next.After.Count.Entries, next.After.Count.Bytes));
        Assert.Equal([2L], report.Outcomes[2].Events);
        Assert.False(Appraisal.Judge(RuntimeScene.Predicates, null, next).Holds);
    }

    [Fact]
    public void Accepts_the_prefix_that_gives_the_quoted_value_and_leaves_the_rest()
    {
        RuntimeScene scene = RuntimeScene.Good();
        byte[] quoted = scene.Bytes;
        scene.File("/tmp/later", "later");
        ExplainedRuntime found = RuntimeScene.Explained(
            RuntimeLogState.Start(TpmHash.Sha256), [.. scene.Bytes, 1, 2, 3], quoted);
        Assert.Equal((3L, (long)quoted.Length), (found.After.Count.Entries, found.After.Count.Bytes));
        Assert.True(Appraisal.Judge(RuntimeScene.Predicates, null, found).Holds);
    }

    [Fact]
    public void An_entry_of_another_PCR_proves_nothing()
    {
        RuntimeScene scene = RuntimeScene.Good();
        scene.Entry("ima-ng", [1, 2, 3], pcr: 11);
        RuntimeReplayed whole = RuntimeReplay.Of(RuntimeLogState.Start(TpmHash.Sha256), scene.Bytes);
        Assert.Equal((4L, 1L), (whole.State.Count.Entries, whole.State.Count.Elsewhere));
        Assert.Equal(RuntimeScene.Quote(RuntimeScene.Good().Bytes).Value(10).ToArray(),
            whole.State.Pcr10(TpmHash.Sha256).ToArray());
    }

    [Theory]
    [InlineData("ecdsa")]
    [InlineData("rsa")]
    public void Accepts_a_file_signed_by_an_accepted_key_and_by_no_other(string kind)
    {
        using ECDsa curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA rsa = RSA.Create(2048);
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes("signed"));
        byte[] signature = kind == "rsa" ? rsa.SignHash(digest, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : curve.SignHash(digest, DSASignatureFormat.Rfc3279DerSequence);
        byte[] spki = kind == "rsa" ? rsa.ExportSubjectPublicKeyInfo() : curve.ExportSubjectPublicKeyInfo();
        byte[] header = [3, 2, 4, 1, 2, 3, 4, (byte)(signature.Length >> 8), (byte)signature.Length, .. signature];
        Assert.True(RuntimeSigner.TryParse(Convert.ToBase64String(spki), out RuntimeSigner? signer));
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.True(RuntimeSigner.TryParse(
            Convert.ToBase64String(stranger.ExportSubjectPublicKeyInfo()), out RuntimeSigner? other));

        var scene = new RuntimeScene();
        scene.File("/usr/bin/signed", "signed", header);
        Assert.Empty(scene.Broken([new Predicate.RuntimeFiles(null, null, [signer])]));
        Assert.Single(scene.Broken([new Predicate.RuntimeFiles(null, null, [other])]));
        scene.File("/usr/bin/evil", "evil", header);
        Assert.Single(scene.Broken([new Predicate.RuntimeFiles(null, null, [signer])]));
        Assert.Empty(scene.Broken([new Predicate.RuntimeFiles("/usr/bin/s*", null, [signer])]));
    }

    [Theory]
    [InlineData(RuntimeLogFaultCode.TemplateNameMalformed, 24, 0u)]
    [InlineData(RuntimeLogFaultCode.TemplateNameMalformed, 24, 256u)]
    [InlineData(RuntimeLogFaultCode.TemplateNameMalformed, 24, uint.MaxValue)]
    [InlineData(RuntimeLogFaultCode.Truncated, 34, 1000u)]
    [InlineData(RuntimeLogFaultCode.TemplateDataTooLarge, 34, uint.MaxValue)]
    public void Refuses_an_entry_with(RuntimeLogFaultCode code, int offset, uint value)
    {
        var scene = new RuntimeScene();
        scene.File("/x", "x");
        byte[] log = scene.Bytes;
        BitConverter.TryWriteBytes(log.AsSpan(offset), value);
        RuntimeReplayed replayed = RuntimeReplay.Of(RuntimeLogState.Start(TpmHash.Sha256), log);
        Assert.Equal((code, 0L), (replayed.Fault?.Code, replayed.State.Count.Entries));
    }

    private static List<string> Datas(byte[] log)
    {
        List<string> datas = [];
        var reader = new RuntimeLogReader(log);
        while (reader.TryRead(out RuntimeEntry entry))
        {
            datas.Add(Convert.ToHexString(entry.TemplateData));
        }

        return datas;
    }
}
