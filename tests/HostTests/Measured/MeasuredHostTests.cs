using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Pinned;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.HostTests.Lab;
using Bailiwick.HostTests.Tpm;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Measuring;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.HostTests.Measured;

/// <summary>
/// The whole claim in one: the Proxy runs in a machine that firmware, boot loader and kernel measured, enrols its TPM
/// with a tenant's real key service by activating a credential, and proves itself. Booted again with one word more on
/// the kernel's command line, the same host is refused, for that word and by its event.
/// </summary>
public sealed class MeasuredHostTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Word = "mitigations=off";
    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(12);
    private readonly PrivateSwtpm _tpm = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    // Sockets have short paths only.
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-mh-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _tpm.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await _tpm.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_measured_host_is_accepted_and_refused_after_a_boot_with_another_command_line()
    {
        Digest32 endorsement = OnDelivery();
        await using MeasuredTenant tenant = await MeasuredTenant.Up(
            Directory.CreateDirectory(Path.Combine(_directory, "ks"), Private).FullName, endorsement, _tpm.RootsFile,
            _tpm.IntermediatesFile);
        string disk = await SoftwareDisk.Make(
            Directory.CreateDirectory(Path.Combine(_directory, "disk")).FullName, tenant.ProxyConfiguration(),
            tenant.HostKey);
        Tell("the disk is made");

        byte[] nonce = RandomNumberGenerator.GetBytes(32), menu;
        EvidenceBundle good;
        await using (Running host = await Boot(tenant, disk, MeasuredStart.Arguments))
        {
            Assert.Empty((await host.Proxy.Enrol(tenant.Tenant.Id, Cancel)).Doubts);
            Tell("enrolled");
            good = await Prove(host, tenant, nonce);
        }

        BundleVerdict.Accepted accepted = Accepted(good, tenant.Pins(nonce));
        Assert.Equal(AssuranceLevel.Tpm, accepted.Level);
        FollowsItsLog(accepted.Evidence);

        byte[] again = RandomNumberGenerator.GetBytes(32);
        EvidenceBundle bad;
        await using (Running host = await Boot(tenant, disk, $"{MeasuredStart.Arguments} {Word}"))
        {
            menu = await File.ReadAllBytesAsync(host.Machine.LoaderConfiguration, Cancel);
            bad = await Prove(host, tenant, again);
        }

        // The tenant takes all that the good boot loaded, the other configuration of the boot loader too, and forbids
        // one word: what was accepted still is, and one demand breaks.
        Predicate[] demands = Demands(accepted.Evidence, menu);
        VerifiedEvidence genuine = Accepted(
            bad with { Enrolments = good.Enrolments }, tenant.Pins(again)).Evidence;
        tenant.Demand(demands);
        byte[][] statements = [.. tenant.Statements()];
        Accepted(good with { Statements = [.. statements] }, tenant.Pins(nonce));

        // The TPM is the same, and so is its key: what the tenant's key service signed of it still counts.
        bad = bad with { Statements = [.. statements], Enrolments = good.Enrolments };
        var refused = Assert.IsType<BundleVerdict.Refused>(Judge(bad, tenant.Pins(again)));
        BundleReason reason = Assert.Single(refused.Reasons);
        output.WriteLine(reason.Sentence);
        Assert.Equal("evidence-demand", reason.Code);
        Assert.Contains(Word, reason.Sentence, StringComparison.Ordinal);
        PredicateOutcome broken = Assert.Single(
            Appraisal.Judge(demands, genuine.BootFacts, genuine.Runtime).Outcomes, one => !one.Satisfied);
        Assert.Equal(CommandLineEvent(bad), Assert.Single(broken.Events));
        Assert.Contains($"(boot log, event {CommandLineEvent(bad)})", reason.Sentence, StringComparison.Ordinal);

        // The evidence of the good boot does not answer the question after the second.
        Assert.Contains(
            Assert.IsType<BundleVerdict.Refused>(Judge(
                good with { Statements = [.. statements] }, tenant.Pins(again))).Reasons,
            one => one.Code == "evidence-nonce");
    }

    /// <summary>What the operator reads from the TPM when the machine comes.</summary>
    private Digest32 OnDelivery()
    {
        using var tpm = _tpm.Open();
        Digest32? key = EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048).Public.Key?.Id;
        _tpm.Kill();
        return key ?? throw new InvalidOperationException("an endorsement key that cannot be read");
    }

    /// <summary>All files that the good boot loaded, and the Proxy's own program as the kernel measured it.</summary>
    private static Predicate[] Demands(VerifiedEvidence good, byte[] menu)
    {
        string program = ProductPrograms.Find("Proxy") + ".dll";
        return
        [
            new Predicate.CryptoAgile(), new Predicate.SecureBoot(On: true), new Predicate.ExitBootServices(),
            new Predicate.BootFiles(ReferenceSet.Of(
            [
                .. (good.BootFacts?.In(9) ?? []).OfType<BootFact.Content>().Select(file => file.Hex),
                Convert.ToHexStringLower(SHA256.HashData(menu)),
            ])),
            new Predicate.CommandLineWords(["lockdown=confidentiality", "ima_policy=tcb"], ["mitigations"]),
            new Predicate.Program(
                $"/host{SoftwareDisk.ProxyDirectory}/Bailiwick.Proxy.dll",
                ReferenceSet.Of([Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(program)))])),
        ];
    }

    /// <summary>The quoted register is the head of the log that the host states, which is not empty.</summary>
    private static void FollowsItsLog(VerifiedEvidence evidence)
    {
        Assert.NotEqual(0, evidence.IntegrityLog.Entries);
        Assert.Contains(evidence.Followed?.Openings ?? [], one => one.Entry.Kind == IntegrityKind.Boot);
        Assert.Equal(evidence.IntegrityLog.Digest.Hex, Convert.ToHexStringLower(evidence.Quote?.Values.All
            .Single(value => value.Register == EvidenceRegisters.IntegrityLog).Value.ToArray() ?? []));
    }

    /// <summary>The event of PCR 8 that GRUB measured the kernel's command line into.</summary>
    private static int CommandLineEvent(EvidenceBundle bundle)
    {
        MeasuredBoot log = Assert.IsType<BootLogReading.Understood>(
            MeasuredBoot.Read(bundle.Logs.BootLog.Span)).Log;
        return Enumerable.Range(0, log.Count).Single(i => log[i].Pcr == 8
            && Encoding.UTF8.GetString(log[i].Data).StartsWith("kernel_cmdline: ", StringComparison.Ordinal));
    }

    private static BundleVerdict.Accepted Accepted(EvidenceBundle bundle, BundlePins pins) =>
        Judge(bundle, pins) switch
        {
            BundleVerdict.Accepted accepted => accepted,
            BundleVerdict.Refused refused => throw new InvalidOperationException(
                string.Join('\n', refused.Reasons.Select(one => $"{one.Code}: {one.Sentence}"))),
            _ => throw new UnreachableException(),
        };

    private static BundleVerdict Judge(EvidenceBundle bundle, BundlePins pins)
    {
        using VerifierKeyCache keys = new(16);
        return BundleJudge.Judge(bundle.Write(), pins, keys);
    }

    private static async Task<EvidenceBundle> Prove(Running host, MeasuredTenant tenant, byte[] nonce)
    {
        ProofAnswer proof = await host.Proxy.Prove(nonce, after: null, held: null, Cancel);
        return new EvidenceBundle
        {
            Evidence = CanonicalJson.Write(proof.Evidence ?? throw new InvalidOperationException("no checkpoint")),
            Enrolments = [.. proof.Enrolments.Select(CanonicalJson.Write)],
            Logs = new EvidenceLogs(
                Convert.FromBase64String(proof.BootLog), Convert.FromBase64String(proof.RuntimeLog))
            {
                IntegrityLog = proof.IntegrityLog is { } log ? CanonicalJson.Write(log) : ReadOnlyMemory<byte>.Empty,
            },
            Statements = [.. tenant.Statements()],
            Proofs = [],
        };
    }

    /// <summary>Boots the machine until its Proxy has read the board.</summary>
    private async Task<Running> Boot(MeasuredTenant tenant, string disk, string arguments)
    {
        string scratch = Directory.CreateTempSubdirectory("bw-mb-").FullName;
        int port = MeasuredTenant.FreePort();
        Running host = new(
            await MeasuredMachine.Start(
                LabFixture.Cache, scratch, _tpm.State, arguments, new MeasuredSoftware(disk, port), Cancel),
            PinnedHandler.Create(
                ChannelIdentity.FromKey(tenant.Tenant.Admin), tenant.HostKeyId,
                ChannelAddress.Parse($"127.0.0.1:{port}")),
            scratch);
        string last = "";
        for (Stopwatch since = Stopwatch.StartNew(); since.Elapsed < StartLimit && !host.Machine.Ended.IsCompleted;)
        {
            try
            {
                if ((await host.Proxy.Prove(new byte[1], null, null, Cancel)).Evidence is not null)
                {
                    Tell("the Proxy answers");
                    return host;
                }
            }
            catch (PeerException error)
            {
                last = error.Message;
            }

            await Task.Delay(500, Cancel);
        }

        string told = await host.Machine.Told(Cancel);
        await host.DisposeAsync();
        throw new InvalidOperationException($"The Proxy does not answer: {last}\n{told}");
    }

    private void Tell(string what) => output.WriteLine($"{_clock.Elapsed.TotalSeconds,6:F1} s  {what}");

    private sealed class Running(MeasuredMachine machine, HttpClient http, string scratch) : IAsyncDisposable
    {
        internal MeasuredMachine Machine => machine;

        internal PeerClient Proxy { get; } = new(http);

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            await machine.DisposeAsync();
            Directory.Delete(scratch, recursive: true);
        }
    }
}
